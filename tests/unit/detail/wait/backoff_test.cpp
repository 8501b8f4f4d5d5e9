// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/backoff.hpp>

#include <gtest/gtest.h>

#include <chrono>

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

} // namespace
