// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/backoff.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace {

// The pauses are bounded: ten thousand attempts that all fail take some milliseconds, not for ever.
TEST(backoff, pauses_for_a_bounded_time_however_often_it_is_asked) {
    constexpr int attempts = 10'000;
    weir::detail::backoff contention;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < attempts; ++i) {
        contention.pause();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// While somebody stood back the others got through `progress` messages.
void stand_back(weir::detail::crowd& crowd, std::uint64_t progress) {
    std::uint64_t index = 17;
    int looks = 0;
    crowd.stand_back(index, [&]() noexcept { return ++looks, index += progress; });
    EXPECT_EQ(looks, 1) << "each look takes the line from those that it was left to";
}

TEST(crowd, stands_back_for_twice_as_long_where_others_get_on_up_to_a_bound) {
    weir::detail::crowd crowd;
    for (const int quarters : {2, 4, 8, 16, 32, 32, 32}) {
        EXPECT_EQ(crowd.quarters(), quarters);
        stand_back(crowd, 1000);
    }
}

TEST(crowd, stands_back_for_half_as_long_where_others_do_not_get_on) {
    weir::detail::crowd crowd;
    for (int i = 0; i < 4; ++i) {
        stand_back(crowd, 1000);
    }
    for (const int quarters : {32, 16, 8, 4, 2, 2, 2}) {
        EXPECT_EQ(crowd.quarters(), quarters);
        stand_back(crowd, 4);
    }
}

// What the others have to get through is more for who stands back for longer.
TEST(crowd, weighs_what_others_got_through_against_how_long_it_took) {
    weir::detail::crowd crowd;
    stand_back(crowd, 5);
    EXPECT_EQ(crowd.quarters(), 4);
    stand_back(crowd, 5);
    EXPECT_EQ(crowd.quarters(), 2);
}

TEST(crowd, stands_back_for_a_bounded_time) {
    weir::detail::crowd crowd;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1'000; ++i) {
        stand_back(crowd, 1000);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

} // namespace
