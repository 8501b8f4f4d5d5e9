// SPDX-License-Identifier: BSL-1.0
//
// Timers: receivers like any other.

#include <weir/select.hpp>
#include <weir/timer.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "support/flavor.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;

namespace {

using clock = std::chrono::steady_clock;
using timer = weir::receiver<clock::time_point>;
static_assert(std::is_same_v<timer, decltype(weir::after(1s))>);
static_assert(std::is_same_v<timer, decltype(weir::at(clock::time_point()))>);
static_assert(std::is_same_v<timer, decltype(weir::tick(1s))>);

// ---- after and at ----

TEST(timer, after_gives_the_time_it_was_due_once_and_is_then_disconnected) {
    const auto start = clock::now();
    timer rx = weir::after(20ms);
    const auto due = rx.recv().value();
    EXPECT_GE(clock::now(), due);
    EXPECT_GE(due, start + 20ms);
    EXPECT_LT(due, start + 20ms + on_time);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.recv_timeout(1h)), channel_errc::disconnected);
    EXPECT_EQ(outcome(weir::after(1h).try_recv()), channel_errc::empty);
}

TEST(timer, at_gives_its_time_exactly) {
    const auto due = clock::now() + 5ms;
    timer rx = weir::at(due);
    EXPECT_EQ(rx.recv().value(), due);
    const auto past = clock::now() - 1h;
    EXPECT_EQ(weir::at(past).try_recv().value(), past);
    EXPECT_EQ(weir::at(clock::time_point::min()).try_recv().value(), clock::time_point::min());
    EXPECT_EQ(outcome(weir::at(clock::time_point::max()).recv_timeout(1ms)), channel_errc::timeout);
}

TEST(timer, at_takes_a_time_in_any_unit) {
    using hours = std::chrono::time_point<clock, std::chrono::hours>;
    using seconds = std::chrono::time_point<clock, std::chrono::duration<double>>;
    // Before the clock's beginning: a machine may have been up for less than an hour.
    EXPECT_EQ(weir::at(hours(-1h)).recv(), clock::time_point(-1h));
    EXPECT_EQ(weir::at(seconds(1.5s)).recv(), clock::time_point(1500ms));
    EXPECT_EQ(weir::at(seconds(-1.5s)).recv(), clock::time_point(-1500ms));
    EXPECT_EQ(weir::at(clock::now() + std::chrono::duration<double>(3600.0)).try_recv().error(),
              weir::try_recv_error::empty);
    EXPECT_EQ(weir::at(hours::max()).try_recv().error(), weir::try_recv_error::empty);
    EXPECT_TRUE(weir::at(hours::min()).recv());
    const double endless = std::numeric_limits<double>::infinity();
    EXPECT_EQ(weir::at(seconds(std::chrono::duration<double>(endless))).try_recv().error(),
              weir::try_recv_error::empty);
    EXPECT_TRUE(weir::at(seconds(std::chrono::duration<double>(-endless))).recv());
    EXPECT_TRUE(weir::at(seconds(std::chrono::duration<double>(std::nan("")))).recv());
}

TEST(timer, no_time_and_less_are_due_at_once_and_too_much_is_never) {
    EXPECT_TRUE(weir::after(0s).try_recv());
    EXPECT_TRUE(weir::after(-1s).try_recv());
    EXPECT_TRUE(weir::after(std::chrono::nanoseconds::min()).try_recv());
    EXPECT_TRUE(weir::after(std::chrono::duration<double>(std::nan(""))).try_recv());
    EXPECT_EQ(outcome(weir::after(std::chrono::nanoseconds::max()).try_recv()), channel_errc::empty);
    EXPECT_EQ(outcome(weir::after(std::chrono::hours::max()).recv_timeout(1ms)), channel_errc::timeout);
    EXPECT_EQ(outcome(weir::after(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).try_recv()),
              channel_errc::empty);
}

