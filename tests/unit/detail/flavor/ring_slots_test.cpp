// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/ring_slots.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace {

using weir::detail::ring_slots;
using weir::detail::slot_state;

template <std::size_t Size, std::size_t Alignment>
struct alignas(Alignment) sized {
    std::array<std::byte, Size> content;
};

// Every slot has a state and an aligned value of its own, all within the bytes that are asked for.
template <class T>
void expect_slots_of_their_own(std::size_t capacity) {
    using slots = ring_slots<T>;
    const std::size_t size = slots::bytes_for(capacity);
    ASSERT_NE(size, 0U);
    void* const memory = weir::detail::allocate(size, slots::alignment);
    auto* const groups = static_cast<std::byte*>(memory);
    const slots here(groups);
    here.start(capacity);
    for (std::size_t slot = 0; slot < capacity; ++slot) {
        const auto at = here.at(slot);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at.value) % alignof(T), 0U);
        EXPECT_GE(reinterpret_cast<std::byte*>(at.value), groups);
        EXPECT_LE(reinterpret_cast<std::byte*>(at.value) + sizeof(T), groups + size);
        EXPECT_GE(reinterpret_cast<std::byte*>(at.state), groups);
        EXPECT_LT(reinterpret_cast<std::byte*>(at.state), groups + size);
        EXPECT_EQ(at.state->load(), 0);
        if (slot != 0) {
            const auto next = slots::after(here.at(slot - 1));
            EXPECT_EQ(next.state, at.state);
            EXPECT_EQ(next.value, at.value);
        }
    }
    for (std::size_t slot = 0; slot < capacity; ++slot) {
        const auto at = here.at(slot);
        std::memset(static_cast<void*>(at.value), static_cast<int>(slot % 251 + 1), sizeof(T));
        at.state->store(static_cast<slot_state>(slot % 249 + 3));
    }
    for (std::size_t slot = 0; slot < capacity; ++slot) {
        const auto at = here.at(slot);
        ASSERT_EQ(at.state->load(), static_cast<slot_state>(slot % 249 + 3));
        for (const std::byte byte : at.value->content) {
            ASSERT_EQ(static_cast<std::size_t>(byte), slot % 251 + 1);
        }
    }
    weir::detail::deallocate(memory);
}

TEST(ring_slots, have_places_for_messages_of_any_size_that_do_not_overlap) {
    for (const std::size_t capacity : {1UZ, 2UZ, 3UZ, 5UZ, 7UZ, 8UZ, 9UZ, 64UZ, 1000UZ}) {
        expect_slots_of_their_own<sized<1, 1>>(capacity);
        expect_slots_of_their_own<sized<3, 1>>(capacity);
        expect_slots_of_their_own<sized<8, 8>>(capacity);
        expect_slots_of_their_own<sized<24, 8>>(capacity);
        expect_slots_of_their_own<sized<31, 1>>(capacity);
        expect_slots_of_their_own<sized<63, 1>>(capacity);
        expect_slots_of_their_own<sized<64, 64>>(capacity);
        expect_slots_of_their_own<sized<200, 8>>(capacity);
        expect_slots_of_their_own<sized<256, 256>>(capacity);
    }
}

TEST(ring_slots, keep_a_small_message_in_the_cache_line_of_its_state) {
    const auto check = []<class T>(const T*) {
        using slots = ring_slots<T>;
        std::vector<std::byte> space(slots::bytes_for(100) + slots::alignment);
        const auto address = reinterpret_cast<std::uintptr_t>(space.data());
        const slots here(space.data() + (weir::detail::round_up(address, slots::alignment) - address));
        for (std::size_t slot = 0; slot < 100; ++slot) {
            const auto at = here.at(slot);
            const auto line_of = [](const void* place) {
                return reinterpret_cast<std::uintptr_t>(place) / weir::detail::cache_line;
            };
            EXPECT_EQ(line_of(at.state), line_of(at.value));
            EXPECT_EQ(line_of(at.state), line_of(reinterpret_cast<const std::byte*>(at.value + 1) - 1));
        }
    };
    check(static_cast<sized<1, 1>*>(nullptr));
    check(static_cast<sized<8, 8>*>(nullptr));
    check(static_cast<sized<16, 8>*>(nullptr));
    check(static_cast<sized<24, 8>*>(nullptr));
}

TEST(ring_slots, of_more_bytes_than_there_can_be_take_none) {
    using slots = ring_slots<sized<8, 8>>;
    constexpr std::size_t most = static_cast<std::size_t>(PTRDIFF_MAX);
    EXPECT_EQ(slots::bytes_for(std::numeric_limits<std::size_t>::max()), 0U);
    EXPECT_EQ(slots::bytes_for(most), 0U);
    EXPECT_NE(slots::bytes_for(most / 16), 0U);
    EXPECT_LE(slots::bytes_for(most / 16), most);
    EXPECT_EQ((ring_slots<sized<256, 256>>::bytes_for(most / 256)), 0U);
}

TEST(ring_slots, that_fit_near_use_no_more_than_they_say) {
    using slots = ring_slots<sized<8, 8>>;
    for (std::size_t capacity = 1; capacity <= slots::lanes; ++capacity) {
        alignas(64) std::array<std::byte, 64> space{};
        const slots here(space.data());
        here.start(capacity);
        const auto* const end = reinterpret_cast<const std::byte*>(here.at(capacity - 1).value + 1);
        EXPECT_LE(end, space.data() + slots::bytes_used(capacity));
        EXPECT_LE(slots::bytes_used(capacity), space.size());
    }
}

} // namespace
