// SPDX-License-Identifier: BSL-1.0
//
// Time-outs, deadlines and stop tokens: the odd ones, who wins, and what waiting costs.

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <ratio>
#include <type_traits>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"
#include "support/waits.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

// A count that is a class: chrono converts a duration of it, and so a channel takes one.
class tally_marks {
public:
    constexpr tally_marks() = default;
    constexpr explicit tally_marks(long long count) : count_(count) {}
    template <class Number>
    requires std::is_arithmetic_v<Number>
    constexpr explicit operator Number() const { return static_cast<Number>(count_); }

private:
    long long count_ = 0;
};

// What a clock names.
template <class Clock, class Duration>
struct clock_names {
    using duration = Duration;
    using rep = typename duration::rep;
    using period = typename duration::period;
    using time_point = std::chrono::time_point<Clock, duration>;
    [[maybe_unused]] static constexpr bool is_steady = true;
};

// A steady clock whose epoch is not the system's, and one that goes at half the speed.
struct shifted_clock : clock_names<shifted_clock, std::chrono::microseconds> {
    static time_point now() {
        return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()) -
                          1h);
    }
};
struct half_speed_clock : clock_names<half_speed_clock, std::chrono::nanoseconds> {
    static time_point now() {
        return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()) /
                          2);
    }
};

// One that notes whether it was asked.
struct noted_clock : clock_names<noted_clock, std::chrono::nanoseconds> {
    static time_point now() {
        was_asked = true;
        return time_point(0s);
    }
    static inline bool was_asked = false;
};

} // namespace

template <class Number>
requires std::is_arithmetic_v<Number>
struct std::common_type<tally_marks, Number> {
    using type = Number;
};
template <class Number>
requires std::is_arithmetic_v<Number>
struct std::common_type<Number, tally_marks> {
    using type = Number;
};

