// SPDX-License-Identifier: BSL-1.0
//
// Capacity 0: the two ends meet, or neither has been there.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <memory>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"
#include "support/waits.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

TEST(rendezvous, a_send_returns_only_when_the_message_was_taken) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    std::atomic<bool> returned{false};
    worker sends([&] {
        EXPECT_TRUE(tx.send(1));
        returned = true;
    });
    sends.wait_until_asleep();
    EXPECT_FALSE(returned);
    EXPECT_EQ(rx.len(), 0u);
    EXPECT_TRUE(rx.is_empty());
    EXPECT_EQ(rx.recv().value(), 1u);
    EXPECT_TRUE(eventually([&] { return returned.load(); }));
}

TEST(rendezvous, without_a_peer_nothing_passes) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    EXPECT_EQ(tx.try_send(1).error(), weir::try_send_error::full);
    EXPECT_EQ(tx.send_timeout(1, 2ms).error(), weir::send_timeout_error::timeout);
    EXPECT_EQ(rx.try_recv().error(), weir::try_recv_error::empty);
    EXPECT_EQ(rx.recv_timeout(2ms).error(), weir::recv_timeout_error::timeout);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty) << "a send that gave up has left nothing";
    EXPECT_EQ(outcome(tx.try_send(1)), channel_errc::full) << "and so has a receive";
}

TEST(rendezvous, a_try_send_meets_every_kind_of_waiting_receive) {
    for (const auto& receive : waiting_receives) {
        SCOPED_TRACE(receive.name);
        auto [tx, rx] = open<uint64_t>(flavor{0});
        worker receives([&] { EXPECT_EQ(receive.run(rx), ok); });
        receives.wait_until_asleep();
        EXPECT_TRUE(tx.try_send(1u));
        EXPECT_EQ(outcome(tx.try_send(2u)), channel_errc::full) << "one receive takes one message";
    }
}

TEST(rendezvous, a_try_recv_meets_every_kind_of_waiting_send) {
    for (const auto& send : waiting_sends) {
        SCOPED_TRACE(send.name);
        auto [tx, rx] = open<text>(flavor{0});
        auto value = std::make_unique<int>(5);
        worker sends([&] { EXPECT_EQ(send.run(tx, value), ok); });
        sends.wait_until_asleep();
        EXPECT_EQ(*rx.try_recv().value(), 5);
        sends.join();
        EXPECT_EQ(value, nullptr);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
}

TEST(rendezvous, an_operation_without_time_left_meets_a_waiting_peer) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    {
        worker sends([&tx] { EXPECT_TRUE(tx.send(1u)); });
        sends.wait_until_asleep();
        EXPECT_EQ(rx.recv_timeout(-1s).value(), 1u);
    }
    {
        worker sends([&tx] { EXPECT_TRUE(tx.send(2u)); });
        sends.wait_until_asleep();
        EXPECT_EQ(rx.recv_deadline(std::chrono::system_clock::time_point::min()).value(), 2u);
    }
    {
        worker receives([&rx] { EXPECT_EQ(rx.recv().value(), 3u); });
        receives.wait_until_asleep();
        EXPECT_TRUE(tx.send_timeout(3u, 0s));
    }
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    stop.request_stop();
    {
        worker sends([&tx] { EXPECT_TRUE(tx.send(4u)); });
        sends.wait_until_asleep();
        EXPECT_EQ(rx.recv(stop.get_token()).value(), 4u);
    }
    {
        worker receives([&rx] { EXPECT_EQ(rx.recv().value(), 5u); });
        receives.wait_until_asleep();
        EXPECT_TRUE(tx.send(5u, stop.get_token()));
    }
#endif
}

// Two time-outs that run out at about the same moment: both say delivered, or both say late.
TEST(rendezvous, a_timed_send_and_a_timed_receive_succeed_both_or_fail_both) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    constexpr std::size_t rounds = scaled(5000);
    std::vector<char> sent(rounds, 0);
    std::vector<char> received(rounds, 0);
    std::barrier meet(2);
    worker sends([&] {
        for (std::size_t i = 0; i < rounds; ++i) {
            meet.arrive_and_wait();
            sent[i] = bool(tx.send_timeout(i, std::chrono::microseconds(i * 13 % 70)));
        }
    });
    for (std::size_t i = 0; i < rounds; ++i) {
        meet.arrive_and_wait();
        const auto got = rx.recv_timeout(std::chrono::microseconds(i * 7 % 70));
        received[i] = bool(got);
        if (got) {
            EXPECT_EQ(*got, i);
        }
    }
    sends.join();
    EXPECT_EQ(sent, received);
}

