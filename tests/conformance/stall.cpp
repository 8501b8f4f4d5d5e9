// SPDX-License-Identifier: BSL-1.0
//
// A producer that stands still in the middle of its send: a latch holds it inside the move constructor of its message.
// Nobody waits for it, and what was sent completely behind it is received.
//
// Vyukov's bounded queue says empty while a later element is complete; rust-lang/rust#112723: receivers spin for as
// long as the producer stands still.

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

constexpr uint64_t held_value = 77777;

// A send that has begun to move its message and stands still until it is let go, at the latest when this goes.
class held_send {
public:
    explicit held_send(const any_sender<slow>& tx, uint64_t value = held_value)
        : thread_([this, handle = tx, value] { succeeded_ = bool(handle.send(slow(value, &stall_, destroyed_))); }) {
        stall_.wait_until_held();
    }
    ~held_send() { stall_.release(); }

    bool finish() {
        stall_.release();
        thread_.join();
        return succeeded_;
    }
    int destroyed() const { return *destroyed_; }

private:
    stall stall_;
    // Shared with the message, which may stay in the channel for longer.
    const std::shared_ptr<std::atomic<int>> destroyed_ = std::make_shared<std::atomic<int>>(0);
    bool succeeded_ = false;
    worker thread_;
};

// What a channel of `which` lets pass while one producer stands still.
std::size_t passing(const flavor& which, std::size_t wanted) {
    return which.capacity ? std::min(*which.capacity - 1, wanted) : wanted;
}

class stall_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, stall_buffered, buffered_flavors(), flavor_name);
class stall_roomy : public flavor_test {}; // those with room for two held messages and some that pass
INSTANTIATE_TEST_SUITE_P(flavors, stall_roomy, testing::Values(flavor{}, flavor{5}, flavor{64}, flavor{1000}),
                         flavor_name);
class stall_ring : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, stall_ring, ring_flavors(), flavor_name);

TEST_P(stall_buffered, messages_sent_behind_it_are_received_past_it) {
    auto [tx, rx] = open<slow>(GetParam());
    const std::size_t behind = passing(GetParam(), 3000);
    held_send held(tx);
    for (uint64_t i = 0; i < behind; ++i)
        ASSERT_TRUE(tx.try_send(slow(i)));
    for (uint64_t i = 0; i < behind; ++i)
        ASSERT_EQ(rx.try_recv().value().value(), i);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_TRUE(held.finish());
    EXPECT_EQ(rx.try_recv().value().value(), held_value);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
}

TEST_P(stall_buffered, messages_sent_and_received_in_turn_pass_it) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    for (uint64_t i = 0; i < passing(GetParam(), 5000); ++i) {
        ASSERT_TRUE(tx.try_send(slow(i)));
        ASSERT_EQ(rx.recv().value().value(), i);
        ASSERT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
    EXPECT_TRUE(held.finish());
    EXPECT_EQ(rx.recv().value().value(), held_value);
}

// Every receive finds them, each in its own way.
TEST_P(stall_roomy, every_way_to_receive_goes_past_it) {
    auto [tx, rx] = open<slow>(GetParam());
    for (int round = 0; round < 3; ++round) {
        held_send held(tx);
        for (uint64_t i = 0; i < 4; ++i)
            ASSERT_TRUE(tx.try_send(slow(i)));
        switch (round) {
        case 0:
            EXPECT_EQ(rx.recv_timeout(0s).value().value(), 0u);
            EXPECT_EQ(rx.recv_timeout(1h).value().value(), 1u);
            EXPECT_EQ(rx.recv_deadline(std::chrono::steady_clock::now() + 1h).value().value(), 2u);
            EXPECT_EQ(rx.recv().value().value(), 3u);
            break;
        case 1: {
            uint64_t expected = 0;
            for (auto message : rx.try_iter())
                EXPECT_EQ(message.value(), expected++);
            EXPECT_EQ(expected, 4u);
            break;
        }
        default: {
            uint64_t expected = 0;
            for (auto message : rx) {
                EXPECT_EQ(message.value(), expected++);
                if (expected == 4)
                    break;
            }
        }
        }
        EXPECT_TRUE(held.finish());
        EXPECT_EQ(rx.recv().value().value(), held_value);
    }
}

TEST_P(stall_roomy, recv_many_takes_what_is_complete) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    for (uint64_t i = 0; i < 4; ++i)
        ASSERT_TRUE(tx.try_send(slow(i)));
    std::vector<uint64_t> got;
    struct values { // an output iterator that keeps the values only
        using difference_type = std::ptrdiff_t;
        std::vector<uint64_t>* where;
        values& operator*() { return *this; }
        values& operator++() { return *this; }
        values operator++(int) { return *this; }
        values& operator=(slow&& message) {
            where->push_back(message.value());
            return *this;
        }
    };
    EXPECT_EQ(rx.recv_many(values{&got}, 10).value(), 4u);
    EXPECT_EQ(got, (std::vector<uint64_t>{0, 1, 2, 3}));
}