TEST(timer, tells_what_it_is) {
    const timer later = weir::after(1h);
    EXPECT_EQ(later.len(), 0u);
    EXPECT_TRUE(later.is_empty());
    timer rx = weir::after(10ms);
    EXPECT_TRUE(rx);
    EXPECT_EQ(rx.capacity(), 1u);
    EXPECT_EQ(rx.sender_count(), 0u);
    EXPECT_FALSE(rx.is_disconnected());
    EXPECT_TRUE(eventually([&] { return rx.len() == 1; }));
    EXPECT_FALSE(rx.is_disconnected()) << "its message is still there";
    EXPECT_TRUE(rx.recv());
    EXPECT_EQ(rx.len(), 0u);
    EXPECT_TRUE(rx.is_disconnected());
    EXPECT_FALSE(rx.same_channel(weir::sender<clock::time_point>()));
}

TEST(timer, a_receive_waits_no_longer_than_it_says) {
    timer rx = weir::after(1h);
    const stopwatch watch;
    EXPECT_EQ(outcome(rx.recv_timeout(10ms)), channel_errc::timeout);
    EXPECT_EQ(outcome(rx.recv_deadline(std::chrono::system_clock::now() + 5ms)), channel_errc::timeout);
    EXPECT_LT(watch.elapsed(), 15ms + on_time);
    EXPECT_EQ(outcome(rx.recv_timeout(-1s)), channel_errc::timeout);
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    worker waits([&] { EXPECT_EQ(outcome(rx.recv(stop.get_token())), channel_errc::stopped); });
    waits.wait_until_asleep();
    stop.request_stop();
#endif
}

TEST(timer, a_message_that_is_due_wins_over_a_time_that_is_out) {
    EXPECT_TRUE(weir::after(0s).recv_timeout(-1s));
    EXPECT_TRUE(weir::after(2ms).recv_timeout(1h));
}

TEST(timer, iterates) {
    int count = 0;
    for ([[maybe_unused]] const auto time : weir::after(2ms)) {
        ++count;
    }
    EXPECT_EQ(count, 1);
    timer none = weir::after(1h);
    for ([[maybe_unused]] const auto time : none.try_iter()) {
        ADD_FAILURE();
    }
    std::vector<clock::time_point> out;
    timer one = weir::after(1ms);
    EXPECT_EQ(one.recv_many(std::back_inserter(out), 5), 1u);
}

TEST(timer, a_waiting_thread_uses_no_processor_time) {
    timer rx = weir::after(400ms);
    worker waits([&] { EXPECT_TRUE(rx.recv()); });
    waits.wait_until_asleep();
    std::this_thread::sleep_for(200ms);
    EXPECT_LT(waits.processor_time(), 20ms);
}

// ---- tick ----

TEST(timer, ticks_keep_their_phase) {
    constexpr auto period = 5ms;
    const auto start = clock::now();
    timer rx = weir::tick(period);
    const auto first = rx.recv().value();
    EXPECT_GE(first, start + period);
    auto last = first;
    for (int i = 0; i < 10; ++i) {
        const auto next = rx.recv().value();
        EXPECT_GE(clock::now(), next);
        EXPECT_GT(next, last);
        EXPECT_EQ((next - first) % period, clock::duration::zero());
        last = next;
    }
}

TEST(timer, a_slow_reader_gets_the_latest_tick_and_no_backlog) {
    constexpr auto period = 200us;
    timer rx = weir::tick(period);
    const auto first = rx.recv().value();
    while (clock::now() < first + 20 * period) {
    }
    const auto before = clock::now();
    const auto late = rx.try_recv().value();
    EXPECT_LE(late, clock::now());
    EXPECT_GT(late, before - period) << "it is the latest";
    EXPECT_EQ((late - first) % period, clock::duration::zero());
    EXPECT_LE(rx.len(), 1u);
    EXPECT_GE(rx.recv().value(), late + period);
}

