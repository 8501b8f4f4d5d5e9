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

// Who stands back looks from time to time whether the others go on: as long as they do, up to a bound.
TEST(backoff, stands_back_only_as_long_as_others_get_on) {
    for (const std::uint64_t before_they_stop : {0u, 1u, 2u, 3u}) {
        std::uint64_t looks = 0;
        std::uint64_t index = 17;
        weir::detail::stand_back(index, [&]() noexcept {
            index += looks++ < before_they_stop ? 1000 : 0;
            return index;
        });
        EXPECT_EQ(looks, before_they_stop + 1);
    }
}

TEST(backoff, stands_back_for_a_bounded_time) {
    int looks = 0;
    std::uint64_t index = 0;
    const auto start = std::chrono::steady_clock::now();
    weir::detail::stand_back(index, [&]() noexcept { return ++looks, index += 1000; });
    EXPECT_EQ(looks, 5) << "after 1, 2, 4, 8 and 16 quarters of a microsecond";
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

} // namespace
