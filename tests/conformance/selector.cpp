// SPDX-License-Identifier: BSL-1.0
//
// The selector: any of a set of ends that is known at run time.

#include <weir/select.hpp>
#include <weir/timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "support/flavor.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class selector_each : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, selector_each, every_flavor(), flavor_name);
class selector_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, selector_buffered, buffered_flavors(), flavor_name);
class selector_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, selector_bounded, bounded_flavors(), flavor_name);

TEST(selector, without_ends_it_is_never_ready) {
    weir::selector any;
    EXPECT_EQ(any.size(), 0u);
    EXPECT_EQ(any.try_ready(), std::nullopt);
    EXPECT_EQ(any.ready_timeout(2ms), std::nullopt);
    EXPECT_EQ(any.ready_deadline(std::chrono::system_clock::now() + 2ms), std::nullopt);
    any.remove(0);
    any.remove(7);
}

TEST_P(selector_buffered, says_which_end_is_ready_until_it_is_not) {
    auto [one_tx, one_rx] = open<uint64_t>(GetParam());
    auto [two_tx, two_rx] = open<uint64_t>(GetParam());
    weir::selector any;
    const std::size_t one = any.add(one_rx);
    const std::size_t two = any.add(two_rx);
    EXPECT_NE(one, two);
    EXPECT_EQ(any.size(), 2u);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(any.try_ready(), std::nullopt);
        EXPECT_TRUE(two_tx.send(1u));
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(any.ready(), two);
            EXPECT_EQ(any.try_ready(), two);
        }
        EXPECT_TRUE(two_rx.try_recv()) << "the answer holds";
        EXPECT_EQ(any.ready_timeout(1ms), std::nullopt);
    }
    EXPECT_TRUE(one_tx.send(1u));
    EXPECT_EQ(any.ready(), one);
}

TEST_P(selector_each, a_wait_ends_with_a_message) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto other = open<uint64_t>(GetParam());
    weir::selector any;
    (void)any.add(other.rx);
    const std::size_t number = any.add(rx);
    std::size_t got = 99;
    worker waits([&] { got = any.ready(); });
    waits.wait_until_asleep();
    worker sends([&, &out = tx] { EXPECT_TRUE(out.send(3u)); });
    waits.join();
    EXPECT_EQ(got, number);
    EXPECT_EQ(rx.try_recv().value(), 3u);
}

TEST_P(selector_each, a_disconnected_receiver_is_ready) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    weir::selector any;
    const std::size_t number = any.add(rx);
    std::size_t got = 99;
    worker waits([&] { got = any.ready(); });
    waits.wait_until_asleep();
    tx.reset();
    waits.join();
    EXPECT_EQ(got, number);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    EXPECT_EQ(any.try_ready(), number) << "for ever";
}

TEST_P(selector_each, a_receiver_that_is_closed_or_goes_while_enrolled_is_ready) {
    for (const bool closes : {false, true}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        weir::selector any;
        const std::size_t number = any.add(rx);
        EXPECT_EQ(any.try_ready(), std::nullopt);
        closes ? rx.close() : rx.reset();
        EXPECT_EQ(any.ready(), number);
    }
}

TEST_P(selector_bounded, a_sender_is_ready_when_there_is_room) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i) {
        EXPECT_TRUE(tx.send(i));
    }
    weir::selector any;
    const std::size_t number = tx.visit([&](const auto& out) { return any.add(out); });
    EXPECT_EQ(any.try_ready(), std::nullopt);
    std::size_t got = 99;
    worker waits([&] { got = any.ready(); });
    waits.wait_until_asleep();
    worker receives([&, &in = rx] {
        EXPECT_TRUE(in.recv());
        if (GetParam().is_rendezvous()) {
            return;
        }
    });
    waits.join();
    EXPECT_EQ(got, number);
    EXPECT_TRUE(tx.try_send(9u));
    EXPECT_EQ(any.ready_timeout(1ms), std::nullopt);
}

