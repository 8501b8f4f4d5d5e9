// SPDX-License-Identifier: BSL-1.0
//
// The messages that are sent: of several sizes, with and without destructors, copyable or not, and with ends of channels
// inside. Each has a number; what kind<M> offers is the same for all.
#pragma once

#include "allocation.hpp"
#include "check.hpp"

#include <weir/weir.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace fuzz {

// What became of the messages that have a destructor.
class ledger {
public:
    void note_made() {
        const std::lock_guard lock(mutex_);
        ++live_;
    }
    // `holds`: it was not moved from.
    void note_destroyed(std::uint32_t number, bool holds) {
        const allocation_limit none(0);
        const std::lock_guard lock(mutex_);
        --live_;
        if (holds) {
            destroyed_.push_back(number);
        }
    }
    std::ptrdiff_t live() {
        const std::lock_guard lock(mutex_);
        return live_;
    }
    // The numbers of those that were destroyed with their value since the last call, in order.
    std::vector<std::uint32_t> take_destroyed() {
        const std::lock_guard lock(mutex_);
        return std::exchange(destroyed_, {});
    }

private:
    std::mutex mutex_;
    std::ptrdiff_t live_ = 0;
    std::vector<std::uint32_t> destroyed_;
};

inline ledger all_messages;

// One that is counted, and knows where it lies.
class counted {
public:
    explicit counted(std::uint32_t number) noexcept : number_(number) { all_messages.note_made(); }
    counted(counted&& other) noexcept : number_(other.number_), holds_(std::exchange(other.holds_, false)) {
        check(other.here_ == &other, "a message was moved from where it is not");
        all_messages.note_made();
    }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    counted& operator=(counted&&) = delete;
    ~counted() {
        check(here_ == this, "a message was destroyed where it is not");
        here_ = nullptr;
        all_messages.note_destroyed(number_, holds_);
    }

    std::uint32_t number() const noexcept { return number_; }
    bool holds() const noexcept { return holds_; }

private:
    counted* here_ = this;
    std::uint32_t number_;
    bool holds_ = true;
};

// Larger than most, and only bytes.
struct bytes {
    std::uint32_t number;
    std::array<unsigned char, 96> filling;
};

// With an alignment above a cache line, and so large that a block of the list has one slot.
class alignas(128) vast : public counted {
public:
    explicit vast(std::uint32_t number) noexcept : counted(number) { fill(); }
    vast(vast&& other) noexcept : counted(std::move(other)) { fill(); }

private:
    static constexpr std::size_t size = 20000;

    void fill() noexcept {
        check(reinterpret_cast<std::uintptr_t>(this) % alignof(vast) == 0, "a message is not aligned");
        filling_[0] = filling_[size - 1] = 1;
    }

    std::array<unsigned char, size> filling_;
};

// What a copy or a conversion throws.
struct fault {};

// One that may be copied, if it lets itself be.
class copyable : public counted {
public:
    explicit copyable(std::uint32_t number, bool throws = false) noexcept : counted(number), throws_(throws) {}
    copyable(copyable&&) noexcept = default;
    copyable(const copyable& other) : counted(number_to_copy(other)) {}

private:
    static std::uint32_t number_to_copy(const copyable& other) {
        if (other.throws_) {
            throw fault();
        }
        return other.number();
    }

    bool throws_ = false;
};

// One with ends of other channels, or of its own, inside.
class carrier : public counted {
public:
    struct end {
        weir::sender<carrier> list;
        weir::sync_sender<carrier> sync;
        weir::receiver<carrier> rx;
    };
    static constexpr std::size_t most_ends = 2;

    explicit carrier(std::uint32_t number) noexcept : counted(number) {}

    std::array<end, most_ends> ends;
};

template <class M>
struct kind {
    static constexpr bool is_counted = true;
    static constexpr bool has_ends = false;
    static constexpr bool is_copyable = false;
    static M make(std::uint32_t number) noexcept { return M(number); }
    static std::uint32_t number_of(const M& message) { return message.number(); }
    static bool holds(const M& message) { return message.holds(); }
};

template <>
struct kind<copyable> : kind<counted> {
    static constexpr bool is_copyable = true;
    static copyable make(std::uint32_t number) noexcept { return copyable(number); }
};

template <>
struct kind<carrier> : kind<counted> {
    static constexpr bool has_ends = true;
    static carrier make(std::uint32_t number) noexcept { return carrier(number); }
};

template <>
struct kind<std::uint32_t> {
    static constexpr bool is_counted = false;
    static constexpr bool has_ends = false;
    static constexpr bool is_copyable = true;
    static std::uint32_t make(std::uint32_t number) noexcept { return number; }
    static std::uint32_t number_of(std::uint32_t message) { return message; }
    static bool holds(std::uint32_t) { return true; }
};

template <>
struct kind<bytes> {
    static constexpr bool is_counted = false;
    static constexpr bool has_ends = false;
    static constexpr bool is_copyable = true;
    static bytes make(std::uint32_t number) noexcept {
        bytes made{number, {}};
        made.filling.fill(static_cast<unsigned char>(number));
        return made;
    }
    static std::uint32_t number_of(const bytes& message) {
        for (const unsigned char each : message.filling) {
            check(each == static_cast<unsigned char>(message.number), "a message lost some of its bytes");
        }
        return message.number;
    }
    static bool holds(const bytes&) { return true; }
};

// Converts to a message and cannot throw.
template <class M>
struct smooth {
    std::uint32_t number;
    bool* used;

    operator M() && noexcept {
        *used = true;
        return kind<M>::make(number);
    }
};

// Converts to a message and throws, or might have.
template <class M>
struct faulty {
    std::uint32_t number;
    bool throws;
    bool* used;

    operator M() const {
        *used = true;
        if (throws) {
            throw fault();
        }
        return kind<M>::make(number);
    }
};

} // namespace fuzz

// Small blocks, so that a few messages cross their ends: with a reserve, and without.
template <>
struct weir::detail::list_sizes<fuzz::counted> {
    static constexpr std::uint32_t slots = 6;
    static constexpr std::uint32_t reserve = 2;
    static constexpr std::uint32_t embedded_slots = 3;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 2;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 2;
};
template <>
struct weir::detail::list_sizes<fuzz::copyable> {
    static constexpr std::uint32_t slots = 5;
    static constexpr std::uint32_t reserve = 0;
    static constexpr std::uint32_t embedded_slots = 1;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 1;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 0;
};
template <>
struct weir::detail::list_sizes<fuzz::carrier> {
    static constexpr std::uint32_t slots = 3;
    static constexpr std::uint32_t reserve = 1;
    static constexpr std::uint32_t embedded_slots = 0;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 1;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 0;
};
