// SPDX-License-Identifier: BSL-1.0
//
// Signals that interrupt a thread asleep in a channel: the wait goes on, and ends when it would have ended.
//
// A spurious or stolen wake that makes a timed wait start its time-out anew, or end early.

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/threads.hpp"
#include "support/interrupting.hpp"
#include "support/script.hpp"

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace conformance;
using namespace injection;
using std::uint64_t;

namespace {

constexpr auto timeout = 400ms;

class signals : public flavor_test {
protected:
    // The actor is asleep: interrupts it time and again, and each time it must lie down once more.
    void interrupt(actor& sleeper, const visits& sleeps) {
#if WEIR_PORTABLE_PARKER
        static_cast<void>(sleeps); // the C library lies down again by itself
        for (int i = 0; i < 20; ++i) {
            sleeper.signal(interrupting::number);
            std::this_thread::sleep_for(1ms);
        }
#else
        for (int i = 0; i < 20; ++i) {
            const int before = sleeps.value();
            // It may be between the count and the system call: then the signal comes too early to interrupt it.
            EXPECT_TRUE(eventually([&] {
                sleeper.signal(interrupting::number);
                return sleeps.value() > before || sleeper.has_ended();
            }));
            if (sleeper.has_ended())
                return;
        }
        EXPECT_GE(sleeps.value(), 20);
#endif
    }

    void expect_on_time(const std::function<channel_errc()>& wait) {
        visits sleeps("sleeper", "parker.sleep");
        std::chrono::steady_clock::duration took{};
        actor sleeper("sleeper", [&] {
            const stopwatch watch;
            EXPECT_EQ(wait(), channel_errc::timeout);
            took = watch.elapsed();
        });
        sleeps.wait_for_more_than(0);
        interrupt(sleeper, sleeps);
        sleeper.join();
        EXPECT_GE(took, timeout);
        EXPECT_LT(took, timeout + on_time);
    }
    void expect_to_end_with(channel_errc expected, const std::function<channel_errc()>& wait,
                            const std::function<void()>& end) {
        visits sleeps("sleeper", "parker.sleep");
        actor sleeper("sleeper", [&] { EXPECT_EQ(wait(), expected); });
        sleeps.wait_for_more_than(0);
        interrupt(sleeper, sleeps);
        EXPECT_FALSE(sleeper.has_ended());
        end();
        sleeper.join();
    }

    interrupting handler_;
};
INSTANTIATE_TEST_SUITE_P(flavors, signals, every_flavor(), flavor_name);

TEST_P(signals, a_timed_receive_is_on_time) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    expect_on_time([&rx] { return outcome(rx.recv_timeout(timeout)); });
}

TEST_P(signals, a_receive_goes_on_until_there_is_a_message) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    expect_to_end_with(
        ok, [&rx] { return outcome(rx.recv()); }, [&tx] { EXPECT_TRUE(tx.send(1)); });
}

TEST_P(signals, a_receive_goes_on_until_the_last_sender_goes) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    expect_to_end_with(
        channel_errc::disconnected, [&rx] { return outcome(rx.recv()); }, [&tx] { tx.reset(); });
}

class signals_bounded : public signals {
protected:
    signals_bounded() {
        auto channel = open<uint64_t>(GetParam());
        tx = std::move(channel.tx);
        rx = std::move(channel.rx);
        for (uint64_t i = 0; i < *GetParam().capacity; ++i)
            EXPECT_TRUE(tx.try_send(i));
    }
    any_sender<uint64_t> tx;
    weir::receiver<uint64_t> rx;
};
INSTANTIATE_TEST_SUITE_P(flavors, signals_bounded, bounded_flavors(), flavor_name);

TEST_P(signals_bounded, a_timed_send_is_on_time) {
    expect_on_time([this] { return outcome(tx.send_timeout(77, timeout)); });
    EXPECT_EQ(rx.len(), *GetParam().capacity);
}

TEST_P(signals_bounded, a_send_goes_on_until_there_is_room) {
    expect_to_end_with(
        ok, [this] { return outcome(tx.send(77)); }, [this] { EXPECT_TRUE(rx.recv()); });
}

TEST_P(signals_bounded, a_send_goes_on_until_the_receiver_closes) {
    expect_to_end_with(
        channel_errc::disconnected, [this] { return outcome(tx.send(77)); }, [this] { rx.close(); });
}

#if WEIR_HAS_STOP_TOKEN
TEST_P(signals, a_receive_goes_on_until_it_is_stopped) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::stop_source stop;
    expect_to_end_with(
        channel_errc::stopped, [&] { return outcome(rx.recv(stop.get_token())); },
        [&] { stop.request_stop(); });
}

TEST_P(signals_bounded, a_send_goes_on_until_it_is_stopped) {
    std::stop_source stop;
    expect_to_end_with(
        channel_errc::stopped, [&] { return outcome(tx.send(77, stop.get_token())); }, [&] { stop.request_stop(); });
}
#endif

} // namespace
