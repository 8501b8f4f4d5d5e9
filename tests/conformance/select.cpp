// SPDX-License-Identifier: BSL-1.0
//
// Select: exactly one of several arms takes effect. The properties are those of crossbeam-channel's and of Go's select tests.

#include <weir/select.hpp>
#include <weir/timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
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

using recv_result = std::expected<uint64_t, weir::recv_error>;
using send_result = std::expected<void, weir::send_error>;

constexpr auto nothing = [](auto&&...) {};
constexpr auto unexpected_arm = [](auto&&...) { ADD_FAILURE() << "the wrong arm was chosen"; };

class select_each : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, select_each, every_flavor(), flavor_name);
class select_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, select_bounded, bounded_flavors(), flavor_name);
class select_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, select_buffered, buffered_flavors(), flavor_name);

inline auto few_flavors() { return testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{3}); }
template <class Tuple>
std::string flavor_names(const testing::TestParamInfo<Tuple>& info) {
    return std::apply(
        [](const flavor& first, const auto&... rest) { return (first.name() + ... + ("_" + rest.name())); },
        info.param);
}

using pair_of_flavors = std::tuple<flavor, flavor>;
class select_pair : public testing::TestWithParam<pair_of_flavors> {};
INSTANTIATE_TEST_SUITE_P(flavors, select_pair, testing::Combine(few_flavors(), few_flavors()),
                         flavor_names<pair_of_flavors>);
using triple_of_flavors = std::tuple<flavor, flavor, flavor>;
class select_triple : public testing::TestWithParam<triple_of_flavors> {};
INSTANTIATE_TEST_SUITE_P(flavors, select_triple, testing::Combine(few_flavors(), few_flavors(), few_flavors()),
                         flavor_names<triple_of_flavors>);

// ---- One arm ----

TEST_P(select_buffered, a_message_that_is_there_is_received) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    EXPECT_TRUE(tx.send(7u));
    weir::select(weir::on_recv(rx, [](recv_result m) { EXPECT_EQ(m.value(), 7u); }), weir::on_idle(unexpected_arm));
    EXPECT_TRUE(rx.is_empty());
}

TEST_P(select_each, nothing_there_is_idle) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    EXPECT_EQ(weir::select(weir::on_recv(rx, [](recv_result) { return 1; }), weir::on_idle([] { return 2; })), 2);
}

TEST_P(select_each, a_disconnected_receive_arm_is_ready_for_ever) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t left = GetParam().room(1);
    if (left != 0) {
        EXPECT_TRUE(tx.send(1u));
    }
    tx.reset();
    for (std::size_t i = 0; i < left + 3; ++i) {
        weir::select(weir::on_recv(rx, [&](recv_result m) { EXPECT_EQ(m.has_value(), i < left); }),
                     weir::on_idle(unexpected_arm));
    }
}

TEST_P(select_each, a_closed_receiver_hands_out_what_is_left) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t left = GetParam().room(2);
    for (std::size_t i = 0; i < left; ++i) {
        EXPECT_TRUE(tx.send(i));
    }
    rx.close();
    for (std::size_t i = 0; i < left + 2; ++i) {
        weir::select(weir::on_recv(rx, [&](recv_result m) { EXPECT_EQ(m.has_value(), i < left); }));
    }
}

TEST(select, empty_handles_are_disconnected) {
    weir::receiver<uint64_t> rx;
    const weir::sender<uint64_t> unbounded;
    const weir::sync_sender<uint64_t> bounded;
    weir::select(weir::on_recv(rx, [](recv_result m) { EXPECT_EQ(m.error(), weir::recv_error::disconnected); }));
    weir::select(
        weir::on_send(unbounded, 1u, [](send_result r) { EXPECT_EQ(r.error(), weir::send_error::disconnected); }));
    weir::select(
        weir::on_send(bounded, 1u, [](send_result r) { EXPECT_EQ(r.error(), weir::send_error::disconnected); }));
    int fired = 0;
    weir::select(weir::on_disconnected(unbounded, [&] { ++fired; }));
    weir::select(weir::on_disconnected(bounded, [&] { ++fired; }));
    EXPECT_EQ(fired, 2);
}

