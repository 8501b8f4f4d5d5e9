// SPDX-License-Identifier: BSL-1.0
//
// One end goes while the other waits, works, or goes as well.

#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"
#include "support/waits.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class disconnect : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, disconnect, every_flavor(), flavor_name);
class disconnect_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, disconnect_buffered, buffered_flavors(), flavor_name);
class disconnect_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, disconnect_bounded, bounded_flavors(), flavor_name);

TEST_P(disconnect, the_last_sender_leaving_ends_every_waiting_receive) {
    for (const auto& receive : waiting_receives) {
        SCOPED_TRACE(receive.name);
        auto [tx, rx] = open<uint64_t>(GetParam());
        auto weak = tx.downgrade();
        auto clone = tx;
        channel_errc came_to = ok;
        worker receives([&] { came_to = receive.run(rx); });
        tx.reset();
        receives.wait_until_asleep(); // one of two senders is no reason to wake
        clone.reset();
        receives.join();
        EXPECT_EQ(came_to, channel_errc::disconnected);
        EXPECT_EQ(receive.run(rx), channel_errc::disconnected) << "and for ever";
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    }
}

TEST_P(disconnect_buffered, what_is_queued_comes_before_disconnected) {
    const std::size_t queued = GetParam().room(3);
    for (const auto& receive : waiting_receives) {
        if (std::string_view(receive.name) == "recv_many")
            continue; // takes all at once
        SCOPED_TRACE(receive.name);
        auto [tx, rx] = open<uint64_t>(GetParam());
        for (std::size_t i = 0; i < queued; ++i)
            EXPECT_TRUE(tx.send(i));
        tx.reset();
        EXPECT_TRUE(rx.is_disconnected());
        for (std::size_t i = 0; i < queued; ++i)
            EXPECT_EQ(receive.run(rx), ok);
        for (int again = 0; again < 3; ++again)
            EXPECT_EQ(receive.run(rx), channel_errc::disconnected);
    }
}

TEST_P(disconnect_bounded, the_receiver_leaving_ends_every_waiting_send) {
    for (const bool by_close : {false, true}) {
        for (const auto& send : waiting_sends) {
            SCOPED_TRACE(send.name);
            SCOPED_TRACE(by_close ? "close" : "reset");
            auto [tx, rx] = open<text>(GetParam());
            const std::size_t capacity = *GetParam().capacity;
            for (std::size_t i = 0; i < capacity; ++i)
                EXPECT_TRUE(tx.send(text()));
            auto value = std::make_unique<int>(1);
            const int* const before = value.get();
            channel_errc came_to = ok;
            worker sends([&] { came_to = send.run(tx, value); });
            sends.wait_until_asleep();
            by_close ? rx.close() : rx.reset();
            sends.join();
            EXPECT_EQ(came_to, channel_errc::disconnected);
            EXPECT_EQ(value.get(), before) << "the argument of a failed send is untouched";
            EXPECT_EQ(send.run(tx, value), channel_errc::disconnected);
            if (by_close) {
                for (std::size_t i = 0; i < capacity; ++i)
                    EXPECT_TRUE(rx.try_recv());
                EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
            }
        }
    }
}

// chriskohlhoff/asio#1575: closing a channel left waiting operations stranded.
TEST_P(disconnect_bounded, closing_ends_all_of_several_waiting_sends) {
    auto [tx, rx] = open<text>(GetParam());
    const std::size_t capacity = *GetParam().capacity;
    for (std::size_t i = 0; i < capacity; ++i)
        EXPECT_TRUE(tx.send(text()));
    std::vector<std::unique_ptr<worker>> threads;
    for (const auto& send : waiting_sends) {
        threads.push_back(std::make_unique<worker>([&tx, &send] {
            auto value = std::make_unique<int>(1);
            EXPECT_EQ(send.run(tx, value), channel_errc::disconnected) << send.name;
            EXPECT_TRUE(value) << send.name;
        }));
    }
    for (auto& thread : threads)
        thread->wait_until_asleep();
    rx.close();
    threads.clear();
    EXPECT_EQ(rx.len(), capacity);
}

