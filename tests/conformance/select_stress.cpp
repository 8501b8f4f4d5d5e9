// SPDX-License-Identifier: BSL-1.0
//
// Selects against one another and against everything else, at random moments.

#include <weir/select.hpp>
#include <weir/timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

using received = std::expected<uint64_t, weir::recv_error>;
using sent = std::expected<void, weir::send_error>;

const auto missed = [] { FAIL() << "a wake was lost"; };

// ---- Selects that meet ----

struct meeting_point {
    weir::sync_sender<uint64_t> tx;
    weir::receiver<uint64_t> rx;
    std::atomic<uint64_t> went{0};
    std::atomic<uint64_t> came{0};
    meeting_point() {
        auto made = weir::sync_channel<uint64_t>(0);
        tx = std::move(made.tx);
        rx = std::move(made.rx);
    }
};

// Thread i of a ring sends into point i or receives from the one before, whichever comes first. What one counts as sent the
// next has received, message for message.
void meet_in_a_ring(std::size_t threads, std::size_t native_rounds) {
    std::vector<std::unique_ptr<meeting_point>> points;
    for (std::size_t i = 0; i < threads; ++i) {
        points.push_back(std::make_unique<meeting_point>());
    }
    std::atomic<uint64_t> meetings{0};
    const uint64_t enough = scaled(native_rounds) * times();
    {
        std::vector<std::unique_ptr<worker>> workers;
        for (std::size_t i = 0; i < threads; ++i) {
            workers.push_back(std::make_unique<worker>([&, i] {
                meeting_point& mine = *points[i];
                meeting_point& before = *points[(i + threads - 1) % threads];
                uint64_t next_in = 0;
                for (bool on = true; on && !testing::Test::HasFailure();) {
                    weir::select(weir::on_send(mine.tx, mine.went.load(),
                                               [&](sent r) {
                                                   on = r.has_value();
                                                   if (on) {
                                                       ++mine.went;
                                                   }
                                               }),
                                 weir::on_recv(before.rx,
                                               [&](received m) {
                                                   on = m.has_value();
                                                   if (on) {
                                                       EXPECT_EQ(*m, next_in++) << "lost, or taken twice";
                                                       ++before.came;
                                                       on = ++meetings < enough;
                                                   }
                                               }),
                                 weir::on_timeout(patience, missed));
                }
                before.rx.close(); // whoever waits to send there ends, and so on round the ring
                mine.tx.reset();
            }));
        }
    }
    for (const auto& point : points) {
        EXPECT_EQ(point->went, point->came);
    }
    EXPECT_GE(meetings, enough);
}

