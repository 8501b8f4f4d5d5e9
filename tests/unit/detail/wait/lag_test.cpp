// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/lag.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr int microsecond = weir::detail::lag::microsecond;
constexpr int longest = 8 * microsecond;
constexpr int waits_a_round = 8;
constexpr std::uint64_t large = 8;
constexpr std::uint32_t quick = 100; // nanoseconds a message

// A side that waits, how far it has got, and when.
class lagging_side {
public:
    explicit lagging_side(std::uint64_t most_batch = unlimited, std::size_t bytes = 8) : lag_(most_batch, bytes) {}

    // What is got through until the next wait, at so many nanoseconds a message; how long that holds back.
    int wait(std::uint64_t batch, std::uint32_t each) {
        now_ += static_cast<std::uint32_t>(batch) * each;
        return lag_.next(progress_ += batch, [this] { return now_; });
    }
    // A wait that ends when so much time has passed, and nothing was got through.
    int wait_in_vain(std::uint32_t nanoseconds) {
        now_ += nanoseconds;
        return lag_.next(progress_, [this] { return now_; });
    }
    int round(std::uint64_t batch, std::uint32_t each) {
        int held = 0;
        for (int i = 0; i < waits_a_round; ++i) {
            held = wait(batch, each);
        }
        return held;
    }
    void stop() { lag_.stop(); }

    // Until there is a lag; how many waits began before it.
    int waits_until_lag(std::uint64_t batch, std::uint32_t each) {
        for (int waits = 0; waits < 100'000; ++waits) {
            if (wait(batch, each) != 0) {
                return waits;
            }
        }
        return std::numeric_limits<int>::max();
    }

    // A lag that has helped once.
    int begin_lag(std::uint64_t batch) {
        waits_until_lag(1, 2 * quick);
        return round(batch, quick);
    }

private:
    weir::detail::lag lag_;
    std::uint64_t progress_ = std::numeric_limits<std::uint32_t>::max(); // about to wrap in the lag, as is the time
    std::uint32_t now_ = std::numeric_limits<std::uint32_t>::max();
};

TEST(lag, is_tried_after_a_round_of_messages_that_came_quickly) {
    lagging_side waiting;
    EXPECT_EQ(waiting.waits_until_lag(1, quick), waits_a_round);
    EXPECT_EQ(waiting.wait(1, quick), microsecond);
}

