// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/flag_word.hpp>

#include "support/scale.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace unit;
using weir::detail::flag_word;

TEST(flag_word, has_no_flags_at_first) {
    flag_word flags;
    EXPECT_EQ(flags.peek(), 0U);
    EXPECT_EQ(flags.after_write(), 0U);
    EXPECT_EQ(flags.raise(0), 0U);
    EXPECT_EQ(flags.lower(1), 0U);
}

TEST(flag_word, shows_what_is_raised_until_it_is_lowered) {
    flag_word flags;
    EXPECT_EQ(flags.raise(1), 0U);
    EXPECT_EQ(flags.raise(4), 1U) << "what was raised before";
    EXPECT_EQ(flags.after_write(), 5U);
    EXPECT_EQ(flags.peek(), 5U);
    EXPECT_EQ(flags.lower(1), 5U) << "what was raised before";
    EXPECT_EQ(flags.after_write(), 4U);
    EXPECT_EQ(flags.lower(1), 4U);
    EXPECT_EQ(flags.lower(4), 4U);
    EXPECT_EQ(flags.after_write(), 0U);
    EXPECT_EQ(flags.peek(), 0U);
}

TEST(flag_word, looking_at_it_changes_nothing) {
    flag_word flags;
    flags.raise(2);
    for (int i = 0; i < 3; ++i) {
        flags.barrier();
        EXPECT_EQ(flags.after_write(), 2U);
        EXPECT_EQ(flags.peek(), 2U);
    }
}

// One of many flags that are raised at once is raised first.
TEST(flag_word, tells_one_of_several_raisers_that_it_was_the_first) {
    constexpr unsigned native_words = 5'000;
    constexpr unsigned threads = 3;
    std::vector<flag_word> words(scaled(native_words));
    std::atomic<unsigned> first{0};
    std::atomic<unsigned> lowered{0};
    pace together(threads);
    in_parallel(threads, [&](unsigned which) {
        for (unsigned i = 0; i < words.size(); ++i) {
            together.keep(which, i);
            first += words[i].raise(1U << which) == 0 ? 1U : 0U;
        }
    });
    EXPECT_EQ(first.load(), words.size());
    in_parallel(threads, [&](unsigned) {
        for (auto& word : words) {
            lowered += (word.lower(1) & 1U) != 0 ? 1U : 0U;
        }
    });
    EXPECT_EQ(lowered.load(), words.size());
}

// Dekker's question, thousands of times: A writes and looks at the flag, B raises it and looks at what was written. One of them
// must see the other, whichever of them pays for it.
class flag_word_meeting : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(either, flag_word_meeting, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "raised_often" : "raised_seldom"; });

TEST_P(flag_word_meeting, of_a_writer_and_a_raiser_one_sees_the_other) {
    struct meeting {
        flag_word flags{GetParam()};
        alignas(weir::detail::cache_line) std::atomic<bool> written{false};
        bool writer_saw = false;
        bool raiser_saw = false;
    };
    constexpr unsigned native_meetings = 10'000;
    std::vector<meeting> meetings(scaled(native_meetings));
    pace together(2);
    in_parallel(2, [&](unsigned which) {
        for (unsigned i = 0; i < meetings.size(); ++i) {
            together.keep(which, i);
            meeting& here = meetings[i];
            if (which == 0) {
                pause_for(i % 16);
                here.written.store(true, std::memory_order_release);
                here.writer_saw = here.flags.after_write() != 0;
            } else {
                pause_for(i / 16 % 16);
                here.flags.raise(1);
                here.flags.barrier();
                here.raiser_saw = here.written.load(std::memory_order_acquire);
            }
        }
    });
    for (std::size_t i = 0; i < meetings.size(); ++i) {
        ASSERT_TRUE(meetings[i].writer_saw || meetings[i].raiser_saw) << "meeting " << i;
    }
}

} // namespace