// The arm is gone by then: the address sanitizer sees a touch.
TEST_P(select_each, who_closes_a_channel_does_not_touch_an_arm_that_waited_for_that_and_gave_up) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    tx.visit([](const auto& out) {
        weir::select(weir::on_disconnected(out, unexpected_arm), weir::on_timeout(20ms, [] {}));
    });
    rx.reset();
    int fired = 0;
    tx.visit([&](const auto& out) { weir::select(weir::on_disconnected(out, [&] { ++fired; })); });
    EXPECT_EQ(fired, 1);
}

TEST_P(select_buffered, a_send_arm_with_room_sends) {
    auto [tx, rx] = open<text>(GetParam());
    tx.visit([](const auto& out) {
        weir::select(weir::on_send(out, std::make_unique<int>(5), [](send_result r) { EXPECT_TRUE(r); }),
                     weir::on_idle(unexpected_arm));
    });
    EXPECT_EQ(*rx.recv().value(), 5);
}

TEST_P(select_bounded, a_send_arm_without_room_is_not_ready_and_leaves_its_value) {
    auto [tx, rx] = open<text>(GetParam());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i) {
        EXPECT_TRUE(tx.send(std::make_unique<int>(0)));
    }
    auto value = std::make_unique<int>(5);
    tx.visit([&](const auto& out) {
        weir::select(weir::on_send(out, std::move(value), unexpected_arm), weir::on_idle(nothing));
        weir::select(weir::on_send(out, std::move(value), unexpected_arm), weir::on_timeout(2ms, nothing));
    });
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(rx.len(), *GetParam().capacity);
}

TEST_P(select_each, a_send_arm_without_a_receiver_fails_and_leaves_its_value) {
    auto [tx, rx] = open<text>(GetParam());
    rx.reset();
    auto value = std::make_unique<int>(5);
    tx.visit([&](const auto& out) {
        weir::select(weir::on_send(out, std::move(value), [](send_result r) { EXPECT_FALSE(r); }));
    });
    EXPECT_NE(value, nullptr);
}

TEST_P(select_each, a_send_arm_that_is_not_chosen_leaves_its_value) {
    auto [tx, rx] = open<text>(GetParam());
    auto [first_tx, first_rx] = weir::channel<uint64_t>();
    EXPECT_TRUE(first_tx.send(1u));
    auto value = std::make_unique<int>(5);
    tx.visit([&](const auto& out) {
        weir::select(weir::biased, weir::on_recv(first_rx, nothing),
                     weir::on_send(out, std::move(value), unexpected_arm));
    });
    EXPECT_NE(value, nullptr);
    EXPECT_TRUE(rx.is_empty());
}

TEST_P(select_each, an_lvalue_is_copied_when_it_is_chosen) {
    auto [tx, rx] = open<std::string>(GetParam());
    const std::string value(100, 'x');
    worker receives([&] { EXPECT_EQ(rx.recv().value(), std::string(100, 'x')); });
    tx.visit([&](const auto& out) { weir::select(weir::on_send(out, value, [](send_result r) { EXPECT_TRUE(r); })); });
    EXPECT_EQ(value.size(), 100u);
}

TEST_P(select_each, what_converts_to_the_message_is_sent) {
    auto [tx, rx] = open<std::string>(GetParam());
    worker receives([&] { EXPECT_EQ(rx.recv().value(), "text"); });
    tx.visit([&](const auto& out) { weir::select(weir::on_send(out, "text", [](send_result r) { EXPECT_TRUE(r); })); });
}

class throws_when_copied {
public:
    throws_when_copied() = default;
    throws_when_copied(const throws_when_copied&) { throw std::runtime_error("no copy"); }
    throws_when_copied(throws_when_copied&&) noexcept = default;
};

TEST_P(select_each, a_copy_that_throws_passes_through_with_no_arm_having_taken_effect) {
    auto [tx, rx] = open<throws_when_copied>(GetParam());
    auto [other_tx, other_rx] = weir::channel<uint64_t>();
    const throws_when_copied value;
    tx.visit([&](const auto& out) {
        EXPECT_THROW(weir::select(weir::on_recv(other_rx, unexpected_arm), weir::on_send(out, value, unexpected_arm),
                                  weir::on_timeout(1h, unexpected_arm)),
                     std::runtime_error);
    });
    EXPECT_TRUE(rx.is_empty());
    EXPECT_TRUE(other_tx.send(1u));
    EXPECT_TRUE(other_rx.try_recv());
}

