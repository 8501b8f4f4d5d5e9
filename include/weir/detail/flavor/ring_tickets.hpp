// SPDX-License-Identifier: BSL-1.0
//
// The tickets of a bounded channel: a lap and a slot in one word, (lap << slot_bits | slot). They grow by one slot, or to the
// next lap's first. Tail minus head is one lap or more exactly where the ring is full.
#ifndef WEIR_DETAIL_FLAVOR_RING_TICKETS_HPP
#define WEIR_DETAIL_FLAVOR_RING_TICKETS_HPP

#include <weir/detail/platform/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::detail {

class ring_tickets {
public:
    using ticket = std::uint64_t;

    explicit ring_tickets(std::size_t capacity) noexcept
        : last_slot_(capacity - 1), slot_bits_(static_cast<unsigned>(std::bit_width(last_slot_))),
          slot_mask_((ticket{1} << slot_bits_) - 1) {}

    std::size_t capacity() const noexcept { return last_slot_ + 1; }
    std::size_t last_slot() const noexcept { return last_slot_; }

    std::size_t slot_of(ticket at) const noexcept { return static_cast<std::size_t>(at & slot_mask_); }
    // Whether its lap is an odd one; found without a shift.
    bool is_odd(ticket at) const noexcept { return (at & (slot_mask_ + 1)) != 0; }

    WEIR_INLINE ticket after(ticket at) const noexcept {
        if (slot_of(at) == last_slot_) [[unlikely]] {
            at |= slot_mask_;
        }
        return at + 1;
    }

    // How many there are from `from` to `to`.
    std::uint64_t distance(ticket from, ticket to) const noexcept {
        const std::uint64_t laps = (to >> slot_bits_) - (from >> slot_bits_);
        return laps * capacity() + slot_of(to) - slot_of(from);
    }

    // Whether the slot of `tail` is free, the head being there or further on.
    bool has_room(ticket tail, ticket head) const noexcept { return tail - head <= slot_mask_; }

private:
    std::size_t last_slot_;
    unsigned slot_bits_;
    ticket slot_mask_;
};

} // namespace weir::detail

#endif