// Likewise where one side only tries.
TEST(rendezvous, tries_and_timed_waits_agree) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    constexpr uint64_t rounds = scaled(4000);
    std::vector<uint64_t> sent;
    std::vector<uint64_t> received;
    worker sends([&, handle = std::move(tx)]() mutable {
        for (uint64_t i = 0; i < rounds; ++i) {
            const bool delivered = i % 3 == 0 ? bool(handle.try_send(i)) : bool(handle.send_timeout(i, 30us));
            if (delivered)
                sent.push_back(i);
        }
        handle.reset();
    });
    for (uint64_t i = 0;; ++i) {
        channel_errc came_to = ok;
        if (i % 3 == 0) {
            const auto got = rx.try_recv();
            if (got)
                received.push_back(*got);
            came_to = outcome(got);
        } else {
            const auto got = rx.recv_timeout(20us);
            if (got)
                received.push_back(*got);
            came_to = outcome(got);
        }
        if (came_to == channel_errc::disconnected)
            break;
    }
    sends.join();
    EXPECT_EQ(received, sent);
}

TEST(rendezvous, recv_many_takes_from_every_waiting_send) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    constexpr std::size_t senders = 5;
    std::vector<std::unique_ptr<worker>> threads;
    for (uint64_t i = 0; i < senders; ++i) {
        threads.push_back(std::make_unique<worker>([&tx, i] { EXPECT_TRUE(tx.send(i)); }));
        threads.back()->wait_until_asleep();
    }
    std::vector<uint64_t> got;
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 2).value(), 2u);
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 100).value(), senders - 2);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, (std::vector<uint64_t>{0, 1, 2, 3, 4}));
}

TEST(rendezvous, try_iter_takes_from_every_waiting_send) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    std::vector<std::unique_ptr<worker>> threads;
    for (uint64_t i = 0; i < 3; ++i) {
        threads.push_back(std::make_unique<worker>([&tx, i] { EXPECT_TRUE(tx.send(i)); }));
        threads.back()->wait_until_asleep();
    }
    std::size_t taken = 0;
    for ([[maybe_unused]] auto value : rx.try_iter())
        ++taken;
    EXPECT_EQ(taken, 3u);
}

// One receive makes one of the waiting senders runnable, and only one message passes.
TEST(rendezvous, each_receive_lets_one_waiting_send_return) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    std::atomic<int> returned{0};
    std::vector<std::unique_ptr<worker>> threads;
    for (uint64_t i = 0; i < 4; ++i) {
        threads.push_back(std::make_unique<worker>([&, i] {
            EXPECT_TRUE(tx.send(i));
            ++returned;
        }));
    }
    for (auto& thread : threads)
        thread->wait_until_asleep();
    for (int taken = 1; taken <= 4; ++taken) {
        EXPECT_TRUE(rx.try_recv());
        EXPECT_TRUE(eventually([&] { return returned == taken; }));
        EXPECT_EQ(returned, taken);
    }
}

// The argument is not touched before a receive takes it.
TEST(rendezvous, a_send_that_gives_up_still_has_its_message) {
    auto [tx, rx] = open<text>(flavor{0});
    auto value = std::make_unique<int>(5);
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(outcome(tx.send_timeout(std::move(value), 100us)), channel_errc::timeout);
        ASSERT_TRUE(value);
    }
    worker receives([&rx] { EXPECT_EQ(*rx.recv().value(), 5); });
    EXPECT_TRUE(tx.send(std::move(value)));
    EXPECT_FALSE(value);
}

// The receiver goes while several senders are lying down, meeting, or giving up.
TEST(rendezvous, the_receiver_leaving_agrees_with_every_send_on_what_was_taken) {
    for (std::size_t round = 0; round < scaled(400); ++round) {
        tally all;
        std::atomic<uint64_t> sent{0};
        uint64_t received = 0;
        {
            auto [tx, rx] = open<counted>(flavor{0});
            std::vector<std::unique_ptr<worker>> threads;
            for (uint64_t i = 0; i < 3; ++i) {
                threads.push_back(std::make_unique<worker>([&, handle = tx, i] {
                    counted message(all, i);
                    const bool delivered = i == 0 ? bool(handle.send(std::move(message)))
                                                  : bool(handle.send_timeout(std::move(message), i * 30us));
                    EXPECT_EQ(message.holds(), !delivered);
                    if (delivered)
                        ++sent;
                }));
            }
            for (std::size_t i = 0; i < round % 3; ++i)
                received += rx.recv_timeout(50us) ? 1 : 0;
            rx.reset();
            threads.clear();
        }
        ASSERT_EQ(received, sent);
        ASSERT_EQ(all.made, all.gone);
    }
}

} // namespace
