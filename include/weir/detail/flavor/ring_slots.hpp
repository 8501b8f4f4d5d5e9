// SPDX-License-Identifier: BSL-1.0
//
// The slots of a bounded channel: values and their state bytes, as many as fit together in a cache line.
//
// A group is one line: first the states of its lanes, then their values. Messages too large for two in a line have a
// group each, as long as they need.
#ifndef WEIR_DETAIL_FLAVOR_RING_SLOTS_HPP
#define WEIR_DETAIL_FLAVOR_RING_SLOTS_HPP

#include <weir/detail/flavor/slot_state.hpp>
#include <weir/detail/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace weir::detail {

template <class T>
class ring_slots {
    static constexpr std::size_t size_of_group(std::size_t count) noexcept {
        return round_up(count, alignof(T)) + count * sizeof(T);
    }
    static constexpr std::size_t most_lanes() noexcept {
        std::size_t count = 1;
        while (size_of_group(count + 1) <= cache_line) {
            ++count;
        }
        return count;
    }

public:
    static constexpr std::size_t lanes = most_lanes();
    static constexpr std::size_t group_bytes = lanes > 1 ? cache_line : round_up(size_of_group(1), alignof(T));
    static constexpr std::size_t alignment = alignof(T) > cache_line ? alignof(T) : cache_line;

    // 0 where that is more than memory can hold.
    static constexpr std::size_t bytes_for(std::size_t capacity) noexcept {
        const std::size_t groups = capacity / lanes + (capacity % lanes != 0 ? 1 : 0);
        constexpr std::size_t most = static_cast<std::size_t>(PTRDIFF_MAX);
        return groups <= most / group_bytes ? groups * group_bytes : 0;
    }
    // How much of a first group is used by `capacity` slots that fit in it.
    static constexpr std::size_t bytes_used(std::size_t capacity) noexcept { return values_at + capacity * sizeof(T); }

    explicit ring_slots(std::byte* groups) noexcept : groups_(groups) {}

    // Before any use: makes the state bytes.
    void start(std::size_t capacity) const noexcept {
        for (std::size_t slot = 0; slot < capacity; ++slot) {
            ::new (static_cast<void*>(at(slot).state)) atomic<slot_state>(0);
        }
    }

    struct place {
        atomic<slot_state>* state;
        T* value;
    };

    place at(std::size_t slot) const noexcept {
        std::byte* const group = groups_ + slot / lanes * group_bytes;
        const std::size_t lane = slot % lanes;
        return {reinterpret_cast<atomic<slot_state>*>(group) + lane,
                reinterpret_cast<T*>(group + values_at + lane * sizeof(T))};
    }

    // The place of the slot behind the one at `here`, which is not the last.
    static place after(place here) noexcept {
        std::byte* const state = reinterpret_cast<std::byte*>(here.state);
        if constexpr (lanes > 1) {
            const std::size_t lane = reinterpret_cast<std::uintptr_t>(state) % group_bytes; // groups are aligned
            if (lane + 1 != lanes) [[likely]] {
                return {here.state + 1, here.value + 1};
            }
            std::byte* const next = state - lane + group_bytes;
            return {reinterpret_cast<atomic<slot_state>*>(next), reinterpret_cast<T*>(next + values_at)};
        } else {
            std::byte* const next = state + group_bytes;
            return {reinterpret_cast<atomic<slot_state>*>(next), reinterpret_cast<T*>(next + values_at)};
        }
    }

    // How many bytes lie between two slots that are `count` apart, give or take a group.
    static constexpr std::size_t bytes_between(std::size_t count) noexcept { return count / lanes * group_bytes; }

private:
    static constexpr std::size_t values_at = round_up(lanes, alignof(T));

    std::byte* groups_;
};

} // namespace weir::detail

#endif