namespace {

template <class Rep, class Period = std::ratio<1>>
constexpr auto lasting(Rep count) {
    return std::chrono::duration<Rep, Period>(count);
}
template <class Clock, class Duration = typename Clock::duration>
constexpr auto at(Duration since_epoch) {
    return std::chrono::time_point<Clock, Duration>(since_epoch);
}

template <class Real>
inline constexpr Real infinity = std::numeric_limits<Real>::infinity();
template <class Real>
inline constexpr Real nan = std::numeric_limits<Real>::quiet_NaN();
template <class Number>
inline constexpr Number largest = std::numeric_limits<Number>::max();
template <class Number>
inline constexpr Number lowest = std::numeric_limits<Number>::lowest();

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// rust-lang/rust very_long_recv_timeout_wont_panic, and the same of every other library that adds a time-out to now().
template <class Visit>
void each_time_out_that_allows_one_try(Visit visit) {
    visit("zero", 0ns);
    visit("minus one nanosecond", -1ns);
    visit("nanoseconds::min", nanoseconds::min());
    visit("hours::min", hours::min());
    visit("zero seconds of double", lasting(0.0));
    visit("minus zero", lasting(-0.0));
    visit("lowest double", lasting(lowest<double>));
    visit("minus infinity", lasting(-infinity<double>));
    visit("minus infinity, float", lasting(-infinity<float>));
    visit("not a number", lasting(nan<double>));
    visit("not a number, long double hours", lasting<long double, std::ratio<3600>>(nan<long double>));
    visit("-100 hours in a char", lasting<signed char, std::ratio<3600>>(-100));
    visit("zero, unsigned", lasting(0u));
    visit("zero of a class", lasting(tally_marks(0)));
    visit("a negative count of a class", lasting(tally_marks(-5)));
}
template <class Visit>
void each_time_out_that_is_too_far(Visit visit) {
    visit("nanoseconds::max", nanoseconds::max());
    visit("seconds::max", seconds::max());
    visit("hours::max", hours::max());
    visit("years in a long", lasting<long long, std::ratio<31556952>>(largest<long long>));
    visit("largest double", lasting(largest<double>));
    visit("largest float of hours", lasting<float, std::ratio<3600>>(largest<float>));
    visit("infinity", lasting(infinity<double>));
    visit("infinity, float milliseconds", lasting<float, std::milli>(infinity<float>));
    visit("infinity, long double", lasting(infinity<long double>));
    visit("300 years of double", lasting(300.0 * 31556952.0));
    visit("100 hours in a char", lasting<signed char, std::ratio<3600>>(100));
    visit("largest unsigned nanoseconds", lasting<uint64_t, std::nano>(largest<uint64_t>));
    visit("largest unsigned seconds", lasting<unsigned>(largest<unsigned>));
    visit("an hour of a class", lasting(tally_marks(3600)));
}
template <class Visit>
void each_deadline_that_has_passed(Visit visit) {
    visit("steady now", steady_clock::now());
    visit("steady min", steady_clock::time_point::min());
    visit("steady epoch", steady_clock::time_point());
    visit("system now", system_clock::now());
    visit("system min", system_clock::time_point::min());
    visit("hours min", at<steady_clock>(hours::min()));
    visit("system seconds min", at<system_clock>(seconds::min()));
    visit("minus infinity", at<steady_clock>(lasting(-infinity<double>)));
    visit("not a number", at<system_clock>(lasting(nan<double>)));
    visit("lowest double", at<system_clock>(lasting(lowest<double>)));
    visit("a clock of our own", shifted_clock::now());
    visit("min of a clock of our own", shifted_clock::time_point::min());
}
template <class Visit>
void each_deadline_that_is_too_far(Visit visit) {
    visit("steady max", steady_clock::time_point::max());
    visit("system max", system_clock::time_point::max());
    visit("hours max", at<steady_clock>(hours::max()));
    visit("system seconds max", at<system_clock>(seconds::max()));
    visit("infinity", at<steady_clock>(lasting(infinity<double>)));
    visit("infinity, system", at<system_clock>(lasting(infinity<double>)));
    visit("largest double", at<system_clock>(lasting(largest<double>)));
    visit("max of a clock of our own", shifted_clock::time_point::max());
    visit("an hour of a clock of our own", shifted_clock::now() + 1h);
}

// A channel in which nothing can be sent without a receive.
struct full {
    explicit full(const flavor& which) : ends(open<uint64_t>(which)) {
        for (std::size_t i = 0; i < *which.capacity; ++i)
            EXPECT_TRUE(ends.tx.send(i));
    }
    conformance::ends<uint64_t> ends;
};

class timing : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, timing, every_flavor(), flavor_name);
class timing_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, timing_bounded, bounded_flavors(), flavor_name);
class timing_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, timing_buffered, buffered_flavors(), flavor_name);

TEST_P(timing, a_receive_with_no_time_left_tries_once) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const stopwatch watch;
    each_time_out_that_allows_one_try([&rx](const char* name, auto time_out) {
        EXPECT_EQ(rx.recv_timeout(time_out).error(), weir::recv_timeout_error::timeout) << name;
    });
    each_deadline_that_has_passed([&rx](const char* name, auto deadline) {
        EXPECT_EQ(rx.recv_deadline(deadline).error(), weir::recv_timeout_error::timeout) << name;
    });
    EXPECT_LT(watch.elapsed(), on_time);
}

TEST_P(timing_bounded, a_send_with_no_time_left_tries_once) {
    full channel(GetParam());
    auto& tx = channel.ends.tx;
    const stopwatch watch;
    each_time_out_that_allows_one_try([&](const char* name, auto time_out) {
        EXPECT_EQ(tx.send_timeout(1u, time_out).error(), weir::send_timeout_error::timeout) << name;
    });
    each_deadline_that_has_passed([&](const char* name, auto deadline) {
        EXPECT_EQ(tx.send_deadline(1u, deadline).error(), weir::send_timeout_error::timeout) << name;
    });
    EXPECT_LT(watch.elapsed(), on_time);
}

