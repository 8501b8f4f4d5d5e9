// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/list_block.hpp>

#include "support/allocation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

using namespace unit;
using weir::detail::embedded_block;
using weir::detail::free_block;
using weir::detail::list_block;
using weir::detail::try_make_block;

template <std::size_t Size, std::size_t Alignment>
struct alignas(Alignment) bytes {
    std::array<std::byte, Size> content;
};

// Calls check(block) for a block of `slots` slots of T.
template <class T, class Check>
void with_block(std::uint32_t slots, std::uint32_t reserve, Check check) {
    list_block<T>* const block = try_make_block<T>(slots, reserve);
    ASSERT_NE(block, nullptr);
    check(*block);
    free_block(block);
}

// All values are aligned, and none shares a byte with another or with a state: each is filled, then all are read.
template <class T>
void expect_values_of_their_own(const list_block<T>& block) {
    for (std::uint32_t slot = 0; slot < block.size; ++slot) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.value(slot)) % alignof(T), 0U);
        std::memset(static_cast<void*>(block.value(slot)), static_cast<int>(slot % 251 + 1), sizeof(T));
    }
    for (std::uint32_t slot = 0; slot <= block.size; ++slot) {
        EXPECT_EQ(block.state(slot).load(), 0);
        block.state(slot).store(0xff);
    }
    for (std::uint32_t slot = 0; slot < block.size; ++slot) {
        for (const std::byte byte : block.value(slot)->content) {
            ASSERT_EQ(static_cast<std::uint32_t>(byte), slot % 251 + 1);
        }
    }
}

TEST(list_block, has_aligned_places_for_messages_of_any_size_that_do_not_overlap) {
    const auto check = [](const auto& block) { expect_values_of_their_own(block); };
    for (const std::uint32_t slots : {1U, 2U, 7U, 64U, 1000U}) {
        with_block<bytes<1, 1>>(slots, 0, check);
        with_block<bytes<8, 8>>(slots, 0, check);
        with_block<bytes<40, 4>>(slots, 0, check);
        with_block<bytes<64, 64>>(slots, 0, check);
        with_block<bytes<256, 256>>(slots, 0, check);
    }
}

TEST(list_block, begins_unwritten_with_one_state_more_than_slots_and_no_successor) {
    with_block<bytes<8, 8>>(6, 2, [](const auto& block) {
        EXPECT_EQ(block.size, 6U);
        EXPECT_EQ(block.low, 4U) << "from there on the reserve";
        EXPECT_EQ(block.start, 0U);
        EXPECT_EQ(block.end(), 6U);
        EXPECT_EQ(block.next.load(), nullptr);
        EXPECT_EQ(block.passed_at.load(), block.unknown);
        for (std::uint32_t slot = 0; slot <= block.size; ++slot) {
            EXPECT_NE(block.state(slot).load(), block.written());
            EXPECT_NE(block.state(slot).load(), block.taken());
        }
    });
}

TEST(list_block, used_again_has_nothing_written_though_its_states_are_those_of_the_lap_before) {
    with_block<bytes<8, 8>>(4, 0, [](auto& block) {
        for (int lap = 0; lap < 5; ++lap) {
            EXPECT_NE(block.written(), block.taken());
            for (std::uint32_t slot = 0; slot < block.size; ++slot) {
                EXPECT_NE(block.state(slot).load(), block.written());
                EXPECT_NE(block.state(slot).load(), block.taken());
                block.state(slot).store(slot % 2 == 0 ? block.written() : block.taken());
            }
            EXPECT_NE(block.state(block.size).load(), block.written()) << "the receiver would run past the end";
            block.next.store(&block);
            block.passed_at.store(3);
            block.reuse();
            EXPECT_EQ(block.next.load(), nullptr);
            EXPECT_EQ(block.passed_at.load(), block.unknown);
            EXPECT_EQ(block.previous, nullptr);
        }
    });
}

TEST(list_block, that_finds_no_memory_is_null) {
    const std::ptrdiff_t before = live_allocations();
    const no_memory without;
    EXPECT_EQ((try_make_block<bytes<8, 8>>(4, 0)), nullptr);
    EXPECT_EQ(live_allocations(), before);
}

TEST(list_block, is_one_allocation_that_is_given_back) {
    const std::ptrdiff_t before = live_allocations();
    with_block<bytes<8, 8>>(4, 0, [&](const auto&) { EXPECT_EQ(live_allocations(), before + 1); });
    EXPECT_EQ(live_allocations(), before);
}

TEST(embedded_block, lies_inside_with_its_values) {
    embedded_block<bytes<8, 8>, 5> embedded;
    expect_values_of_their_own(*embedded.get());
    EXPECT_EQ(embedded.get()->size, 5U);
    EXPECT_EQ(embedded.get()->low, 5U);
    const auto* const from = reinterpret_cast<const std::byte*>(&embedded);
    const auto* const last = reinterpret_cast<const std::byte*>(embedded.get()->value(4));
    EXPECT_GE(last, from);
    EXPECT_LE(last + 8, from + sizeof(embedded));
}

TEST(embedded_block, without_slots_has_an_end_that_is_never_written) {
    embedded_block<bytes<8, 8>, 0> embedded;
    EXPECT_EQ(embedded.get()->size, 0U);
    EXPECT_NE(embedded.get()->state(0).load(), embedded.get()->written());
}

} // namespace
