// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/spare_blocks.hpp>

#include "support/allocation.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace unit;
using weir::detail::can_spin;
using weir::detail::free_block;
using weir::detail::list_block;
using weir::detail::resting_blocks;
using weir::detail::spare_blocks;
using weir::detail::try_make_block;

using small_block = list_block<int>;

struct few {
    static constexpr std::uint32_t most_spare = 2;
    static constexpr std::uint32_t blocks_a_rest = 3;
    static constexpr std::uint32_t most_resting = 2;
};

small_block* make_small_block() { return try_make_block<int>(1, 0); }

TEST(spare_blocks, gives_back_what_it_was_given_each_once) {
    const std::ptrdiff_t before = live_allocations();
    spare_blocks<int, few> spare;
    EXPECT_EQ(spare.take(), nullptr);
    small_block* const one = make_small_block();
    small_block* const other = make_small_block();
    spare.give(one);
    spare.give(other);
    small_block* const first = spare.take();
    small_block* const second = spare.take();
    EXPECT_TRUE((first == one && second == other) || (first == other && second == one));
    EXPECT_EQ(spare.take(), nullptr);
    free_block(first);
    free_block(second);
    EXPECT_EQ(live_allocations(), before);
}

TEST(spare_blocks, keeps_so_many_and_frees_the_others) {
    const std::ptrdiff_t before = live_allocations();
    spare_blocks<int, few> spare;
    for (int i = 0; i < 5; ++i) {
        spare.give(make_small_block());
    }
    for (const std::ptrdiff_t kept : {3, 2, 1, 1, 0, 0}) {
        spare.free(kept);
        EXPECT_EQ(live_allocations() - before, kept < 2 ? kept : 2);
    }
}

// Blocks are read one after the other, and each is used again as soon as it is spare.
TEST(resting_blocks, let_ever_more_rest_while_a_stream_lasts) {
    if (!can_spin()) {
        GTEST_SKIP() << "with one processor none rests";
    }
    constexpr int blocks = 12;
    spare_blocks<int, few> spare;
    resting_blocks<int, few> resting;
    for (int stream = 0; stream < 2; ++stream) {
        std::vector<small_block*> read;
        std::vector<small_block*> used;
        read.reserve(blocks);
        used.reserve(blocks);
        const std::ptrdiff_t before = live_allocations();
        for (int i = 0; i < blocks; ++i) {
            read.push_back(make_small_block());
            resting.rest(read.back(), spare);
            while (small_block* const again = spare.take()) {
                used.push_back(again);
            }
            const std::size_t at_rest = i < 2 ? 0 : i < 5 ? 1 : 2; // one for each three, and two at most
            EXPECT_EQ(read.size() - used.size(), at_rest) << "after " << read.size();
        }
        for (std::size_t i = 0; i < used.size(); ++i) {
            EXPECT_EQ(used[i], read[i]) << "who was read first is used first";
            free_block(used[i]);
        }
        resting.end(spare);
        EXPECT_EQ(live_allocations() - before, 2);
        spare.free(0);
        EXPECT_EQ(live_allocations(), before);
    }
}

TEST(resting_blocks, free_what_no_sender_takes) {
    const std::ptrdiff_t before = live_allocations();
    spare_blocks<int, few> spare;
    resting_blocks<int, few> resting;
    for (int i = 0; i < 20; ++i) {
        resting.rest(make_small_block(), spare);
        EXPECT_LE(live_allocations() - before, 4);
    }
    resting.end(spare);
    spare.free(0);
    EXPECT_EQ(live_allocations(), before);
}

} // namespace