TEST_P(stall_roomy, each_of_several_is_received_when_it_is_complete) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send first(tx, 100);
    ASSERT_TRUE(tx.try_send(slow(1)));
    held_send second(tx, 200);
    ASSERT_TRUE(tx.try_send(slow(2)));
    EXPECT_EQ(rx.try_recv().value().value(), 1u);
    EXPECT_EQ(rx.try_recv().value().value(), 2u);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_TRUE(second.finish());
    EXPECT_EQ(rx.try_recv().value().value(), 200u);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_TRUE(first.finish());
    EXPECT_EQ(rx.try_recv().value().value(), 100u);
}

TEST_P(stall_buffered, a_receive_that_finds_nothing_else_is_on_time) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    const stopwatch watch;
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_EQ(outcome(rx.recv_timeout(0ms)), channel_errc::timeout);
    EXPECT_LT(watch.elapsed(), on_time);
    EXPECT_EQ(outcome(rx.recv_timeout(30ms)), channel_errc::timeout);
    EXPECT_GE(watch.elapsed(), 30ms);
    EXPECT_EQ(outcome(rx.recv_deadline(std::chrono::steady_clock::now() + 30ms)), channel_errc::timeout);
    EXPECT_LT(watch.elapsed(), 60ms + on_time);
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    worker receives([&] { EXPECT_EQ(outcome(rx.recv(stop.get_token())), channel_errc::stopped); });
    std::this_thread::sleep_for(5ms);
    stop.request_stop();
    receives.join();
#endif
}

// Whether a receive lies down before or after the send is complete, it gets up for it.
TEST_P(stall_buffered, a_waiting_receive_gets_the_message_once_it_is_complete) {
    auto [tx, rx] = open<slow>(GetParam());
    for (int round = 0; round < 40; ++round) {
        held_send held(tx);
        worker receives([&rx] { EXPECT_EQ(rx.recv().value().value(), held_value); });
        std::this_thread::sleep_for(round * 50us);
        EXPECT_TRUE(held.finish());
    }
}

TEST_P(stall_roomy, a_waiting_receive_gets_a_message_sent_behind_it) {
    auto [tx, rx] = open<slow>(GetParam());
    for (int round = 0; round < 40; ++round) {
        held_send held(tx);
        {
            worker receives([&rx] { EXPECT_EQ(rx.recv().value().value(), 5u); });
            std::this_thread::sleep_for(round * 50us);
            EXPECT_TRUE(tx.try_send(slow(5)));
        }
        EXPECT_TRUE(held.finish());
        EXPECT_EQ(rx.try_recv().value().value(), held_value);
    }
}

TEST_P(stall_buffered, waiting_for_it_leaves_the_processor_alone) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    std::this_thread::sleep_for(1ms);
    worker receives([&rx] { EXPECT_EQ(rx.recv().value().value(), held_value); });
    std::this_thread::sleep_for(400ms);
    EXPECT_LT(receives.processor_time(), 100ms);
    EXPECT_TRUE(held.finish());
}

TEST_P(stall_ring, a_full_channel_stays_full_and_a_waiting_send_gets_in_afterwards) {
    auto [tx, rx] = open<slow>(GetParam());
    const std::size_t capacity = *GetParam().capacity;
    held_send held(tx);
    for (uint64_t i = 0; i + 1 < capacity; ++i)
        ASSERT_TRUE(tx.try_send(slow(i)));
    EXPECT_EQ(outcome(tx.try_send(slow(0))), channel_errc::full);
    EXPECT_EQ(outcome(tx.send_timeout(slow(0), 5ms)), channel_errc::timeout);
    worker waits([&tx] { EXPECT_TRUE(tx.send(slow(5555))); });
    waits.wait_until_asleep();
    EXPECT_TRUE(held.finish());
    std::vector<uint64_t> got;
    for (std::size_t i = 0; i < capacity + 1; ++i)
        got.push_back(rx.recv().value().value());
    EXPECT_EQ(got.front(), held_value);
    EXPECT_EQ(got.back(), 5555u);
    for (std::size_t i = 0; i + 1 < capacity; ++i)
        EXPECT_EQ(got[i + 1], i);
}