TEST_P(timing, a_receive_whose_end_is_too_far_waits_for_the_message) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const auto expect_to_wait = [&tx](const char* name, auto receive) {
        channel_errc came_to{};
        worker receives([&] { came_to = receive(); });
        receives.wait_until_asleep();
        EXPECT_EQ(outcome(tx.send(1u)), ok);
        receives.join();
        EXPECT_EQ(came_to, ok) << name;
    };
    each_time_out_that_is_too_far([&](const char* name, auto time_out) {
        expect_to_wait(name, [&] { return outcome(rx.recv_timeout(time_out)); });
    });
    each_deadline_that_is_too_far([&](const char* name, auto deadline) {
        expect_to_wait(name, [&] { return outcome(rx.recv_deadline(deadline)); });
    });
}

TEST_P(timing_bounded, a_send_whose_end_is_too_far_waits_for_room) {
    full channel(GetParam());
    auto& [tx, rx] = channel.ends;
    const auto expect_to_wait = [&rx](const char* name, auto send) {
        channel_errc came_to{};
        worker sends([&] { came_to = send(); });
        sends.wait_until_asleep();
        EXPECT_EQ(outcome(rx.recv()), ok);
        sends.join();
        EXPECT_EQ(came_to, ok) << name;
    };
    each_time_out_that_is_too_far([&](const char* name, auto time_out) {
        expect_to_wait(name, [&] { return outcome(tx.send_timeout(1u, time_out)); });
    });
    each_deadline_that_is_too_far([&](const char* name, auto deadline) {
        expect_to_wait(name, [&] { return outcome(tx.send_deadline(1u, deadline)); });
    });
}

// A wait of 30 ms lasts 30 ms, and ends soon after.
TEST_P(timing, a_timed_receive_ends_on_time_and_not_before) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const auto expect_on_time = [](const char* name, auto receive) {
        const stopwatch watch;
        EXPECT_EQ(outcome(receive()), channel_errc::timeout) << name;
        EXPECT_GE(watch.elapsed(), 29ms) << name; // the system's clock may be set forward by a little
        EXPECT_LT(watch.elapsed(), 30ms + on_time) << name;
    };
    expect_on_time("duration", [&rx] { return rx.recv_timeout(30ms); });
    expect_on_time("duration of double", [&rx] { return rx.recv_timeout(lasting(0.03)); });
    expect_on_time("duration of a class",
                   [&rx] { return rx.recv_timeout(lasting<tally_marks, std::milli>(tally_marks(30))); });
    expect_on_time("steady", [&rx] { return rx.recv_deadline(steady_clock::now() + 30ms); });
    expect_on_time("system", [&rx] { return rx.recv_deadline(system_clock::now() + 30ms); });
    expect_on_time("own clock", [&rx] { return rx.recv_deadline(shifted_clock::now() + 30ms); });
    expect_on_time("half speed", [&rx] { return rx.recv_deadline(half_speed_clock::now() + 15ms); });
}

TEST_P(timing_bounded, a_timed_send_ends_on_time_and_not_before) {
    full channel(GetParam());
    auto& tx = channel.ends.tx;
    const auto expect_on_time = [](const char* name, auto send) {
        const stopwatch watch;
        EXPECT_EQ(outcome(send()), channel_errc::timeout) << name;
        EXPECT_GE(watch.elapsed(), 29ms) << name;
        EXPECT_LT(watch.elapsed(), 30ms + on_time) << name;
    };
    expect_on_time("duration", [&] { return tx.send_timeout(1u, 30ms); });
    expect_on_time("duration of double", [&] { return tx.send_timeout(1u, lasting(0.03)); });
    expect_on_time("steady", [&] { return tx.send_deadline(1u, steady_clock::now() + 30ms); });
    expect_on_time("system", [&] { return tx.send_deadline(1u, system_clock::now() + 30ms); });
    expect_on_time("half speed", [&] { return tx.send_deadline(1u, half_speed_clock::now() + 15ms); });
}