// tokio-rs/tokio#8074, #8075, #8260: room of messages received after a close was given back to nobody, or to a send
// that then put a message into a closed channel.
TEST_P(disconnect_bounded, receiving_from_a_closed_channel_lets_no_send_in) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t capacity = *GetParam().capacity;
    for (std::size_t i = 0; i < capacity; ++i)
        EXPECT_TRUE(tx.send(i));
    worker waits([&] { EXPECT_EQ(outcome(tx.send(99)), channel_errc::disconnected); });
    waits.wait_until_asleep();
    rx.close();
    for (std::size_t i = 0; i < capacity; ++i) {
        EXPECT_EQ(rx.recv().value(), i);
        EXPECT_EQ(outcome(tx.try_send(99)), channel_errc::disconnected);
    }
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    EXPECT_EQ(rx.len(), 0u);
}

// rust-lang/rust#39364: a sender cloned while a receive with a time-out waited broke that receive.
TEST_P(disconnect, cloning_a_sender_does_not_disturb_a_waiting_receive) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::latch timed_out(1);
    worker receives([&] {
        EXPECT_EQ(rx.recv_timeout(patience).value(), 1u);
        EXPECT_EQ(outcome(rx.recv_timeout(10ms)), channel_errc::timeout);
        timed_out.count_down();
        EXPECT_EQ(outcome(rx.recv_timeout(patience)), channel_errc::disconnected);
    });
    receives.wait_until_asleep();
    auto clone = tx;
    { auto another = clone; }
    tx.reset();
    EXPECT_TRUE(clone.send(1));
    auto last = clone;
    clone.reset();
    timed_out.wait();
    receives.wait_until_asleep();
    last.reset();
}

// Disconnection against sends under way: nothing is lost, nothing twice, everybody ends.
// crossbeam-rs/crossbeam#971, #972, #1084, #1187 (RUSTSEC-2025-0024): the first block's installation against the
// receiver's leaving leaked it, or freed it twice.
TEST_P(disconnect, the_receiver_may_leave_while_sends_are_under_way) {
    constexpr std::size_t producers = 3;
    for (std::size_t round = 0; round < scaled(200); ++round) {
        tally all;
        std::atomic<uint64_t> sent{0};
        uint64_t received = 0;
        {
            auto [tx, rx] = open<counted>(GetParam());
            std::latch start(producers + 1);
            std::vector<std::unique_ptr<worker>> threads;
            for (std::size_t i = 0; i < producers; ++i) {
                threads.push_back(std::make_unique<worker>([&, handle = tx]() mutable {
                    start.arrive_and_wait();
                    uint64_t value = 0;
                    for (;; ++value) {
                        counted message(all, value);
                        if (!handle.send(std::move(message))) {
                            EXPECT_TRUE(message.holds());
                            break;
                        }
                    }
                    sent += value;
                }));
            }
            tx.reset();
            start.arrive_and_wait();
            for (std::size_t wanted = round % 40; wanted > 0; --wanted) {
                EXPECT_TRUE(rx.recv().value().holds());
                ++received;
            }
            if (round % 2 == 0) {
                rx.reset();
            } else {
                rx.close();
                while (auto message = rx.try_recv())
                    ++received;
                rx.reset();
            }
            threads.clear();
        }
        ASSERT_EQ(all.made, all.gone);
        // Holding its value: what was received, what the receiver left, and each producer's last, which failed.
        ASSERT_EQ(all.dropped, sent + producers);
        ASSERT_LE(received, sent);
    }
}

// After a close, all whose send succeeded is received, and nothing else.
TEST_P(disconnect, a_close_and_the_sends_around_it_agree_on_what_was_sent) {
    for (std::size_t round = 0; round < scaled(200); ++round) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        std::atomic<uint64_t> sent{0};
        uint64_t received = 0;
        const auto send_all = [&sent, &tx] {
            uint64_t value = 0;
            while (tx.send(value))
                ++value;
            sent += value;
        };
        worker first(send_all);
        worker second(send_all);
        for (std::size_t i = 0; i < round % 20; ++i)
            received += rx.recv() ? 1 : 0;
        rx.close();
        while (rx.recv())
            ++received;
        first.join();
        second.join();
        // A send that was under way when the receives ended may have succeeded since.
        while (rx.try_recv())
            ++received;
        ASSERT_EQ(received, sent);
        ASSERT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    }
}

