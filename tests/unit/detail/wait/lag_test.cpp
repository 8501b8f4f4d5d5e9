// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/lag.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr int rate = 100; // pauses a microsecond
constexpr int most = 8 * rate;
constexpr std::uint64_t large = 16;

// A side that waits, and how far it has got.
class lagging_side {
public:
    explicit lagging_side(std::uint64_t most_batch = unlimited, std::size_t message_bytes = 8)
        : lag_(most_batch, message_bytes) {}

    // Pauses that a wait may last at most to have ended at once.
    int longest_quick() const {
        int pauses = 0;
        while (lag_.is_quick(pauses + 1, rate)) {
            ++pauses;
        }
        return pauses;
    }

    // A wait that ended at once, after a batch of so many; how many pauses follow.
    int quick(std::uint64_t batch) { return lag_.next(true, progress_ += batch, rate); }
    int slow(std::uint64_t batch) { return lag_.next(false, progress_ += batch, rate); }

    // Waits that end at once, until one is followed by a lag; how many there were.
    int quick_until_held_back() {
        int waits = 1;
        while (quick(1) == 0 && waits < 1'000) {
            ++waits;
        }
        return waits;
    }

    // Until the lag is as long as it becomes.
    void run_after_a_stream() {
        for (int before = -1, now = 0; now != before || now == 0;) {
            before = now;
            now = quick(large);
        }
    }

private:
    weir::detail::lag lag_;
    std::uint64_t progress_ = 0;
};

TEST(lag, comes_after_several_waits_that_ended_at_once) {
    lagging_side waiting;
    EXPECT_EQ(waiting.quick_until_held_back(), 4);
}

TEST(lag, is_never_longer_than_half_of_the_stream_and_a_quarter_of_a_microsecond) {
    lagging_side waiting;
    int passed = 0;
    int longest = 0;
    for (int i = 0; i < 100; ++i) {
        const int now = waiting.quick(large);
        EXPECT_LE(now, passed / 2 + rate / 4 + i); // each rounds up
        longest = std::max(longest, now);
        passed += now;
    }
    EXPECT_GE(longest, most);
    EXPECT_LE(longest, most + most / 2 + 1);
}

TEST(lag, holds_nothing_back_after_a_silence_and_begins_anew) {
    lagging_side waiting;
    waiting.run_after_a_stream();
    EXPECT_EQ(waiting.slow(1'000), 0);
    EXPECT_EQ(waiting.quick_until_held_back(), 4);
}

TEST(lag, is_given_up_for_long_where_it_is_followed_by_one_or_two) {
    for (const std::uint64_t batch : {std::uint64_t{1}, std::uint64_t{2}}) {
        lagging_side waiting;
        waiting.run_after_a_stream();
        EXPECT_EQ(waiting.quick(batch), 0);
        EXPECT_EQ(waiting.quick_until_held_back(), 64);
        EXPECT_EQ(waiting.quick(batch), 0);
        EXPECT_EQ(waiting.slow(batch), 0); // which does not bring it back sooner
        EXPECT_EQ(waiting.quick_until_held_back(), 64);
    }
}

TEST(lag, stays_as_it_is_between) {
    lagging_side waiting;
    waiting.quick_until_held_back();
    const int now = waiting.quick(large);
    EXPECT_GT(now, 0);
    EXPECT_EQ(waiting.quick(large - 1), now);
    EXPECT_EQ(waiting.quick(3), now);
}

TEST(lag, does_not_last_until_the_channel_is_full) {
    lagging_side waiting(64);
    waiting.quick_until_held_back();
    const int now = waiting.quick(large);
    EXPECT_EQ(waiting.quick(33), now / 2);
}

TEST(lag, takes_longer_waits_for_over_at_once_where_messages_are_large) {
    EXPECT_EQ(lagging_side(unlimited, 8).longest_quick(), rate / 8);
    EXPECT_EQ(lagging_side(unlimited, 127).longest_quick(), rate / 8);
    EXPECT_EQ(lagging_side(unlimited, 256).longest_quick(), 3 * rate / 8);
    EXPECT_EQ(lagging_side(unlimited, 512).longest_quick(), 5 * rate / 8);
    EXPECT_EQ(lagging_side(unlimited, 1'000'000).longest_quick(), 5 * rate / 8);
}

TEST(lag, begins_longer_where_messages_are_large) {
    const auto first = [](std::size_t message_bytes) {
        lagging_side waiting(unlimited, message_bytes);
        int lag = 0;
        while (lag == 0) {
            lag = waiting.quick(1);
        }
        return lag;
    };
    EXPECT_EQ(first(8), rate / 4);
    EXPECT_EQ(first(256), 3 * rate / 4);
    EXPECT_EQ(first(512), 5 * rate / 4);
    EXPECT_EQ(first(1'000'000), 5 * rate / 4);
}

TEST(lag, never_comes_where_there_is_room_for_few) {
    lagging_side waiting(31);
    EXPECT_EQ(waiting.quick_until_held_back(), 1'000);
}

} // namespace