// ---- What a select returns ----

TEST(select, returns_what_the_handlers_have_in_common) {
    auto [tx, rx] = weir::channel<uint64_t>();
    EXPECT_TRUE(tx.send(3u));
    const auto number =
        weir::select(weir::on_recv(rx, [](recv_result m) { return m.value(); }), weir::on_idle([] { return 0; }));
    static_assert(std::is_same_v<decltype(number), const std::common_type_t<uint64_t, int>>);
    EXPECT_EQ(number, 3u);
    static_assert(std::is_void_v<decltype(weir::select(weir::on_recv(rx, nothing), weir::on_idle(nothing)))>);
}

TEST(select, returns_a_move_only_value) {
    auto [tx, rx] = weir::channel<text>();
    EXPECT_TRUE(tx.send(std::make_unique<int>(4)));
    const text got = weir::select(weir::on_recv(rx, [](auto m) { return std::move(m).value(); }),
                                  weir::on_idle([] { return text(); }));
    EXPECT_EQ(*got, 4);
}

TEST(select, returns_a_reference) {
    auto [tx, rx] = weir::channel<uint64_t>();
    int one = 1;
    int two = 2;
    int& got = weir::select(weir::on_recv(rx, [&](recv_result) -> int& { return one; }),
                            weir::on_idle([&]() -> int& { return two; }));
    EXPECT_EQ(&got, &two);
}

TEST(select, a_handler_may_be_move_only_and_change_itself) {
    auto [tx, rx] = weir::channel<uint64_t>();
    EXPECT_TRUE(tx.send(1u));
    EXPECT_EQ(weir::select(weir::on_recv(rx, [p = std::make_unique<int>(1)](recv_result) mutable { return ++*p; })), 2);
}

TEST(select, what_a_handler_throws_passes_through_and_its_arm_has_taken_effect) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(1);
    EXPECT_TRUE(tx.send(1u));
    EXPECT_THROW(weir::select(weir::on_recv(rx, [](recv_result) { throw std::runtime_error("handler"); })),
                 std::runtime_error);
    EXPECT_TRUE(rx.is_empty());
    EXPECT_TRUE(tx.try_send(2u));
}

TEST_P(select_each, takes_a_temporary_receiver) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    tx.reset();
    weir::select(weir::on_recv(std::move(rx), [](recv_result m) { EXPECT_FALSE(m); }));
    EXPECT_FALSE(rx);
}

// ---- Waiting ----

TEST_P(select_each, a_waiting_receive_arm_gets_the_next_message) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker selects([&] { weir::select(weir::on_recv(rx, [](recv_result m) { EXPECT_EQ(m.value(), 9u); })); });
    selects.wait_until_asleep();
    EXPECT_TRUE(tx.try_send(9u)) << "on a rendezvous it meets the arm";
    selects.join();
}

TEST_P(select_each, a_waiting_receive_arm_sees_the_last_sender_go) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker selects([&] { weir::select(weir::on_recv(rx, [](recv_result m) { EXPECT_FALSE(m); })); });
    selects.wait_until_asleep();
    tx.reset();
    selects.join();
}

TEST_P(select_bounded, a_waiting_send_arm_sends_when_there_is_room) {
    auto [tx, rx] = open<text>(GetParam());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i) {
        EXPECT_TRUE(tx.send(std::make_unique<int>(0)));
    }
    worker selects([&, &out_tx = tx] {
        out_tx.visit([](const auto& out) {
            weir::select(weir::on_send(out, std::make_unique<int>(6), [](send_result r) { EXPECT_TRUE(r); }));
        });
    });
    selects.wait_until_asleep();
    EXPECT_TRUE(rx.try_recv()) << "on a rendezvous it meets the arm";
    selects.join();
    if (*GetParam().capacity != 0) {
        EXPECT_EQ(rx.len(), *GetParam().capacity);
    }
}