// The last sender and the receiver leave at once: one of them frees the channel, and what is in it, once.
TEST_P(disconnect, both_ends_may_leave_at_once) {
    for (std::size_t round = 0; round < scaled(600); ++round) {
        tally all;
        uint64_t sent = 0;
        {
            auto [tx, rx] = open<counted>(GetParam());
            const std::size_t queued = GetParam().room(round % 4);
            for (std::size_t i = 0; i < queued; ++i)
                sent += tx.send(counted(all, i)) ? 1 : 0;
            std::latch start(2);
            worker leaves([&, handle = std::move(tx), weak = tx.downgrade()]() mutable {
                start.arrive_and_wait();
                handle.reset();
                if (round % 3 == 0)
                    weak.reset();
            });
            start.arrive_and_wait();
            rx.reset();
        }
        ASSERT_EQ(all.made, all.gone);
        ASSERT_EQ(all.dropped, sent);
    }
}

// crossbeam-rs/crossbeam#838: disconnection did not order what came before it. Plain memory: the thread sanitizer
// looks, too.
TEST_P(disconnect, what_came_before_the_last_sender_went_is_seen_after_disconnected) {
    for (std::size_t round = 0; round < scaled(250); ++round) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        uint64_t written[2] = {};
        const auto write_and_leave = [](any_sender<uint64_t>& handle, uint64_t& where) {
            where = 1;
            handle.reset();
        };
        worker first([&, handle = tx]() mutable { write_and_leave(handle, written[0]); });
        worker second([&, handle = std::move(tx)]() mutable { write_and_leave(handle, written[1]); });
        if (round % 2 == 0) {
            ASSERT_EQ(outcome(rx.recv()), channel_errc::disconnected);
        } else {
            while (outcome(rx.try_recv()) != channel_errc::disconnected)
                std::this_thread::yield();
        }
        ASSERT_EQ(written[0] + written[1], 2u);
    }
}

TEST_P(disconnect, what_came_before_the_receiver_went_is_seen_after_disconnected) {
    for (std::size_t round = 0; round < scaled(250); ++round) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        uint64_t written = 0;
        worker leaves([&, receiver = std::move(rx)]() mutable {
            written = 1;
            round % 3 == 0 ? receiver.close() : receiver.reset();
        });
        if (round % 2 == 0) {
            while (tx.send(1))
                std::this_thread::yield();
        } else {
            while (outcome(tx.try_send(1)) != channel_errc::disconnected)
                std::this_thread::yield();
        }
        ASSERT_EQ(written, 1u);
    }
}

// Channels of one message, opened and left in every order on two threads.
TEST_P(disconnect, short_lived_channels_end_well_in_every_order) {
    for (std::size_t round = 0; round < scaled(400); ++round) {
        auto [tx, rx] = open<text>(GetParam());
        worker other([&, handle = std::move(tx)]() mutable {
            if (round % 2 == 0) {
                auto value = std::make_unique<int>(static_cast<int>(round));
                const bool delivered = bool(handle.send(std::move(value)));
                EXPECT_EQ(delivered, value == nullptr);
            }
            handle.reset();
        });
        switch (round % 8 / 2) {
        case 0: {
            const auto got = rx.recv();
            ASSERT_EQ(bool(got), round % 2 == 0);
            if (got) {
                ASSERT_EQ(**got, static_cast<int>(round));
            }
            break;
        }
        case 1: {
            auto got = rx.try_recv();
            if (got) {
                ASSERT_EQ(**got, static_cast<int>(round));
            }
            rx.reset();
            break;
        }
        case 2:
            rx.close();
            break;
        default:
            rx.reset();
        }
    }
}

} // namespace