TEST_P(selector_bounded, a_close_is_told_to_it_though_another_sender_waits) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i) {
        EXPECT_TRUE(tx.send(i));
    }
    worker sends([&out = tx] { EXPECT_FALSE(out.send(9u)); });
    sends.wait_until_asleep();
    weir::selector any;
    const std::size_t number = tx.visit([&](const auto& out) { return any.add(out); });
    EXPECT_EQ(any.try_ready(), std::nullopt);
    const stopwatch watch;
    rx.close();
    EXPECT_EQ(any.ready_timeout(patience), number);
    EXPECT_LT(watch.elapsed(), patience);
}

TEST_P(selector_bounded, a_sender_without_a_receiver_is_ready) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i) {
        EXPECT_TRUE(tx.send(i));
    }
    weir::selector any;
    const std::size_t number = tx.visit([&](const auto& out) { return any.add(out); });
    worker waits([&] { EXPECT_EQ(any.ready(), number); });
    waits.wait_until_asleep();
    rx.reset();
}

TEST(selector, a_sender_that_watches_takes_no_room_from_one_that_waits) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(1);
    EXPECT_TRUE(tx.send(0u));
    weir::selector any;
    (void)any.add(tx);
    EXPECT_EQ(any.try_ready(), std::nullopt);
    worker sends([&, &out = tx] { EXPECT_TRUE(out.send(1u)); });
    sends.wait_until_asleep();
    EXPECT_TRUE(rx.recv());
    sends.join();
    EXPECT_EQ(any.try_ready(), std::nullopt);
    EXPECT_TRUE(rx.recv());
    EXPECT_EQ(any.ready(), 0u);
}

TEST(selector, an_unbounded_sender_and_empty_handles_are_always_ready) {
    auto [tx, rx] = weir::channel<uint64_t>();
    const weir::receiver<uint64_t> no_rx;
    const weir::sync_sender<uint64_t> no_tx;
    for (int which = 0; which < 3; ++which) {
        weir::selector any;
        const std::size_t number = which == 0 ? any.add(tx) : which == 1 ? any.add(no_rx) : any.add(no_tx);
        EXPECT_EQ(any.ready(), number);
        EXPECT_EQ(any.try_ready(), number);
    }
}

TEST(selector, a_rendezvous_is_ready_for_a_waiting_select_and_two_selectors_do_not_meet) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    weir::selector in;
    weir::selector out;
    (void)in.add(rx);
    (void)out.add(tx);
    EXPECT_EQ(in.try_ready(), std::nullopt);
    EXPECT_EQ(out.try_ready(), std::nullopt);
    EXPECT_EQ(in.ready_timeout(1ms), std::nullopt);
    {
        worker receives([&, &from = rx] { weir::select(weir::on_recv(from, [](auto m) { EXPECT_TRUE(m); })); });
        EXPECT_EQ(out.ready(), 0u);
        EXPECT_TRUE(eventually([&, &to = tx] { return to.try_send(1u).has_value(); }));
    }
    worker sends([&, &to = tx] { weir::select(weir::on_send(to, 2u, [](auto r) { EXPECT_TRUE(r); })); });
    EXPECT_EQ(in.ready(), 0u);
    EXPECT_TRUE(rx.try_recv());
}

TEST_P(selector_each, what_was_removed_is_no_more_ready_and_its_number_is_given_again) {
    weir::selector any;
    auto kept = open<uint64_t>(GetParam());
    auto gone = open<uint64_t>(GetParam());
    const std::size_t stays = any.add(kept.rx);
    const std::size_t goes = any.add(gone.rx);
    EXPECT_EQ(any.try_ready(), std::nullopt);
    any.remove(goes);
    any.remove(goes);
    EXPECT_EQ(any.size(), 1u);
    gone.tx.reset();
    EXPECT_EQ(any.try_ready(), std::nullopt);
    kept.tx.reset();
    EXPECT_EQ(any.ready(), stays);
    EXPECT_EQ(any.add(gone.rx), goes);
    any.remove(stays);
    EXPECT_EQ(any.ready(), goes);
}

TEST(selector, handles_may_move) {
    auto made = weir::channel<uint64_t>();
    weir::selector any;
    const std::size_t number = any.add(made.rx);
    auto rx = std::move(made.rx);
    EXPECT_EQ(any.try_ready(), std::nullopt);
    EXPECT_TRUE(made.tx.send(1u));
    EXPECT_EQ(any.ready(), number);
    EXPECT_TRUE(rx.try_recv());
}