TEST(timer, a_tick_ends_when_it_is_closed) {
    timer rx = weir::tick(1ms);
    EXPECT_TRUE(rx.recv());
    rx.close();
    int left = 0;
    while (rx.recv_timeout(1h)) {
        ++left;
    }
    EXPECT_LE(left, 1) << "what was due then";
    timer unused = weir::tick(1h);
    unused.close();
    EXPECT_EQ(outcome(unused.recv()), channel_errc::disconnected);
}

TEST(timer, what_was_due_when_it_was_closed_can_still_be_received) {
    const auto due = clock::now();
    timer once = weir::at(due);
    once.close();
    once.close();
    EXPECT_EQ(once.len(), 1u);
    EXPECT_TRUE(once.is_disconnected());
    EXPECT_EQ(once.recv().value(), due);
    EXPECT_EQ(once.len(), 0u);
    EXPECT_EQ(outcome(once.recv()), channel_errc::disconnected);

    timer ticks = weir::tick(1ms);
    EXPECT_TRUE(eventually([&] { return ticks.len() == 1; }));
    ticks.close();
    const auto closed = clock::now();
    EXPECT_TRUE(eventually([&] { return clock::now() >= closed + 2ms; }));
    EXPECT_LE(ticks.recv().value(), closed) << "the latest tick before the close, not the latest one";
    EXPECT_EQ(outcome(ticks.recv()), channel_errc::disconnected);
}

TEST(timer, a_tick_needs_a_period) {
    EXPECT_THROW((void)weir::tick(0s), std::invalid_argument);
    EXPECT_THROW((void)weir::tick(-1ms), std::invalid_argument);
    EXPECT_THROW((void)weir::tick(std::chrono::duration<double>(std::nan(""))), std::invalid_argument);
    EXPECT_EQ(outcome(weir::tick(std::chrono::hours::max()).recv_timeout(1ms)), channel_errc::timeout);
    EXPECT_TRUE(weir::tick(std::chrono::duration<double, std::pico>(1)).recv())
        << "rounded up to what the clock counts";
}

// ---- never ----

TEST(timer, never_is_never_ready_for_any_message) {
    auto rx = weir::never<std::unique_ptr<int>>();
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_EQ(outcome(rx.recv_timeout(2ms)), channel_errc::timeout);
    EXPECT_FALSE(rx.is_disconnected());
    EXPECT_EQ(rx.sender_count(), 0u);
    EXPECT_EQ(rx.len(), 0u);
    rx.close();
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
}

// ---- In a select ----

TEST(timer, wakes_a_select) {
    auto [tx, rx] = weir::channel<int>();
    timer later = weir::after(1h);
    const stopwatch watch;
    const int got =
        weir::select(weir::on_recv(rx, [](auto) { return 1; }), weir::on_recv(later, [](auto) { return 2; }),
                     weir::on_recv(weir::after(10ms), [](auto) { return 3; }));
    EXPECT_EQ(got, 3);
    EXPECT_GE(watch.elapsed(), 10ms);
    EXPECT_LT(watch.elapsed(), 10ms + on_time);
}

TEST(timer, a_select_serves_ticks_and_messages) {
    auto [tx, rx] = weir::channel<int>();
    timer ticks = weir::tick(2ms);
    worker sends([out = std::move(tx)]() mutable {
        for (int i = 0; i < 100; ++i) {
            EXPECT_TRUE(out.send(i));
            std::this_thread::sleep_for(100us);
        }
        out.reset();
    });
    int ticked = 0;
    int got = 0;
    while (weir::select(weir::on_recv(rx, [&](auto m) { return m && ++got != 0; }),
                        weir::on_recv(ticks, [&](auto m) { return m && ++ticked != 0; }))) {
    }
    EXPECT_EQ(got, 100);
    EXPECT_GE(ticked, 2);
}

TEST(timer, a_time_out_ends_a_select_before_a_later_timer) {
    weir::select(weir::on_recv(weir::after(1h), [](auto) { ADD_FAILURE(); }), weir::on_timeout(5ms, [] {}));
}

} // namespace