TEST_P(stall_ring, all_room_is_back_after_it) {
    auto [tx, rx] = open<slow>(GetParam());
    const std::size_t capacity = *GetParam().capacity;
    for (int round = 0; round < 5; ++round) {
        held_send held(tx);
        for (uint64_t i = 0; i + 1 < capacity; ++i) {
            ASSERT_TRUE(tx.try_send(slow(i)));
            ASSERT_EQ(rx.try_recv().value().value(), i);
        }
        EXPECT_TRUE(held.finish());
        EXPECT_EQ(rx.try_recv().value().value(), held_value);
        EXPECT_TRUE(rx.is_empty());
        for (uint64_t i = 0; i < capacity; ++i)
            ASSERT_TRUE(tx.try_send(slow(i)));
        EXPECT_EQ(outcome(tx.try_send(slow(0))), channel_errc::full);
        for (uint64_t i = 0; i < capacity; ++i)
            ASSERT_EQ(rx.try_recv().value().value(), i);
    }
}

// The receiver goes: it destroys what is there and waits for nobody; the send reports success, and its message is
// destroyed no later than that.
TEST_P(stall_buffered, the_receiver_may_leave_before_it_is_complete) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    const auto destroyed = std::make_shared<std::atomic<int>>(0);
    const std::size_t behind = passing(GetParam(), 2000);
    for (uint64_t i = 0; i < behind; ++i)
        ASSERT_TRUE(tx.try_send(slow(i, nullptr, destroyed)));
    rx.reset();
    EXPECT_EQ(*destroyed, static_cast<int>(behind));
    EXPECT_EQ(outcome(tx.try_send(slow(1))), channel_errc::disconnected);
    EXPECT_EQ(held.destroyed(), 0);
    EXPECT_TRUE(held.finish());
    EXPECT_EQ(held.destroyed(), 1);
}

TEST_P(stall_buffered, both_ends_may_leave_before_it_is_complete) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    tx.reset();
    EXPECT_FALSE(rx.is_disconnected()) << "its handle is still there";
    rx.reset();
    EXPECT_TRUE(held.finish());
    EXPECT_EQ(held.destroyed(), 1);
}

TEST_P(stall_buffered, a_close_keeps_the_message_of_a_send_that_succeeds) {
    auto [tx, rx] = open<slow>(GetParam());
    held_send held(tx);
    const std::size_t behind = passing(GetParam(), 10);
    for (uint64_t i = 0; i < behind; ++i)
        ASSERT_TRUE(tx.try_send(slow(i)));
    rx.close();
    EXPECT_EQ(outcome(tx.try_send(slow(1))), channel_errc::disconnected);
    for (uint64_t i = 0; i < behind; ++i)
        EXPECT_EQ(rx.try_recv().value().value(), i);
    EXPECT_FALSE(rx.try_recv());
    if (held.finish()) {
        EXPECT_EQ(rx.recv().value().value(), held_value);
    }
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    EXPECT_EQ(held.destroyed(), 1);
}

// A rendezvous: who has begun to serve a receive, or to take from a send, is waited for, asleep, and both succeed,
// whatever the time.
TEST(stall_rendezvous, a_receive_that_is_being_served_ends_with_the_message) {
    auto [tx, rx] = open<slow>(flavor{0});
    const auto end = std::chrono::steady_clock::now() + 1s;
    worker receives([&] { EXPECT_EQ(rx.recv_deadline(end).value().value(), held_value); });
    receives.wait_until_asleep();
    held_send held(tx);
    EXPECT_EQ(outcome(tx.try_send(slow(1))), channel_errc::full) << "and others do not wait";
    EXPECT_EQ(outcome(tx.send_timeout(slow(1), 5ms)), channel_errc::timeout);
    std::this_thread::sleep_until(end + 100ms);
    EXPECT_FALSE(receives.has_ended());
    EXPECT_LT(receives.processor_time(), 100ms);
    EXPECT_TRUE(held.finish());
}

TEST(stall_rendezvous, a_send_that_is_being_taken_ends_with_success) {
    auto [tx, rx] = open<slow>(flavor{0});
    stall where;
    const auto end = std::chrono::steady_clock::now() + 1s;
    worker sends([&] { EXPECT_TRUE(tx.send_deadline(slow(held_value, &where), end)); });
    sends.wait_until_asleep();
    worker receives([&rx] { EXPECT_EQ(rx.recv_timeout(patience).value().value(), held_value); });
    where.wait_until_held();
    EXPECT_EQ(outcome(tx.try_send(slow(1))), channel_errc::full);
    std::this_thread::sleep_until(end + 100ms);
    EXPECT_FALSE(sends.has_ended());
    EXPECT_LT(sends.processor_time(), 100ms);
    where.release();
}

} // namespace