TEST_P(timing_buffered, a_message_that_is_there_wins_over_time_and_stop) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const auto expect_message = [&tx](const char* name, auto receive) {
        EXPECT_TRUE(tx.send(1u));
        EXPECT_EQ(outcome(receive()), ok) << name;
    };
    each_time_out_that_allows_one_try(
        [&](const char* name, auto time_out) { expect_message(name, [&] { return rx.recv_timeout(time_out); }); });
    each_deadline_that_has_passed(
        [&](const char* name, auto deadline) { expect_message(name, [&] { return rx.recv_deadline(deadline); }); });
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    stop.request_stop();
    expect_message("stop", [&] { return rx.recv(stop.get_token()); });
#endif
}

TEST_P(timing_buffered, room_that_is_there_wins_over_time_and_stop) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const auto expect_sent = [&rx](const char* name, auto send) {
        EXPECT_EQ(outcome(send()), ok) << name;
        EXPECT_EQ(outcome(rx.try_recv()), ok) << name;
    };
    each_time_out_that_allows_one_try(
        [&](const char* name, auto time_out) { expect_sent(name, [&] { return tx.send_timeout(1u, time_out); }); });
    each_deadline_that_has_passed(
        [&](const char* name, auto deadline) { expect_sent(name, [&] { return tx.send_deadline(1u, deadline); }); });
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    stop.request_stop();
    expect_sent("stop", [&] { return tx.send(1u, stop.get_token()); });
#endif
}

TEST_P(timing_buffered, what_need_not_wait_asks_no_clock) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    noted_clock::was_asked = false;
    EXPECT_EQ(outcome(tx.send_deadline(1u, noted_clock::time_point(1h))), ok);
    EXPECT_EQ(outcome(rx.recv_deadline(noted_clock::time_point(1h))), ok);
    EXPECT_FALSE(noted_clock::was_asked);
    EXPECT_EQ(rx.recv_deadline(noted_clock::time_point(0s)).error(), weir::recv_timeout_error::timeout);
    EXPECT_TRUE(noted_clock::was_asked);
}

TEST_P(timing, disconnected_wins_over_time_and_stop) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto [full_tx, full_rx] = open<uint64_t>(GetParam());
    for (std::size_t i = 0; i < GetParam().room(1000); ++i)
        EXPECT_TRUE(full_tx.send(i));
    tx.reset();
    full_rx.close();
    EXPECT_EQ(outcome(rx.recv_timeout(-1s)), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.recv_timeout(lasting(nan<double>))), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.recv_deadline(steady_clock::time_point::min())), channel_errc::disconnected);
    EXPECT_EQ(outcome(full_tx.send_timeout(1u, 0s)), channel_errc::disconnected);
    EXPECT_EQ(outcome(full_tx.send_deadline(1u, system_clock::time_point::min())), channel_errc::disconnected);
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(outcome(rx.recv(stop.get_token())), channel_errc::disconnected);
    EXPECT_EQ(outcome(full_tx.send(1u, stop.get_token())), channel_errc::disconnected);
#endif
}

#if WEIR_HAS_STOP_TOKEN
TEST_P(timing, a_stop_ends_a_waiting_receive) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::stop_source stop;
    worker receives([&] { EXPECT_EQ(rx.recv(stop.get_token()).error(), weir::recv_stop_error::stopped); });
    receives.wait_until_asleep();
    stop.request_stop();
    receives.join();
    EXPECT_EQ(rx.recv(stop.get_token()).error(), weir::recv_stop_error::stopped) << "a stop that came before";
    auto feeder = feed(tx, 1, 1);
    EXPECT_EQ(rx.recv(std::stop_token()).value(), 1u) << "a token that nobody can stop";
}