TEST(lag, is_not_tried_where_messages_take_longer_than_a_microsecond) {
    lagging_side waiting;
    EXPECT_EQ(waiting.waits_until_lag(1, 1'001), std::numeric_limits<int>::max());
    EXPECT_LE(waiting.waits_until_lag(1, 1'000), 2 * waits_a_round);
}

TEST(lag, is_not_tried_where_nothing_comes) {
    lagging_side waiting;
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_EQ(waiting.wait_in_vain(quick), 0);
    }
}

TEST(lag, stays_where_messages_took_less_time_by_an_eighth) {
    for (const std::uint32_t with : {quick - quick / 8 - 2, quick - quick / 8 + 2}) {
        lagging_side waiting;
        waiting.waits_until_lag(1, quick);
        EXPECT_EQ(waiting.round(4, with) != 0, with < quick - quick / 8) << with;
    }
}

TEST(lag, becomes_longer_while_messages_come_as_quickly) {
    lagging_side waiting;
    int before = waiting.begin_lag(large);
    EXPECT_EQ(before, microsecond + microsecond / 2 + 1);
    for (int i = 0; i < 10; ++i) {
        const int now = waiting.round(large, quick);
        EXPECT_TRUE(now > before || now == longest) << now;
        EXPECT_LE(now, before + before / 2 + 1);
        before = now;
    }
    EXPECT_EQ(before, longest);
}

TEST(lag, does_not_become_longer_where_batches_are_small) {
    lagging_side waiting;
    const int before = waiting.begin_lag(large - 1);
    EXPECT_EQ(before, microsecond);
    EXPECT_EQ(waiting.round(large - 1, quick), before);
}

TEST(lag, does_not_become_longer_where_the_channel_is_half_full) {
    lagging_side waiting(64);
    const int before = waiting.begin_lag(33);
    EXPECT_EQ(waiting.round(33, quick), before);
    EXPECT_GT(waiting.round(32, quick), before);
}

TEST(lag, turns_where_messages_take_longer) {
    lagging_side waiting;
    waiting.begin_lag(large);
    const int longer = waiting.round(large, quick);
    const int shorter = waiting.round(large, 2 * quick);
    EXPECT_EQ(shorter, longer / 2);
    EXPECT_EQ(waiting.round(large, quick), shorter / 2); // it helped, so further that way
    EXPECT_GT(waiting.round(large, 2 * quick), shorter / 2);
}

// A lag is climbing towards the one that serves best, wherever that is.
TEST(lag, finds_its_length) {
    for (const int best : {microsecond / 2, 2 * microsecond, 6 * microsecond}) {
        lagging_side waiting;
        int lag = waiting.begin_lag(large);
        int sum = 0;
        constexpr int rounds = 1'000;
        for (int i = 0; i < rounds; ++i) {
            const int off = std::max(lag, best) * 100 / std::min(lag, best); // 100 at the best
            lag = waiting.round(large, static_cast<std::uint32_t>(off));
            ASSERT_NE(lag, 0) << "best " << best << ", round " << i;
            sum += lag;
        }
        EXPECT_GT(sum / rounds, best / 2);
        EXPECT_LT(sum / rounds, best * 2);
    }
}

TEST(lag, ends_where_it_becomes_shorter_and_shorter_without_harm) {
    lagging_side waiting;
    waiting.begin_lag(large);
    int lag = waiting.round(large, 2 * quick);
    for (int rounds = 0; lag != 0; ++rounds) {
        ASSERT_LT(rounds, 10);
        lag = waiting.round(large, quick);
    }
}

TEST(lag, is_tried_less_and_less_often_where_it_does_not_help) {
    lagging_side waiting;
    int before = 0;
    for (int i = 0; i < 20; ++i) {
        const int waits = waiting.waits_until_lag(1, quick);
        EXPECT_TRUE(waits >= 2 * before - waits_a_round - 1 || waits >= 4'096) << waits;
        EXPECT_LE(waits, 4'096 + 2 * waits_a_round);
        before = waits;
        EXPECT_EQ(waiting.round(1, quick), 0);
    }
    EXPECT_GE(before, 4'096);
}

TEST(lag, ends_with_a_wait_that_looking_did_not_end) {
    lagging_side waiting;
    waiting.begin_lag(large);
    waiting.stop();
    EXPECT_EQ(waiting.waits_until_lag(1, quick), waits_a_round);
}

TEST(lag, does_not_come_back_sooner_by_a_wait_that_looking_did_not_end) {
    lagging_side waiting;
    waiting.waits_until_lag(1, quick);
    EXPECT_EQ(waiting.round(1, quick), 0);
    waiting.stop();
    EXPECT_GE(waiting.waits_until_lag(1, quick), 2 * waits_a_round);
}

// What is late by a lag is late by a fraction of the time that the stream has lasted.
TEST(lag, is_no_longer_than_a_microsecond_and_an_eighth_of_the_stream) {
    lagging_side waiting;
    int passed = 0;
    for (int i = 0; i < 1'000; ++i) {
        const int now = waiting.wait(large, i < 2 * waits_a_round ? quick * 2 : quick);
        EXPECT_LE(now, microsecond + passed / 8);
        passed += now;
    }
}

// A message of so many half kilobytes counts as so many.
TEST(lag, is_as_many_times_as_long_as_messages_are_large) {
    constexpr std::size_t half_kilobyte = weir::detail::lag::bytes_a_size;
    for (const int size : {1, 2, 8}) {
        lagging_side waiting(unlimited, static_cast<std::size_t>(size) * half_kilobyte);
        const auto slowest = static_cast<std::uint32_t>(size) * 1'000;
        EXPECT_EQ(waiting.waits_until_lag(1, slowest + 8), std::numeric_limits<int>::max());
        EXPECT_LE(waiting.waits_until_lag(1, slowest), 2 * waits_a_round);
        int now = waiting.round(8 / static_cast<std::uint64_t>(size), slowest / 2);
        EXPECT_GT(now, size * microsecond);
        for (int rounds = 0; rounds < 10; ++rounds) {
            now = waiting.round(8, slowest / 2);
        }
        EXPECT_EQ(now, size * longest);
    }
}

TEST(lag, of_messages_that_are_very_large_is_that_of_four_kilobytes) {
    lagging_side waiting(unlimited, std::size_t{1} << 20);
    waiting.waits_until_lag(1, quick);
    int now = 0;
    for (int rounds = 0; rounds < 10; ++rounds) {
        now = waiting.round(8, quick / 2);
    }
    EXPECT_EQ(now, 8 * longest);
}

TEST(lag, never_comes_where_there_is_room_for_few) {
    lagging_side waiting(15);
    EXPECT_EQ(waiting.waits_until_lag(1, quick), std::numeric_limits<int>::max());
    lagging_side other(16);
    EXPECT_EQ(other.waits_until_lag(1, quick), waits_a_round);
}

} // namespace