TEST_P(select_bounded, a_waiting_send_arm_sees_the_receiver_go_and_leaves_its_value) {
    for (const bool closes : {false, true}) {
        auto [tx, rx] = open<text>(GetParam());
        for (std::size_t i = 0; i < *GetParam().capacity; ++i) {
            EXPECT_TRUE(tx.send(std::make_unique<int>(0)));
        }
        auto value = std::make_unique<int>(6);
        worker selects([&, &out_tx = tx] {
            out_tx.visit([&](const auto& out) {
                weir::select(weir::on_send(out, std::move(value), [](send_result r) { EXPECT_FALSE(r); }));
            });
        });
        selects.wait_until_asleep();
        closes ? rx.close() : rx.reset();
        selects.join();
        EXPECT_NE(value, nullptr);
    }
}

TEST_P(select_each, an_arm_fires_when_the_receiver_goes_or_closes_and_for_nothing_else) {
    for (const bool closes : {false, true}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        std::atomic<bool> fired{false};
        worker selects([&, &watched = tx] {
            watched.visit([&](const auto& out) { weir::select(weir::on_disconnected(out, [&] { fired = true; })); });
        });
        selects.wait_until_asleep();
        if (GetParam().room(1) != 0) {
            EXPECT_TRUE(tx.send(1u));
            EXPECT_TRUE(rx.recv());
        }
        selects.wait_until_asleep();
        EXPECT_FALSE(fired);
        closes ? rx.close() : rx.reset();
        selects.join();
        EXPECT_TRUE(fired);
    }
}

TEST_P(select_pair, each_waiting_arm_is_woken_and_the_other_has_lost_nothing) {
    for (const bool first : {false, true}) {
        auto [one_tx, one_rx] = open<uint64_t>(std::get<0>(GetParam()));
        auto [two_tx, two_rx] = open<uint64_t>(std::get<1>(GetParam()));
        int got = 0;
        worker selects([&, &one = one_rx, &two = two_rx] {
            got = weir::select(weir::on_recv(one, [](recv_result m) { return m == 1u ? 1 : -1; }),
                               weir::on_recv(two, [](recv_result m) { return m == 2u ? 2 : -1; }));
        });
        selects.wait_until_asleep();
        EXPECT_TRUE(first ? one_tx.try_send(1u) : two_tx.try_send(2u));
        selects.join();
        EXPECT_EQ(got, first ? 1 : 2);
        const auto& other = first ? two_tx : one_tx;
        EXPECT_EQ(other.len(), 0u);
        const bool meets_nobody = other.capacity() == std::size_t{0};
        EXPECT_EQ(outcome(other.try_send(3u)), meets_nobody ? channel_errc::full : ok);
    }
}

TEST_P(select_triple, one_waiting_thread_serves_three_channels_until_all_are_disconnected) {
    const flavor kinds[] = {std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam())};
    constexpr std::size_t messages = 200;
    std::vector<ends<uint64_t>> channels;
    std::vector<std::unique_ptr<worker>> feeds;
    for (const flavor& kind : kinds) {
        channels.push_back(open<uint64_t>(kind));
        any_sender<uint64_t> tx = std::exchange(channels.back().tx, {});
        feeds.push_back(std::make_unique<worker>([out = std::move(tx)]() mutable {
            for (uint64_t i = 0; i < scaled(messages); ++i) {
                EXPECT_TRUE(out.send(i));
            }
            out.reset();
        }));
    }
    std::vector<uint64_t> next(3, 0);
    int left = 3;
    const auto take = [&](std::size_t which) {
        return [&, which](recv_result m) {
            if (!m) {
                channels[which].rx = weir::never<uint64_t>();
                --left;
            } else {
                EXPECT_EQ(*m, next[which]++);
            }
        };
    };
    while (left != 0 && !HasFailure()) {
        weir::select(weir::on_recv(channels[0].rx, take(0)), weir::on_recv(channels[1].rx, take(1)),
                     weir::on_recv(channels[2].rx, take(2)),
                     weir::on_timeout(patience, [] { FAIL() << "a message was missed"; }));
    }
    EXPECT_EQ(next, std::vector<uint64_t>(3, scaled(messages)));
}