TEST_P(timing_bounded, a_stop_ends_a_waiting_send) {
    full channel(GetParam());
    auto& [tx, rx] = channel.ends;
    std::stop_source stop;
    worker sends([&] { EXPECT_EQ(tx.send(1u, stop.get_token()).error(), weir::send_stop_error::stopped); });
    sends.wait_until_asleep();
    stop.request_stop();
    sends.join();
    EXPECT_EQ(tx.send(1u, stop.get_token()).error(), weir::send_stop_error::stopped);
    EXPECT_EQ(rx.len(), *GetParam().capacity);
}

// A waker that touches a waiter that is gone: the stop comes after the operations that watched for it have returned.
TEST_P(timing, a_stop_after_the_receive_returned_reaches_nobody) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (std::size_t round = 0; round < scaled(300); ++round) {
        std::stop_source stop;
        auto feeder = feed(tx, round, 1);
        const auto got = rx.recv(stop.get_token());
        ASSERT_TRUE(got);
        EXPECT_EQ(*got, round);
        stop.request_stop();
    }
}

// dotnet/runtime and Kotlin/kotlinx.coroutines: a cancellation that races with the delivery lost the element.
TEST_P(timing, a_stop_that_races_with_the_delivery_loses_nothing) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t rounds = scaled(1000);
    std::vector<uint64_t> sent;
    std::vector<uint64_t> received;
    std::atomic<bool> sends_are_over{false};
    {
        worker sends([&] {
            for (uint64_t i = 0; i < rounds; ++i) {
                std::stop_source stop;
                worker stops([&] { stop.request_stop(); });
                if (tx.send(i, stop.get_token()))
                    sent.push_back(i);
            }
            sends_are_over = true;
            tx.reset();
        });
        for (bool connected = true; connected;) {
            std::stop_source stop;
            worker stops([&] { stop.request_stop(); });
            const auto got = rx.recv(stop.get_token());
            if (got)
                received.push_back(*got);
            connected = outcome(got) != channel_errc::disconnected;
        }
    }
    EXPECT_EQ(received, sent);
}
#endif

// Both sides give up after a moment, and try again: a message whose send succeeded arrives, once, and no other.
// fereidani/kanal: an operation that timed out was completed as well, and its value dropped twice.
// zesterer/flume: a receive that was woken and gave up swallowed the wake.
TEST_P(timing, time_outs_that_race_with_the_delivery_lose_nothing) {
    tally all;
    std::vector<uint64_t> sent;
    std::vector<uint64_t> received;
    {
        auto [tx, rx] = open<counted>(GetParam());
        constexpr uint64_t rounds = scaled(6000);
        worker sends([&] {
            for (uint64_t i = 0; i < rounds; ++i) {
                counted message(all, i);
                const bool delivered = bool(tx.send_timeout(std::move(message), std::chrono::microseconds(i % 60)));
                EXPECT_EQ(message.holds(), !delivered);
                if (delivered)
                    sent.push_back(i);
            }
            tx.reset();
        });
        for (uint64_t i = 0;; ++i) {
            const auto got = rx.recv_timeout(std::chrono::microseconds(i * 7 % 50));
            if (got) {
                EXPECT_TRUE(got->holds());
                received.push_back(got->value());
            } else if (got.error() == weir::recv_timeout_error::disconnected) {
                break;
            }
        }
    }
    EXPECT_EQ(received, sent);
    EXPECT_EQ(all.made, all.gone);
}

