// SPDX-License-Identifier: BSL-1.0
//
// Blocks of the unbounded channel on their way from the receiver, which has read them, to a sender that needs one.
//
// A block that was just read lies in the cache of the receiver's processor, and a store to a line that another processor's
// cache holds takes a sender up to four times as long as one to a line that has left it (docs/design/performance.md). So
// while a stream lasts blocks rest before they are used again: one more of them for each `blocks_a_rest` that were read, up to
// `most_resting`, which are somewhat more than such a cache holds. A receiver that finds the channel empty ends that.
#ifndef WEIR_DETAIL_FLAVOR_SPARE_BLOCKS_HPP
#define WEIR_DETAIL_FLAVOR_SPARE_BLOCKS_HPP

#include <weir/detail/flavor/list_block.hpp>
#include <weir/detail/platform/cpu.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace weir::detail {

// Those that may be used again. Any thread.
template <class T, class Sizes>
class spare_blocks {
    using block = list_block<T>;

public:
    // Null where there is none.
    block* take() noexcept {
        for (atomic<block*>& place : places_) {
            if (place.load(memory_order_relaxed) != nullptr) {
                if (block* const taken = place.exchange(nullptr, memory_order_acquire)) { // pairs with [spare]
                    return taken;
                }
            }
        }
        return nullptr;
    }

    // Freed where there are many already.
    void give(block* unused) noexcept {
        for (atomic<block*>& place : places_) {
            block* none = nullptr;
            // [spare] release, pairs with take
            if (place.load(memory_order_relaxed) == nullptr &&
                place.compare_exchange_strong(none, unused, memory_order_release, memory_order_relaxed)) {
                return;
            }
        }
        detail::free_block(unused);
    }

    // All but `kept` of them, as far as nobody takes or gives one meanwhile.
    void free(std::ptrdiff_t kept) noexcept {
        const auto is_used = [](const atomic<block*>& place) { return place.load(memory_order_relaxed) != nullptr; };
        for (auto many = std::count_if(std::begin(places_), std::end(places_), is_used); many > kept; --many) {
            if (block* const unused = take()) {
                detail::free_block(unused);
            }
        }
    }

private:
    atomic<block*> places_[Sizes::most_spare] = {};
};

// Those that rest, in the order in which they were read. The receiver's own.
template <class T, class Sizes>
class resting_blocks {
    using block = list_block<T>;

public:
    // One that nobody can touch any more. Who has rested long enough goes to `spare`.
    void rest(block* done, spare_blocks<T, Sizes>& spare) noexcept {
        if (!can_spin()) { // one processor, one cache
            spare.give(done);
            return;
        }
        (first_ == nullptr ? first_ : last_->previous) = done; // the link, while it rests
        last_ = done;
        ++resting_;
        ++read_;
        if (resting_ > std::min(read_ / Sizes::blocks_a_rest, Sizes::most_resting)) {
            spare.give(pop());
        }
    }

    // Ends the rest of all, for `spare`.
    void end(spare_blocks<T, Sizes>& spare) noexcept {
        read_ = 0;
        while (first_ != nullptr) {
            spare.give(pop());
        }
    }

private:
    block* pop() noexcept {
        block* const rested = first_;
        first_ = resting_ == 1 ? nullptr : static_cast<block*>(rested->previous);
        --resting_;
        return rested;
    }

    plain<block*> first_ = nullptr;
    plain<block*> last_ = nullptr; // where there is a first
    std::uint32_t resting_ = 0;
    std::uint32_t read_ = 0; // since the channel was found empty
};

} // namespace weir::detail

#endif
