// SPDX-License-Identifier: BSL-1.0
//
// How often each word was seen: a hash table for this one purpose. Its words stand one behind another in one string, so
// that a new word costs no allocation of its own, and to hand a whole table to another thread is to move three
// pointers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

class word_counts {
public:
    struct entry {
        std::uint32_t hash;
        std::uint32_t length;
        std::size_t begin; // in text_
        std::uint64_t count;
    };

    void add(std::string_view word) { add(word, static_cast<std::uint32_t>(std::hash<std::string_view>()(word)), 1); }

    void add(const word_counts& other) {
        for (const entry& each : other.entries_) {
            add(other.word(each), each.hash, each.count);
        }
    }

    const std::vector<entry>& entries() const noexcept { return entries_; }
    std::string_view word(const entry& of) const noexcept { return {text_.data() + of.begin, of.length}; }

private:
    struct slot {
        std::uint32_t hash = 0;
        std::uint32_t position = 0; // in entries_, plus one; 0: free
    };

    void add(std::string_view word, std::uint32_t hash, std::uint64_t times) {
        if (entries_.size() >= slots_.size() / 2) {
            grow();
        }
        slot& place = find(word, hash);
        if (place.position == 0) {
            const std::size_t begin = text_.size();
            text_.append(word);
            entries_.push_back({hash, static_cast<std::uint32_t>(word.size()), begin, 0});
            place = {hash, static_cast<std::uint32_t>(entries_.size())};
        }
        entries_[place.position - 1].count += times;
    }

    // The slot of this word, or the free one where it belongs.
    slot& find(std::string_view sought, std::uint32_t hash) noexcept {
        const std::size_t mask = slots_.size() - 1;
        std::size_t i = hash & mask;
        while (slots_[i].position != 0 &&
               (slots_[i].hash != hash || word(entries_[slots_[i].position - 1]) != sought)) {
            i = (i + 1) & mask;
        }
        return slots_[i];
    }

    void grow() {
        if (slots_.size() > UINT32_MAX / 2) {
            throw std::length_error("too many distinct words");
        }
        std::vector<slot> wider(std::max<std::size_t>(256, slots_.size() * 2));
        const std::size_t mask = wider.size() - 1;
        for (const slot& each : slots_) {
            if (each.position != 0) {
                std::size_t i = each.hash & mask;
                while (wider[i].position != 0) {
                    i = (i + 1) & mask;
                }
                wider[i] = each;
            }
        }
        slots_ = std::move(wider);
    }

    std::string text_;
    std::vector<entry> entries_;
    std::vector<slot> slots_; // as many as a power of two, at most half of them taken
};