TEST(selector, the_same_channel_may_stand_in_it_twice_and_with_both_ends) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(1);
    weir::selector any;
    const std::size_t one = any.add(rx);
    const std::size_t two = any.add(rx);
    const std::size_t out = any.add(tx);
    EXPECT_EQ(any.ready(), out);
    EXPECT_TRUE(tx.send(1u));
    std::set<std::size_t> seen;
    for (int i = 0; i < 100; ++i) {
        seen.insert(any.ready());
    }
    EXPECT_EQ(seen, (std::set<std::size_t>{one, two}));
}

TEST(selector, all_that_are_ready_are_chosen_alike) {
    constexpr std::size_t rounds = 30'000;
    constexpr std::size_t ready = 5;
    std::vector<weir::receiver<uint64_t>> receivers;
    std::vector<weir::sender<uint64_t>> senders;
    weir::selector any;
    for (std::size_t i = 0; i < 40; ++i) {
        auto made = weir::channel<uint64_t>();
        (void)any.add(made.rx);
        receivers.push_back(std::move(made.rx));
        senders.push_back(std::move(made.tx));
    }
    EXPECT_EQ(any.try_ready(), std::nullopt);
    for (std::size_t i = 0; i < ready; ++i) {
        EXPECT_TRUE(senders[i * 7].send(i));
    }
    std::map<std::size_t, std::size_t> counts;
    for (std::size_t i = 0; i < rounds; ++i) {
        const std::size_t got = any.ready();
        ++counts[got];
        if (i % 3 == 0) { // one that was read and filled again is as likely as before
            EXPECT_TRUE(receivers[got].try_recv());
            EXPECT_TRUE(senders[got].send(i));
        }
    }
    EXPECT_EQ(counts.size(), ready);
    double sum = 0;
    for (const auto& [number, count] : counts) {
        const double off = static_cast<double>(count) - static_cast<double>(rounds) / ready;
        sum += off * off / (static_cast<double>(rounds) / ready);
    }
    EXPECT_LT(sum, 47.9); // one run in 10^9
}

TEST(selector, timers_are_ready_when_they_are_due) {
    auto late = weir::after(1h);
    auto never = weir::never<int>();
    auto [tx, rx] = weir::channel<int>();
    weir::selector any;
    (void)any.add(late);
    (void)any.add(never);
    (void)any.add(rx);
    for (const auto delay : {20ms, 5ms}) {
        auto timer = weir::after(delay);
        const std::size_t number = any.add(timer);
        EXPECT_EQ(any.ready(), number);
        EXPECT_TRUE(timer.try_recv());
        EXPECT_EQ(any.ready(), number) << "disconnected";
        any.remove(number);
    }
    auto ticks = weir::tick(10ms);
    const std::size_t number = any.add(ticks);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(any.ready(), number);
        EXPECT_TRUE(ticks.try_recv());
    }
    any.remove(number);
    EXPECT_EQ(any.ready_timeout(1ms), std::nullopt);
}

TEST(selector, of_two_timers_the_one_due_first_is_ready_first) {
    for (const bool is_added_first : {true, false}) {
        auto late = weir::after(1h);
        auto soon = weir::after(5ms);
        weir::selector any;
        if (!is_added_first)
            (void)any.add(late);
        const std::size_t number = any.add(soon);
        if (is_added_first)
            (void)any.add(late);
        EXPECT_EQ(any.ready(), number);
    }
}

TEST(selector, a_timer_that_is_closed_or_goes_while_it_waits_is_ready) {
    for (const bool closes : {true, false}) {
        auto late = weir::tick(1h);
        auto later = weir::after(2h);
        weir::selector any;
        const std::size_t ended = any.add(late);
        const std::size_t other = any.add(later);
        EXPECT_EQ(any.try_ready(), std::nullopt);
        closes ? late.close() : late.reset();
        EXPECT_EQ(any.ready(), ended);
        EXPECT_EQ(late.try_recv().error(), weir::try_recv_error::disconnected);
        EXPECT_EQ(any.ready(), ended);
        any.remove(ended);
        EXPECT_EQ(any.try_ready(), std::nullopt);
        closes ? later.reset() : later.close();
        any.remove(other);
        EXPECT_EQ(any.ready_timeout(1ms), std::nullopt);
    }
}

