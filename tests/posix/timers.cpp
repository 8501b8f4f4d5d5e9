// SPDX-License-Identifier: BSL-1.0
//
// A timer channel's descriptor is readable by the clock.

#include <chrono>
#include <optional>
#include <utility>

#include "support/descriptors.hpp"

#include <weir/timer.hpp>

using namespace std::chrono_literals;
using namespace conformance;
using namespace posix;
using clock_type = std::chrono::steady_clock;

namespace {

TEST(timer_descriptor, is_readable_when_the_message_is_due_and_not_before) {
    const auto due = clock_type::now() + 30ms;
    auto rx = weir::at(due);
    event_fd fd(rx);
    EXPECT_TRUE(becomes_readable(fd));
    EXPECT_GE(clock_type::now(), due);
    EXPECT_EQ(rx.try_recv().value(), due);
}

TEST(timer_descriptor, of_one_that_has_passed_is_readable_at_once) {
    auto rx = weir::after(0s);
    const event_fd fd(rx);
    EXPECT_TRUE(is_readable(fd));
}

TEST(timer_descriptor, a_clear_before_the_message_is_received_signals_again_at_once) {
    auto rx = weir::after(0s);
    event_fd fd(rx);
    for (int i = 0; i < 3; ++i) {
        fd.clear();
        EXPECT_TRUE(becomes_readable(fd));
    }
}

TEST(timer_descriptor, a_clear_before_it_is_due_changes_nothing) {
    auto rx = weir::after(20ms);
    event_fd fd(rx);
    fd.clear();
    EXPECT_TRUE(becomes_readable(fd));
    EXPECT_TRUE(rx.try_recv());
}

TEST(timer_descriptor, of_one_that_is_over_is_readable_for_ever) {
    auto rx = weir::after(0s);
    event_fd fd(rx);
    EXPECT_TRUE(rx.recv());
    for (int i = 0; i < 3; ++i) {
        fd.clear();
        EXPECT_TRUE(becomes_readable(fd));
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    }
}

TEST(timer_descriptor, of_one_that_becomes_over_while_it_watches_is_readable) {
    auto rx = weir::after(20ms);
    event_fd fd(rx);
    EXPECT_TRUE(rx.recv());
    EXPECT_TRUE(becomes_readable(fd));
    fd.clear();
    EXPECT_TRUE(becomes_readable(fd));
}

TEST(timer_descriptor, of_a_tick_is_readable_each_period) {
    auto rx = weir::tick(5ms);
    event_fd fd(rx);
    std::optional<clock_type::time_point> last;
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(becomes_readable(fd));
        const auto time = rx.try_recv();
        ASSERT_TRUE(time) << i;
        if (last) {
            EXPECT_GE(*time - *last, 5ms);
        }
        last = *time;
        fd.clear();
    }
}

TEST(timer_descriptor, of_one_that_never_comes_is_readable_only_when_it_ends) {
    for (const bool goes : {false, true}) {
        auto rx = weir::at(clock_type::time_point::max());
        auto other = weir::never<int>();
        event_fd fd(rx);
        event_fd other_fd(other);
        for (event_fd* each : {&fd, &other_fd}) {
            EXPECT_FALSE(is_readable(*each));
            each->clear();
            EXPECT_FALSE(is_readable(*each));
        }
        goes ? rx.reset() : rx.close();
        goes ? other.reset() : other.close();
        for (event_fd* each : {&fd, &other_fd}) {
            for (int i = 0; i < 3; ++i) {
                EXPECT_TRUE(becomes_readable(*each));
                each->clear();
            }
        }
    }
}

TEST(timer_descriptor, of_one_far_away_is_not_readable) {
    for (const auto time : {clock_type::time_point::max() - 1ns, clock_type::now() + 24h * 365 * 200}) {
        auto rx = weir::at(time);
        const event_fd fd(rx);
        EXPECT_FALSE(is_readable(fd, 2ms));
    }
}

TEST(timer_descriptor, every_one_is_told) {
    auto rx = weir::after(20ms);
    event_fd fds[] = {event_fd(rx), event_fd(rx), event_fd(rx)};
    const event_fd moved(std::move(fds[0]));
    for (const event_fd* fd : {&moved, &std::as_const(fds[1]), &std::as_const(fds[2])})
        EXPECT_TRUE(becomes_readable(*fd));
    auto later = weir::after(1h);
    auto closing = event_fd(later);
    fds[1] = event_fd(later);
    later.close();
    EXPECT_TRUE(is_readable(closing));
    EXPECT_TRUE(is_readable(fds[1]));
}

TEST(timer_descriptor, wakes_a_level_and_an_edge_triggered_epoll) {
    for (const bool edge : {false, true}) {
        auto rx = weir::tick(3ms);
        event_fd fd(rx);
        epoll set;
        set.add(fd, edge);
        for (int i = 0; i < 5; ++i) {
            ASSERT_TRUE(set.wait(patience)) << i;
            if (i % 2 == 0) {
                fd.clear();
                EXPECT_TRUE(rx.try_recv());
                fd.clear();
            } else {
                EXPECT_TRUE(rx.try_recv());
                fd.clear();
            }
        }
    }
}

} // namespace
