// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/effort.hpp>

#include <gtest/gtest.h>

namespace {

using weir::detail::effort;

int left_out(effort& tried) {
    int count = 0;
    while (!tried.is_due())
        ++count;
    return count;
}

TEST(effort, is_due_from_the_start) {
    effort tried;
    EXPECT_TRUE(tried.is_due());
    EXPECT_TRUE(tried.is_due());
}

TEST(effort, each_failure_leaves_more_out_up_to_a_bound) {
    effort tried;
    for (const int expected : {1, 3, 7, 15, 31, 31}) {
        tried.fail();
        EXPECT_EQ(left_out(tried), expected);
    }
}

TEST(effort, one_that_helped_begins_anew) {
    effort tried;
    for (int i = 0; i < 4; ++i)
        tried.fail();
    (void)left_out(tried);
    tried.help();
    EXPECT_TRUE(tried.is_due());
    tried.fail();
    EXPECT_EQ(left_out(tried), 1);
}

TEST(effort, one_may_be_left_out_without_a_failure) {
    effort tried;
    tried.leave_one_out();
    EXPECT_EQ(left_out(tried), 1);
    tried.fail();
    EXPECT_EQ(left_out(tried), 1);
}

} // namespace