TEST(selector, a_waiting_thread_uses_no_processor_time_while_others_use_what_it_watches) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(1);
    auto [quiet_tx, quiet_rx] = weir::channel<uint64_t>();
    EXPECT_TRUE(tx.send(1u));
    weir::selector any;
    (void)any.add(quiet_rx);
    worker waits([&] { EXPECT_EQ(any.ready(), 0u); });
    waits.wait_until_asleep();
    std::this_thread::sleep_for(200ms);
    EXPECT_LT(waits.processor_time(), 20ms);
    EXPECT_TRUE(quiet_tx.send(1u));
}

// ---- Stress ----

TEST(selector, every_message_to_many_channels_arrives_once_and_in_order) {
    constexpr std::size_t channels = 60;
    constexpr std::size_t threads = 3;
    const uint64_t each = scaled(300);
    const flavor kinds[] = {flavor{}, flavor{1}, flavor{0}, flavor{3}};
    std::vector<ends<uint64_t>> all;
    for (std::size_t i = 0; i < channels; ++i) {
        all.push_back(open<uint64_t>(kinds[i % std::size(kinds)]));
    }
    weir::selector any;
    std::map<std::size_t, std::size_t> channel_of;
    for (std::size_t i = 0; i < channels; ++i) {
        channel_of[any.add(all[i].rx)] = i;
    }
    std::vector<std::unique_ptr<worker>> senders;
    for (std::size_t thread = 0; thread < threads; ++thread) {
        std::vector<any_sender<uint64_t>> mine;
        for (std::size_t i = thread; i < channels; i += threads) {
            mine.push_back(std::exchange(all[i].tx, {}));
        }
        senders.push_back(std::make_unique<worker>([out = std::move(mine), thread]() mutable {
            std::minstd_rand random(static_cast<unsigned>(thread + 1));
            std::vector<uint64_t> sent(out.size(), 0);
            while (!out.empty()) {
                const std::size_t which = random() % out.size();
                EXPECT_TRUE(out[which].send(sent[which]));
                if (++sent[which] == each) {
                    out.erase(out.begin() + static_cast<std::ptrdiff_t>(which));
                    sent.erase(sent.begin() + static_cast<std::ptrdiff_t>(which));
                }
            }
        }));
    }
    std::vector<uint64_t> next(channels, 0);
    while (any.size() != 0) {
        const auto number = any.ready_timeout(patience);
        ASSERT_TRUE(number) << "a wake was lost";
        const std::size_t which = channel_of.at(*number);
        const auto message = all[which].rx.try_recv();
        if (message) {
            EXPECT_EQ(*message, next[which]++);
        } else if (outcome(message) == channel_errc::disconnected) {
            any.remove(*number);
        } else {
            EXPECT_EQ(all[which].rx.capacity(), std::size_t{0}) << "the answer holds but on a rendezvous";
        }
    }
    EXPECT_EQ(next, std::vector<uint64_t>(channels, each));
}

// Selectors that come and go while their channels are in use.
TEST(selector, may_go_while_others_tell_it) {
    const std::size_t rounds = scaled(2'000);
    auto one = weir::channel<uint64_t>();
    auto two = weir::sync_channel<uint64_t>(1);
    std::atomic<bool> over{false};
    worker sends([&] {
        for (uint64_t i = 0; !over; ++i) {
            EXPECT_TRUE(one.tx.send(i));
            (void)two.tx.try_send(i);
        }
    });
    worker receives([&] {
        while (!over) {
            (void)two.rx.try_recv();
        }
    });
    std::minstd_rand random(3);
    for (std::size_t round = 0; round < rounds; ++round) {
        weir::selector any;
        const std::size_t in = any.add(one.rx);
        const std::size_t out = any.add(two.tx);
        for (int i = 0; i < 4; ++i) {
            if (any.ready() == in) {
                while (one.rx.try_recv()) {
                }
            }
            (void)any.try_ready();
        }
        if (random() % 2 == 0) {
            any.remove(out);
        }
    }
    over = true;
}

} // namespace