TEST_P(select_triple, one_waiting_thread_sends_to_three_channels) {
    const flavor kinds[] = {std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam())};
    constexpr uint64_t messages = 600;
    std::vector<ends<uint64_t>> channels;
    for (const flavor& kind : kinds) {
        channels.push_back(open<uint64_t>(kind));
    }
    std::atomic<uint64_t> sum{0};
    std::vector<std::unique_ptr<worker>> sinks;
    for (auto& channel : channels) {
        sinks.push_back(std::make_unique<worker>([&sum, rx = std::move(channel.rx)]() mutable {
            uint64_t last = 0;
            for (const uint64_t value : rx) {
                EXPECT_GT(value, last);
                last = value;
                sum += value;
            }
        }));
    }
    const uint64_t count = scaled(messages);
    channels[0].tx.visit([&](const auto& one) {
        channels[1].tx.visit([&](const auto& two) {
            channels[2].tx.visit([&](const auto& three) {
                for (uint64_t i = 1; i <= count; ++i) {
                    const auto done = [](send_result r) { EXPECT_TRUE(r); };
                    weir::select(weir::on_send(one, i, done), weir::on_send(two, i, done),
                                 weir::on_send(three, i, done));
                }
            });
        });
    });
    channels.clear();
    sinks.clear();
    EXPECT_EQ(sum, count * (count + 1) / 2);
}

TEST(select, a_waiting_thread_uses_no_processor_time) {
    auto [tx, rx] = weir::channel<uint64_t>();
    auto [full_tx, full_rx] = weir::sync_channel<uint64_t>(0);
    worker selects([&, &in = rx, &out = full_tx] {
        weir::select(weir::on_recv(in, nothing), weir::on_send(out, 1u, unexpected_arm),
                     weir::on_timeout(1h, unexpected_arm));
    });
    selects.wait_until_asleep();
    const auto before = selects.processor_time();
    std::this_thread::sleep_for(300ms);
    EXPECT_LT(selects.processor_time() - before, 20ms);
    EXPECT_TRUE(tx.send(1u));
}

// ---- Time and stop ----

TEST_P(select_each, a_time_out_runs_when_nothing_came) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const stopwatch watch;
    EXPECT_TRUE(weir::select(weir::on_recv(rx, [](recv_result) { return false; }),
                             weir::on_timeout(20ms, [] { return true; })));
    EXPECT_GE(watch.elapsed(), 20ms);
    EXPECT_LT(watch.elapsed(), 20ms + on_time);
    EXPECT_EQ(outcome(tx.try_send(1u)), GetParam().is_rendezvous() ? channel_errc::full : ok) << "it has withdrawn";
}

TEST(select, a_deadline_may_be_on_any_clock) {
    auto [tx, rx] = weir::channel<uint64_t>();
    const auto limited = [&, &in = rx](auto deadline) {
        return weir::select(weir::on_recv(in, [](recv_result) { return false; }),
                            weir::on_deadline(deadline, [] { return true; }));
    };
    const auto end = std::chrono::system_clock::now() + 20ms;
    EXPECT_TRUE(limited(end));
    EXPECT_GE(std::chrono::system_clock::now(), end);
    EXPECT_TRUE(limited(std::chrono::steady_clock::now() + 2ms));
    EXPECT_TRUE(limited(std::chrono::steady_clock::time_point::min()));
    EXPECT_TRUE(limited(std::chrono::system_clock::time_point::min()));
}

TEST(select, strange_time_outs_neither_overflow_nor_wait) {
    auto [tx, rx] = weir::channel<uint64_t>();
    const auto limited = [&, &in = rx](auto timeout) {
        return weir::select(weir::on_recv(in, [](recv_result) { return false; }),
                            weir::on_timeout(timeout, [] { return true; }));
    };
    EXPECT_TRUE(limited(std::chrono::duration<double>(std::nan(""))));
    EXPECT_TRUE(limited(-1s));
    EXPECT_TRUE(limited(std::chrono::nanoseconds::min()));
    worker sends([&] { EXPECT_TRUE(tx.send(1u)); });
    EXPECT_FALSE(limited(std::chrono::hours::max()));
    EXPECT_TRUE(tx.send(1u));
    EXPECT_FALSE(limited(std::chrono::duration<double>(std::numeric_limits<double>::infinity())));
}

