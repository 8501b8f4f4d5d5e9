// SPDX-License-Identifier: BSL-1.0
//
// What is to happen at some time: the front is due first. Each entry knows its place, so that it can be taken out.
//
// Entry: due_at(), which does not change meanwhile; place(), a reference to a number that is the heap's.
#ifndef WEIR_DETAIL_SELECT_DUE_HEAP_HPP
#define WEIR_DETAIL_SELECT_DUE_HEAP_HPP

#include <weir/detail/memory.hpp>

#include <cstddef>
#include <vector>

namespace weir::detail {

template <class Entry>
class due_heap {
public:
    bool is_empty() const noexcept { return entries_.empty(); }
    Entry& front() const noexcept { return *entries_.front(); }

    // Room for so many entries in all. Throws std::bad_alloc.
    void reserve(std::size_t size) { detail::make_room(entries_, size); }

    // There is room.
    void push(Entry& entry) noexcept {
        entries_.push_back(&entry);
        settle(entry, entries_.size() - 1);
    }

    void erase(Entry& entry) noexcept {
        Entry& last = *entries_.back();
        entries_.pop_back();
        if (&last != &entry) {
            settle(last, entry.place());
        }
    }

private:
    // Nothing is at `place`: brings the entry there, or up or down from there to where it belongs.
    void settle(Entry& entry, std::size_t place) noexcept {
        while (place != 0 && entry.due_at() < entries_[(place - 1) / 2]->due_at()) {
            put(*entries_[(place - 1) / 2], place);
            place = (place - 1) / 2;
        }
        for (std::size_t below = 0; (below = 2 * place + 1) < entries_.size(); place = below) {
            if (below + 1 != entries_.size() && entries_[below + 1]->due_at() < entries_[below]->due_at()) {
                ++below;
            }
            if (!(entries_[below]->due_at() < entry.due_at())) {
                break;
            }
            put(*entries_[below], place);
        }
        put(entry, place);
    }

    void put(Entry& entry, std::size_t place) noexcept {
        entries_[place] = &entry;
        entry.place() = place;
    }

    std::vector<Entry*> entries_;
};

} // namespace weir::detail

#endif
