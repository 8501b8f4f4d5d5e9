// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/asio/looking.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace {

using weir::detail::looking;

// So many receives that found something at once.
void receive(int count) {
    for (int i = 0; i < count; ++i)
        looking().end();
}

bool nobody() noexcept { return false; }
bool somebody() noexcept { return true; }

// However long the machine runs something else, each look is half a microsecond after the one before.
looking::time_point later() noexcept {
    thread_local looking::time_point time{};
    return time += std::chrono::nanoseconds(500);
}

// Looks in vain, after a large batch, so that it gives no way. Whether it looked at all.
bool looks_in_vain(bool (*yields)() noexcept = nobody) {
    receive(3);
    looking place;
    if (!place.goes_on(yields, later))
        return false;
    while (place.goes_on(yields, later)) {
    }
    return true;
}

int left_out_before_the_next() {
    int count = 0;
    while (!looks_in_vain())
        ++count;
    return count;
}

// What is learnt is the thread's.
class looking_thread : public testing::Test {
protected:
    void SetUp() override {
        if (!weir::detail::can_spin())
            GTEST_SKIP() << "there is one processor";
    }
};

TEST_F(looking_thread, each_that_was_in_vain_leaves_more_out_up_to_a_bound) {
    std::thread([] {
        EXPECT_TRUE(looks_in_vain());
        for (const int expected : {1, 3, 7, 15, 31, 31})
            EXPECT_EQ(left_out_before_the_next(), expected);
    }).join();
}

TEST_F(looking_thread, one_that_helped_is_followed_by_another) {
    std::thread([] {
        EXPECT_TRUE(looks_in_vain());
        EXPECT_EQ(left_out_before_the_next(), 1);
        for (int i = 0; i < 3; ++i)
            EXPECT_FALSE(looks_in_vain());
        looking finds;
        EXPECT_TRUE(finds.goes_on());
        finds.end();
        EXPECT_TRUE(looks_in_vain());
        EXPECT_EQ(left_out_before_the_next(), 1);
    }).join();
}

TEST_F(looking_thread, what_was_there_at_the_first_look_teaches_nothing) {
    std::thread([] {
        EXPECT_TRUE(looks_in_vain());
        EXPECT_EQ(left_out_before_the_next(), 1);
        looking finds;
        finds.end();
        EXPECT_EQ(left_out_before_the_next(), 3);
    }).join();
}

TEST_F(looking_thread, one_that_another_thread_broke_off_leaves_more_out_each_time) {
    std::thread([] {
        EXPECT_TRUE(looks_in_vain(somebody));
        for (const int expected : {1, 3, 7, 15, 31, 63, 127, 255, 255}) {
            for (int i = 0; i < expected; ++i)
                EXPECT_FALSE(looks_in_vain(somebody));
            EXPECT_TRUE(looks_in_vain(somebody));
        }
    }).join();
}

TEST_F(looking_thread, one_that_nobody_broke_off_is_followed_by_another) {
    std::thread([] {
        EXPECT_TRUE(looks_in_vain(somebody));
        EXPECT_FALSE(looks_in_vain(somebody));
        static bool asked = false;
        const auto nobody_is_asked = []() noexcept {
            asked = true;
            return false;
        };
        looking finds;
        while (!asked)
            ASSERT_TRUE(finds.goes_on(nobody_is_asked, later));
        finds.end();
        EXPECT_TRUE(looks_in_vain(somebody));
        EXPECT_FALSE(looks_in_vain(somebody));
        EXPECT_TRUE(looks_in_vain(somebody));
    }).join();
}

TEST(looking_alone, is_left_out_where_nobody_else_can_run) {
    if (weir::detail::can_spin())
        GTEST_SKIP() << "there are several processors";
    EXPECT_FALSE(looks_in_vain());
}

} // namespace