TEST_P(select_buffered, a_message_that_is_there_wins_over_a_time_that_is_out) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    EXPECT_TRUE(tx.send(1u));
    weir::select(weir::on_timeout(-1s, unexpected_arm), weir::on_recv(rx, [](recv_result m) { EXPECT_TRUE(m); }));
}

TEST(select, only_a_time_out_sleeps) {
    const stopwatch watch;
    EXPECT_EQ(weir::select(weir::on_timeout(5ms, [] { return 1; })), 1);
    EXPECT_GE(watch.elapsed(), 5ms);
}

#if WEIR_HAS_STOP_TOKEN
TEST_P(select_each, a_stop_ends_the_wait) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::stop_source stop;
    bool stopped = false;
    worker selects([&, &in = rx] {
        weir::select(weir::on_recv(in, unexpected_arm), weir::on_stop(stop.get_token(), [&] { stopped = true; }));
    });
    selects.wait_until_asleep();
    stop.request_stop();
    selects.join();
    EXPECT_TRUE(stopped);
    weir::select(weir::on_recv(rx, unexpected_arm), weir::on_stop(stop.get_token(), nothing));
    weir::select(weir::on_timeout(1ms, nothing), weir::on_stop(std::stop_token(), unexpected_arm));
}
#endif

// ---- The choice ----

TEST(select, biased_prefers_the_order_written) {
    auto [one_tx, one_rx] = weir::channel<uint64_t>();
    auto [two_tx, two_rx] = weir::sync_channel<uint64_t>(1000);
    for (uint64_t i = 0; i < 200; ++i) {
        EXPECT_TRUE(one_tx.send(i));
        EXPECT_TRUE(two_tx.send(i));
    }
    for (int i = 0; i < 400; ++i) {
        const int got =
            weir::select(weir::biased, weir::on_recv(one_rx, [](recv_result) { return 1; }),
                         weir::on_recv(two_rx, [](recv_result) { return 2; }), weir::on_idle([] { return 3; }));
        EXPECT_EQ(got, i < 200 ? 1 : 2);
    }
}

// Pearson's test. The bounds are those that one run in 10^9 passes by chance.
void expect_uniform(const std::vector<std::size_t>& counts, std::size_t total) {
    const double bounds[] = {0, 37.3, 41.4, 44.8, 47.9, 50.7, 53.3, 55.8};
    const double expected = static_cast<double>(total) / static_cast<double>(counts.size());
    double sum = 0;
    for (const std::size_t count : counts) {
        const double off = static_cast<double>(count) - expected;
        sum += off * off / expected;
    }
    ASSERT_LT(counts.size() - 1, std::size(bounds));
    EXPECT_LT(sum, bounds[counts.size() - 1]) << testing::PrintToString(counts);
}

TEST(select, ready_arms_are_chosen_alike_whatever_stands_between_them) {
    constexpr std::size_t rounds = 100'000;
    auto [never_tx, never_rx] = weir::sync_channel<uint64_t>(0);
    auto [list_tx, list_rx] = weir::channel<uint64_t>();
    auto [ring_tx, ring_rx] = weir::sync_channel<uint64_t>(2);
    auto [out_tx, out_rx] = weir::sync_channel<uint64_t>(2);
    auto [gone_tx, gone_rx] = weir::channel<uint64_t>();
    gone_tx.reset();
    std::vector<std::size_t> counts(4, 0);
    for (std::size_t i = 0; i < rounds; ++i) {
        if (list_rx.is_empty()) {
            EXPECT_TRUE(list_tx.send(1u));
        }
        if (ring_rx.is_empty()) {
            EXPECT_TRUE(ring_tx.send(1u));
        }
        (void)out_rx.try_recv();
        const auto count = [&](std::size_t which) { return [&counts, which](auto&&) { ++counts[which]; }; };
        weir::select(weir::on_recv(never_rx, unexpected_arm), weir::on_recv(list_rx, count(0)),
                     weir::on_recv(never_rx, unexpected_arm), weir::on_send(never_tx, 1u, unexpected_arm),
                     weir::on_recv(ring_rx, count(1)), weir::on_send(out_tx, 1u, count(2)),
                     weir::on_recv(gone_rx, count(3)));
    }
    expect_uniform(counts, rounds);
}