// zesterer/flume: the wake for a waiter that then gives up has to go to the next one.
TEST_P(timing_bounded, room_given_to_a_sender_that_gives_up_goes_to_the_next) {
    for (std::size_t round = 0; round < scaled(100); ++round) {
        full channel(GetParam());
        auto& [tx, rx] = channel.ends;
        const auto end = steady_clock::now() + 400us;
        bool first_delivered = false;
        worker gives_up([&] { first_delivered = bool(tx.send_deadline(1u, end)); });
        worker waits([&] { EXPECT_TRUE(tx.send(2u)); });
        std::this_thread::sleep_until(end + std::chrono::microseconds(round % 50) - 50us);
        EXPECT_TRUE(rx.recv());
        gives_up.join();
        if (first_delivered) {
            EXPECT_TRUE(rx.recv());
        }
        if (!eventually([&] { return waits.has_ended(); })) {
            ADD_FAILURE() << "the room was lost";
            rx.reset();
        }
    }
}

// A wake that brings nothing must not start the time anew: a signal every 2 ms, for as long as the wait goes on.
TEST_P(timing, interruptions_do_not_prolong_a_wait) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    auto [tx, rx] = open<uint64_t>(GetParam());
    const auto expect_on_time = [](auto wait) {
        const stopwatch watch;
        worker waits([&] { EXPECT_EQ(wait(), channel_errc::timeout); });
        while (!waits.has_ended() && watch.elapsed() < patience) {
            waits.signal(SIGUSR1);
            std::this_thread::sleep_for(2ms);
        }
        EXPECT_GE(watch.elapsed(), 59ms);
        EXPECT_LT(watch.elapsed(), 60ms + on_time);
    };
    expect_on_time([&rx] { return outcome(rx.recv_timeout(60ms)); });
    expect_on_time([&rx] { return outcome(rx.recv_deadline(system_clock::now() + 60ms)); });
    if (GetParam().capacity) {
        for (std::size_t i = 0; i < *GetParam().capacity; ++i)
            EXPECT_TRUE(tx.send(i));
        expect_on_time([&tx] { return outcome(tx.send_timeout(1u, 60ms)); });
    }
    EXPECT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

// Room that others take first must not do so either.
TEST_P(timing_bounded, others_traffic_does_not_prolong_a_wait) {
    full channel(GetParam());
    auto& [tx, rx] = channel.ends;
    std::atomic<bool> over{false};
    worker others([&] {
        while (!over) {
            if (auto got = rx.try_recv())
                static_cast<void>(tx.try_send(*got));
            std::this_thread::sleep_for(100us);
        }
    });
    const stopwatch watch;
    for (int i = 0; i < 5; ++i)
        static_cast<void>(tx.send_timeout(1u, 20ms));
    EXPECT_LT(watch.elapsed(), 100ms + on_time);
    over = true;
}

// Every wait at once, once it has slept, leaves the processor alone.
TEST_P(timing, a_waiting_thread_uses_no_processor_time) {
    std::vector<ends<uint64_t>> empty;
    empty.reserve(std::size(waiting_receives));
    auto [tx, rx] = open<text>(GetParam());
    std::vector<std::unique_ptr<worker>> threads;
    for (const auto& receive : waiting_receives) {
        empty.push_back(open<uint64_t>(GetParam()));
        threads.push_back(std::make_unique<worker>(
            [&channel = empty.back(), &receive] { EXPECT_EQ(receive.run(channel.rx), channel_errc::disconnected); }));
    }
    if (GetParam().capacity) {
        for (std::size_t i = 0; i < *GetParam().capacity; ++i)
            EXPECT_TRUE(tx.send(text()));
        for (const auto& send : waiting_sends) {
            threads.push_back(std::make_unique<worker>([&tx, &send] {
                text value;
                EXPECT_EQ(send.run(tx, value), channel_errc::disconnected);
            }));
        }
    }
    std::vector<nanoseconds> used;
    for (auto& thread : threads) {
        thread->wait_until_asleep();
        used.push_back(thread->processor_time());
    }
    std::this_thread::sleep_for(300ms);
    for (std::size_t i = 0; i < threads.size(); ++i)
        EXPECT_LT(threads[i]->processor_time() - used[i], 20ms) << i;
    for (auto& channel : empty)
        channel.tx.reset();
    rx.reset();
}

} // namespace