TEST(select_stress, two_threads_over_crossed_rendezvous_meet_every_time) { meet_in_a_ring(2, 60'000); }
TEST(select_stress, three_threads_in_a_ring_meet_every_time) { meet_in_a_ring(3, 60'000); }
TEST(select_stress, five_threads_in_a_ring_meet_every_time) { meet_in_a_ring(5, 30'000); }

// Two threads with the same two channels, each sends on one and receives on the other, for exactly as many rounds.
TEST(select_stress, of_two_crossed_selects_neither_wins_alone) {
    const uint64_t rounds = scaled(60'000) * times();
    meeting_point one;
    meeting_point two;
    const auto run = [&](meeting_point& out, meeting_point& in) {
        for (uint64_t i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
            weir::select(weir::on_send(out.tx, i,
                                       [&](sent r) {
                                           EXPECT_TRUE(r);
                                           ++out.went;
                                       }),
                         weir::on_recv(in.rx,
                                       [&](received m) {
                                           EXPECT_TRUE(m);
                                           ++in.came;
                                       }),
                         weir::on_timeout(patience, missed));
        }
    };
    {
        worker a([&] { run(one, two); });
        worker b([&] { run(two, one); });
    }
    EXPECT_EQ(one.went, one.came);
    EXPECT_EQ(two.went, two.came);
    EXPECT_EQ(one.went + two.went, rounds);
}

// ---- Receive arms against every kind of send ----

inline auto some_flavors() { return testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{3}); }

using pair_of_flavors = std::tuple<flavor, flavor>;
class select_stress_pair : public testing::TestWithParam<pair_of_flavors> {};
std::string flavor_names(const testing::TestParamInfo<pair_of_flavors>& info) {
    return std::get<0>(info.param).name() + "_" + std::get<1>(info.param).name();
}
INSTANTIATE_TEST_SUITE_P(flavors, select_stress_pair, testing::Combine(some_flavors(), some_flavors()), flavor_names);

constexpr uint64_t producer_shift = 32;

// One message, or none after a while, through a select that also waits for time to go by.
bool send_by_select(const any_sender<uint64_t>& tx, uint64_t value, std::chrono::microseconds timeout) {
    return tx.visit([&](const auto& out) {
        return weir::select(weir::on_send(out, value, [](sent r) { return r.has_value(); }),
                            weir::on_timeout(timeout, [] { return false; }));
    });
}

void send_in_some_way(const any_sender<uint64_t>& tx, uint64_t value, std::minstd_rand& random) {
    switch (random() % 5) {
    case 0:
        while (!tx.send_timeout(value, std::chrono::microseconds(random() % 60))) {
        }
        break;
    case 1:
        while (!send_by_select(tx, value, std::chrono::microseconds(random() % 60))) {
        }
        break;
    case 2:
        EXPECT_TRUE(send_by_select(tx, value, patience));
        break;
    default:
        EXPECT_TRUE(tx.send(value));
    }
}

TEST_P(select_stress_pair, every_message_arrives_once_and_in_order_whoever_gives_up_meanwhile) {
    constexpr std::size_t producers = 2; // for each channel
    const uint64_t each = scaled(4'000) * times();
    std::array<ends<uint64_t>, 2> channels{open<uint64_t>(std::get<0>(GetParam())),
                                           open<uint64_t>(std::get<1>(GetParam()))};
    std::vector<std::unique_ptr<worker>> threads;
    for (auto& channel : channels) {
        for (uint64_t producer = 0; producer < producers; ++producer) {
            threads.push_back(std::make_unique<worker>([tx = channel.tx, producer, each]() mutable {
                std::minstd_rand random(static_cast<unsigned>(producer + 1));
                for (uint64_t i = 0; i < each && !testing::Test::HasFailure(); ++i) {
                    send_in_some_way(tx, producer << producer_shift | i, random);
                }
                tx.reset();
            }));
        }
        channel.tx.reset();
    }
    std::minstd_rand random(7);
    std::array<std::array<uint64_t, producers>, 2> next{};
    std::array<bool, 2> is_over{};
    const auto check = [&](std::size_t which, received m) {
        if (!m) {
            is_over[which] = true;
            channels[which].rx = weir::never<uint64_t>();
            return;
        }
        EXPECT_EQ(*m & 0xffffffffu, next[which][static_cast<std::size_t>(*m >> producer_shift)]++);
    };
    while (!(is_over[0] && is_over[1]) && !HasFailure()) {
        const auto from = [&](std::size_t which) { return [&, which](received m) { check(which, std::move(m)); }; };
        auto& one = channels[0].rx;
        auto& two = channels[1].rx;
        switch (random() % 4) {
        case 0:
            weir::select(weir::on_recv(one, from(0)), weir::on_recv(two, from(1)),
                         weir::on_timeout(std::chrono::microseconds(random() % 50), [] {}));
            break;
        case 1:
            if (auto m = one.recv_timeout(std::chrono::microseconds(random() % 50))) {
                check(0, *m);
            }
            break;
        default:
            weir::select(weir::on_recv(one, from(0)), weir::on_recv(two, from(1)), weir::on_timeout(patience, missed));
        }
    }
    threads.clear();
    for (const auto& channel : next) {
        for (const uint64_t count : channel) {
            EXPECT_EQ(count, each);
        }
    }
}

// ---- Send arms ----

// Senders that may each use either of two channels, and one that may use just one: a place that was offered to a select,
// which then went elsewhere, must be offered to the next.
TEST_P(select_stress_pair, room_that_a_select_does_not_use_goes_to_the_next_that_waits) {
    constexpr std::size_t selectors = 2;
    const uint64_t each = scaled(4'000) * times();
    std::array<ends<uint64_t>, 2> channels{open<uint64_t>(std::get<0>(GetParam())),
                                           open<uint64_t>(std::get<1>(GetParam()))};
    std::array<std::atomic<uint64_t>, 2> taken{};
    std::vector<std::unique_ptr<worker>> threads;
    for (std::size_t i = 0; i < selectors; ++i) {
        threads.push_back(std::make_unique<worker>([each, a = channels[0].tx, b = channels[1].tx]() mutable {
            a.visit([&](const auto& one) {
                b.visit([&](const auto& two) {
                    for (uint64_t n = 0; n < each && !testing::Test::HasFailure(); ++n) {
                        const auto done = [](sent r) { EXPECT_TRUE(r); };
                        weir::select(weir::on_send(one, n, done), weir::on_send(two, n, done),
                                     weir::on_timeout(patience, missed));
                    }
                });
            });
            a.reset();
            b.reset();
        }));
    }
    for (auto& channel : channels) {
        threads.push_back(std::make_unique<worker>([each, tx = channel.tx]() mutable {
            for (uint64_t n = 0; n < each && !testing::Test::HasFailure(); ++n) {
                EXPECT_TRUE(tx.send_timeout(n, patience)) << "a place was not offered";
            }
            tx.reset();
        }));
        channel.tx.reset();
    }
    for (std::size_t which = 0; which < channels.size(); ++which) {
        threads.push_back(std::make_unique<worker>([&taken, which, rx = std::move(channels[which].rx)]() mutable {
            std::minstd_rand random(static_cast<unsigned>(which + 1));
            for (bool on = true; on;) {
                if (random() % 3 == 0) {
                    const auto m = rx.recv_timeout(std::chrono::microseconds(random() % 40));
                    taken[which] += m.has_value() ? 1 : 0;
                } else {
                    const auto m = rx.recv();
                    taken[which] += m.has_value() ? 1 : 0;
                    on = m.has_value();
                }
            }
        }));
    }
    threads.clear();
    EXPECT_EQ(taken[0] + taken[1], (selectors + 2) * each);
}

#if WEIR_HAS_STOP_TOKEN
// ---- A stop ----

TEST(select_stress, a_stop_and_a_message_do_not_both_win) {
    for (std::size_t round = 0; round < scaled(3'000) * times(); ++round) {
        auto [tx, rx] = weir::sync_channel<uint64_t>(round % 2);
        std::stop_source stop;
        std::atomic<int> sends{0};
        int chosen = 0;
        {
            worker sends_one([&, &out = tx] { sends += out.send(1u) ? 1 : 0; });
            worker stops([&] { stop.request_stop(); });
            chosen = weir::select(weir::on_recv(rx, [](received m) { return m ? 1 : 3; }),
                                  weir::on_stop(stop.get_token(), [] { return 2; }));
            if (chosen == 2) {
                EXPECT_TRUE(rx.recv()) << "the message is still there";
            }
        }
        EXPECT_EQ(sends, 1);
        EXPECT_NE(chosen, 3);
    }
}
#endif

// ---- Closing ----

TEST_P(select_stress_pair, a_channel_that_goes_ends_every_select_that_waits_for_it) {
    for (std::size_t round = 0; round < scaled(100) * times(); ++round) {
        auto one = open<uint64_t>(std::get<0>(GetParam()));
        auto two = open<uint64_t>(std::get<1>(GetParam()));
        std::atomic<int> ended{0};
        {
            worker sends([&, tx = one.tx] {
                tx.visit([&](const auto& out) {
                    bool on = true;
                    do {
                        weir::select(weir::on_send(out, 1u, [&](sent r) { on = r.has_value(); }),
                                     weir::on_timeout(patience, missed));
                    } while (on);
                });
                ++ended;
            });
            worker watches([&, tx = two.tx] {
                tx.visit([&](const auto& out) {
                    weir::select(weir::on_disconnected(out, [&] { ++ended; }), weir::on_timeout(patience, missed));
                });
            });
            worker closes([&, rx = std::move(one.rx), other = std::move(two.rx)]() mutable {
                (void)rx.recv_timeout(std::chrono::microseconds(round % 30));
                rx.reset();
                other.reset();
            });
        }
        ASSERT_EQ(ended, 2);
    }
}

} // namespace