TEST(select, a_channel_in_two_arms_has_both_chosen) {
    constexpr std::size_t rounds = 10'000;
    auto [tx, rx] = weir::channel<uint64_t>();
    std::vector<std::size_t> counts(2, 0);
    for (std::size_t i = 0; i < rounds; ++i) {
        EXPECT_TRUE(tx.send(i));
        weir::select(weir::on_recv(rx,
                                   [&](recv_result m) {
                                       EXPECT_EQ(*m, i);
                                       ++counts[0];
                                   }),
                     weir::on_recv(rx, [&](recv_result m) {
                         EXPECT_EQ(*m, i);
                         ++counts[1];
                     }));
    }
    expect_uniform(counts, rounds);
}

TEST_P(select_each, a_channel_in_two_waiting_arms_gives_its_message_once) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    int got = 0;
    worker selects([&, &in = rx] {
        weir::select(weir::on_recv(in, [&](recv_result) { ++got; }), weir::on_recv(in, [&](recv_result) { ++got; }));
    });
    selects.wait_until_asleep();
    EXPECT_TRUE(tx.try_send(1u));
    selects.join();
    EXPECT_EQ(got, 1);
}

TEST(select, both_ends_of_a_rendezvous_do_not_meet_each_other) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    weir::select(weir::on_recv(rx, unexpected_arm), weir::on_send(tx, 1u, unexpected_arm),
                 weir::on_timeout(5ms, nothing));
    weir::select(weir::on_recv(rx, unexpected_arm), weir::on_send(tx, 1u, unexpected_arm), weir::on_idle(nothing));
    for (const bool sends : {true, false}) { // another's do meet it
        auto [peer_tx, peer_rx] = weir::sync_channel<uint64_t>(0);
        worker selects([&, &out = peer_tx, &in = peer_rx] {
            const int got = weir::select(weir::on_recv(in, [](recv_result) { return 1; }),
                                         weir::on_send(out, 1u, [](send_result) { return 2; }));
            EXPECT_EQ(got, 1);
        });
        selects.wait_until_asleep();
        EXPECT_TRUE(sends ? outcome(peer_tx.try_send(1u)) == ok : peer_tx.send(1u).has_value());
    }
}

TEST_P(select_each, both_ends_of_a_channel_may_stand_in_one_select) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    uint64_t in = 0;
    uint64_t out = 0;
    tx.visit([&, &from = rx](const auto& to) {
        for (int i = 0; i < 1000; ++i) {
            weir::select(weir::on_recv(from, [&](recv_result m) { EXPECT_EQ(m.value(), in++); }),
                         weir::on_send(to, out, [&](send_result r) { r ? void(++out) : void(ADD_FAILURE()); }),
                         weir::on_idle(nothing));
        }
    });
    EXPECT_EQ(out - in, rx.len());
    EXPECT_EQ(GetParam().is_rendezvous(), out == 0);
}

// ---- Handlers ----

TEST_P(select_buffered, a_handler_may_use_every_channel_of_its_select) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    EXPECT_TRUE(tx.send(1u));
    weir::select(weir::on_recv(rx, [&, &in = rx, &out = tx](recv_result) {
        EXPECT_TRUE(out.send(2u));
        weir::select(weir::on_recv(in, [&](recv_result m) {
            EXPECT_EQ(m.value(), 2u);
            in.close();
        }));
        in.reset();
    }));
    EXPECT_TRUE(tx.is_disconnected());
}

TEST(select, a_handler_that_waited_may_use_the_other_channels) {
    auto [one_tx, one_rx] = weir::sync_channel<uint64_t>(0);
    auto [two_tx, two_rx] = weir::sync_channel<uint64_t>(0);
    worker selects([&, &one = one_rx, &two = two_rx] {
        weir::select(weir::on_recv(one, [&](recv_result) { EXPECT_EQ(two.recv().value(), 2u); }),
                     weir::on_recv(two, unexpected_arm));
    });
    selects.wait_until_asleep();
    EXPECT_TRUE(one_tx.try_send(1u));
    EXPECT_TRUE(two_tx.send(2u));
}

} // namespace
