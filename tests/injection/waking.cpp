// SPDX-License-Identifier: BSL-1.0
//
// Who lies down against who has something for it: no wake is lost, no outcome has two owners, and who is stalled in the
// middle of waking keeps nobody but itself.
//
// oneTBB#2136: a missing barrier between "I sleep" and "I sent" loses a wake; kanal: a timed-out operation that was completed
// as well; tokio#2854 and #8074: room that is never given back; .NET and Kotlin channels: a cancellation that races with a
// delivery loses the element; a waker that touches a waiter already gone.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <weir/select.hpp>
#include <weir/selector.hpp>
#include <weir/timer.hpp>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
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

// Where a sender has written its message and not yet asked whether the receiver sleeps.
const char* written_point(const flavor& which) {
    return which.is_unbounded() ? "list.written" : which.is_rendezvous() ? "rendezvous.written" : "ring.written";
}

std::vector<const char*> points_before_sleep() {
#if WEIR_PORTABLE_PARKER
    return {"receiver.raised", "receiver.park"}; // behind them it holds its parker's mutex
#else
    return {"receiver.raised", "receiver.park", "parker.sleep"};
#endif
}

// Where a sender wakes the receiver, and has not done so yet.
std::vector<const char*> points_of_waking() {
#if WEIR_PORTABLE_PARKER
    return {"receiver.unpark"}; // behind it it holds the parker's mutex
#else
    return {"receiver.unpark", "parker.wake"};
#endif
}

class waking : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, waking, every_flavor(), flavor_name);
class waking_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, waking_buffered, buffered_flavors(), flavor_name);
// Those that hold more messages than one.
class waking_several : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, waking_several, testing::Values(flavor{}, flavor{2}, flavor{3}, flavor{64}),
                         flavor_name);
class waking_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, waking_bounded, bounded_flavors(), flavor_name);

// ---- The receiver lies down ----

TEST_P(waking, a_message_sent_while_the_receiver_lies_down_is_received) {
    for (const char* point : points_before_sleep()) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        halt here("receiver", point);
        actor receiver("receiver", [&rx] { EXPECT_EQ(rx.recv().value(), 5u); });
        here.wait_until_there();
        EXPECT_TRUE(tx.try_send(5)) << point;
        here.let_go();
        receiver.join();
    }
}

TEST_P(waking, the_last_sender_leaving_while_the_receiver_lies_down_ends_the_receive) {
    for (const char* point : points_before_sleep()) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        halt here("receiver", point);
        actor receiver("receiver", [&rx] { EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected); });
        here.wait_until_there();
        tx.reset();
        here.let_go();
        receiver.join();
    }
}

#if WEIR_HAS_STOP_TOKEN
// A message that is there wins over a stop, all the more over one that was requested after it had come.
TEST_P(waking_buffered, a_message_sent_before_the_stop_was_requested_is_received) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::stop_source stop;
    halt here("receiver", "receiver.looked");
    actor receiver("receiver", [&] {
        const auto received = rx.recv(stop.get_token());
        EXPECT_TRUE(received.has_value() && *received == 5u);
    });
    here.wait_until_there();
    EXPECT_TRUE(tx.try_send(5));
    stop.request_stop();
    here.let_go();
    receiver.join();
}

// Likewise; on a machine so slow that it is due at the first look that finds it.
TEST(waking_timer, one_that_was_due_before_the_stop_was_requested_is_received) {
    const auto due = std::chrono::steady_clock::now() + 200ms;
    auto rx = weir::at(due);
    std::stop_source stop;
    halt looked("receiver", "receiver.missed");
    actor receiver("receiver", [&] { EXPECT_TRUE(rx.recv(stop.get_token()).has_value()); });
    EXPECT_TRUE(eventually([&] { return looked.was_reached() || receiver.has_ended(); }));
    std::this_thread::sleep_until(due);
    stop.request_stop();
    looked.let_go();
    receiver.join();
}

TEST_P(waking, a_stop_requested_while_the_receiver_lies_down_ends_the_receive) {
    for (const char* point : points_before_sleep()) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        std::stop_source stop;
        halt here("receiver", point);
        actor receiver("receiver", [&] { EXPECT_EQ(outcome(rx.recv(stop.get_token())), channel_errc::stopped); });
        here.wait_until_there();
        stop.request_stop();
        here.let_go();
        receiver.join();
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
}
#endif

// The message is there; who made it has not yet asked whether anybody sleeps.
TEST_P(waking_buffered, a_receive_needs_no_wake_for_a_message_that_is_there) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    halt here("sender", written_point(GetParam()));
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
    here.wait_until_there();
    EXPECT_EQ(rx.recv().value(), 5u);
    here.let_go();
}

TEST_P(waking, a_timed_receive_wins_its_message_though_the_wake_is_late) {
    for (const char* point : {written_point(GetParam()), "receiver.unpark"}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        halt here("sender", point);
        visits sleeps("receiver", "receiver.park");
        const stopwatch watch;
        actor receiver("receiver", [&rx] { EXPECT_EQ(rx.recv_timeout(500ms).value(), 5u); });
        sleeps.wait_for_more_than(0);
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
        here.wait_until_there();
        receiver.join();
        EXPECT_LT(watch.elapsed(), 500ms + on_time);
        here.let_go();
    }
}

TEST_P(waking, a_late_wake_harms_no_later_receive) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    halt here("sender", "receiver.unpark");
    visits sleeps("receiver", "receiver.park");
    std::optional<actor> receiver;
    receiver.emplace("receiver", [&rx] { EXPECT_EQ(rx.recv_timeout(300ms).value(), 5u); });
    sleeps.wait_for_more_than(0);
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
    here.wait_until_there();
    receiver->join();
    const int before = sleeps.value();
    receiver.emplace("receiver", [&rx] { EXPECT_EQ(rx.recv().value(), 6u); });
    sleeps.wait_for_more_than(before);
    here.let_go();
    sender.join();
    EXPECT_TRUE(tx.send(6));
    receiver->join();
}

// What was sent completely is received, though who began to wake the receiver before does not come to it.
TEST_P(waking_several, a_receive_does_not_wait_for_a_sender_that_stands_still_while_it_wakes_it) {
    for (const char* point : points_of_waking()) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        halt here("sender", point);
        visits sleeps("receiver", "receiver.park");
        actor receiver("receiver", [&rx] {
            EXPECT_EQ(rx.recv().value(), 5u);
            EXPECT_EQ(rx.recv().value(), 6u);
        });
        sleeps.wait_for_more_than(0);
        receiver.wait_until_asleep();
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
        here.wait_until_there();
        EXPECT_TRUE(tx.send(6));
        EXPECT_TRUE(eventually([&receiver] { return receiver.has_ended(); })) << point;
        here.let_go();
    }
}

#if WEIR_HAS_STOP_TOKEN
TEST_P(waking_buffered, a_stop_ends_a_receive_though_a_sender_stands_still_while_it_wakes_it) {
    for (const char* point : points_of_waking()) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        std::stop_source stop;
        halt here("sender", point);
        visits sleeps("receiver", "receiver.park");
        actor receiver("receiver", [&] { EXPECT_EQ(rx.recv(stop.get_token()).value(), 5u); });
        sleeps.wait_for_more_than(0);
        receiver.wait_until_asleep();
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
        here.wait_until_there();
        stop.request_stop();
        EXPECT_TRUE(eventually([&receiver] { return receiver.has_ended(); })) << point;
        here.let_go();
    }
}
#endif

// Whoever finds that the receiver was woken leaves it at that.
TEST_P(waking_several, a_sleep_is_ended_by_one_system_call) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    halt woken("receiver", "receiver.woken");
    visits sleeps("receiver", "receiver.park");
    visits wakes("sender", "receiver.unpark");
    actor receiver("receiver", [&rx] {
        EXPECT_EQ(rx.recv().value(), 5u);
        EXPECT_EQ(rx.recv().value(), 6u);
    });
    sleeps.wait_for_more_than(0);
    receiver.wait_until_asleep();
    actor sender("sender", [&] {
        EXPECT_TRUE(tx.send(5));
        EXPECT_TRUE(tx.send(6));
        EXPECT_EQ(wakes.value(), 1);
    });
    woken.wait_until_there();
    sender.join();
    woken.let_go();
}

// ---- A select ----

// A message that is there wins over a time that is out, all the more over one that ran out after it had come.
TEST_P(waking_buffered, a_select_takes_a_message_that_came_between_its_look_and_the_deadline) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    halt looked("receiver", "receiver.missed");
    const auto deadline = std::chrono::steady_clock::now() + 20ms;
    actor receiver("receiver", [&, &from = rx] {
        EXPECT_EQ(weir::select(weir::on_recv(from, [](auto received) { return received.value_or(0); }),
                               weir::on_deadline(deadline, [] { return uint64_t{0}; })),
                  5u);
    });
    looked.wait_until_there();
    EXPECT_TRUE(tx.send(5));
    std::this_thread::sleep_until(deadline);
    looked.let_go();
    receiver.join();
}

// ---- A selector ----

TEST_P(waking_buffered, a_selector_that_only_looks_finds_a_message_that_it_was_not_told_of) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    weir::selector any;
    const std::size_t number = any.add(rx);
    EXPECT_EQ(any.try_ready(), std::nullopt);
    halt here("sender", written_point(GetParam()));
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
    here.wait_until_there();
    EXPECT_EQ(any.try_ready(), number);
    EXPECT_EQ(any.ready_timeout(1ms), number);
    here.let_go();
}

TEST_P(waking_buffered, a_selector_is_woken_though_who_told_it_before_is_stalled) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto [other_tx, other_rx] = open<uint64_t>(GetParam());
    weir::selector any;
    (void)any.add(rx);
    (void)any.add(other_rx);
    EXPECT_EQ(any.try_ready(), std::nullopt);
    halt here("sender", "selector.told");
    actor waits("selector", [&any] { EXPECT_TRUE(any.ready_timeout(2 * patience)); });
    waits.wait_until_asleep();
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(5)); });
    here.wait_until_there();
    EXPECT_TRUE(other_tx.send(6));
    EXPECT_TRUE(eventually([&] { return waits.has_ended(); }));
    here.let_go();
}

// ---- A sender lies down ----

std::vector<const char*> points_of_enrolling() {
#if WEIR_PORTABLE_PARKER
    return {"sender.enrol", "sender.locked", "sender.enrolled", "sender.park"};
#else
    return {"sender.enrol", "sender.locked", "sender.enrolled", "sender.park", "parker.sleep"};
#endif
}

void fill(const any_sender<uint64_t>& tx, const flavor& which) {
    for (uint64_t i = 0; i < *which.capacity; ++i)
        ASSERT_TRUE(tx.try_send(i));
}

// All that fill() sent but the first.
void expect_others_of_fill(weir::receiver<uint64_t>& rx, const flavor& which) {
    for (uint64_t i = 1; i < *which.capacity; ++i)
        EXPECT_EQ(rx.try_recv().value(), i);
}

void expect_exact_capacity(const any_sender<uint64_t>& tx, weir::receiver<uint64_t>& rx, const flavor& which) {
    fill(tx, which);
    EXPECT_EQ(outcome(tx.try_send(0)), channel_errc::full);
    for (uint64_t i = 0; i < *which.capacity; ++i)
        EXPECT_EQ(rx.try_recv().value(), i);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
}

// A thread in a send that waits: it is about to sleep when it has been made.
class waiting_sender : visits, public actor {
public:
    template <class Body>
    waiting_sender(const char* name, Body body) : visits(name, "sender.park"), actor(name, std::move(body)) {
        wait_for_more_than(0);
    }
    using visits::wait_for_more_than;
};

TEST_P(waking_bounded, room_made_while_a_sender_lies_down_is_found) {
    for (const char* point : points_of_enrolling()) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        fill(tx, GetParam());
        halt here("sender", point);
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(77)); });
        here.wait_until_there();
        if (GetParam().is_rendezvous()) {
            actor receiver("receiver", [&rx] { EXPECT_EQ(rx.recv().value(), 77u); });
            here.let_go();
            receiver.join();
            sender.join();
        } else {
            EXPECT_EQ(rx.try_recv().value(), 0u);
            here.let_go();
            sender.join();
            expect_others_of_fill(rx, GetParam());
            EXPECT_EQ(rx.try_recv().value(), 77u);
        }
        expect_exact_capacity(tx, rx, GetParam());
    }
}

// Nor need the sender run for that: any thread may move a string.
TEST_P(waking_bounded, the_string_of_a_sender_that_lies_down_is_received) {
    auto [tx, rx] = open<std::string>(GetParam());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_TRUE(tx.try_send("before"));
    halt here("sender", "sender.park");
    std::string message(100, 'x');
    actor sender("sender", [&] { EXPECT_TRUE(tx.send(std::move(message))); });
    here.wait_until_there();
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(rx.try_recv().value(), "before");
    EXPECT_EQ(rx.try_recv().value(), std::string(100, 'x'));
    here.let_go();
    sender.join();
    EXPECT_TRUE(message.empty());
}

TEST_P(waking_bounded, a_close_while_a_sender_lies_down_ends_its_send) {
    for (const char* point : points_of_enrolling()) {
        if (std::string_view(point) == "sender.locked")
            continue; // a close waits for who has the lock
        for (const bool goes : {false, true}) {
            auto [tx, rx] = open<uint64_t>(GetParam());
            fill(tx, GetParam());
            halt here("sender", point);
            actor sender("sender", [&tx] { EXPECT_EQ(outcome(tx.send(77)), channel_errc::disconnected); });
            here.wait_until_there();
            goes ? rx.reset() : rx.close();
            here.let_go();
            sender.join();
        }
    }
}

// The time is up, but nobody has said so yet.
TEST_P(waking_bounded, a_sender_served_at_the_moment_of_its_time_out_succeeds) {
    auto [tx, rx] = open<counted>(GetParam());
    tally messages;
    const std::size_t capacity = *GetParam().capacity;
    for (uint64_t i = 0; i < capacity; ++i)
        EXPECT_TRUE(tx.try_send(counted(messages, i)));
    halt here("sender", "sender.timeout");
    actor sender("sender", [&] {
        counted message(messages, 77);
        EXPECT_TRUE(tx.send_timeout(std::move(message), 20ms));
        EXPECT_FALSE(message.holds());
    });
    here.wait_until_there();
    EXPECT_EQ(rx.try_recv().value().value(), capacity == 0 ? 77u : 0u);
    here.let_go();
    sender.join();
    for (uint64_t i = 1; i < capacity; ++i)
        EXPECT_EQ(rx.try_recv().value().value(), i);
    if (capacity != 0) {
        EXPECT_EQ(rx.try_recv().value().value(), 77u);
    }
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
}

// The receiver has taken the sender out of the list, and stands still; then the sender's time is up, or it is stopped.
TEST_P(waking_bounded, a_sender_that_is_being_served_neither_times_out_nor_stops) {
    for (const char* point : {"sender.popped", "sender.finish"}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        fill(tx, GetParam());
        const uint64_t first = GetParam().is_rendezvous() ? 77 : 0;
        halt here("receiver", point);
        waiting_sender sender("sender", [&tx] { EXPECT_TRUE(tx.send_timeout(77, 200ms)); });
        actor receiver("receiver", [&rx, first] { EXPECT_EQ(rx.recv().value(), first); });
        here.wait_until_there();
        std::this_thread::sleep_for(250ms);
        EXPECT_FALSE(sender.has_ended());
        here.let_go();
        sender.join();
        receiver.join();
        if (!GetParam().is_rendezvous()) {
            expect_others_of_fill(rx, GetParam());
            EXPECT_EQ(rx.try_recv().value(), 77u);
        }
        expect_exact_capacity(tx, rx, GetParam());
    }
}

#if WEIR_HAS_STOP_TOKEN
TEST_P(waking_bounded, a_sender_that_is_being_served_is_not_stopped) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    const uint64_t first = GetParam().is_rendezvous() ? 77 : 0;
    std::stop_source stop;
    halt here("receiver", "sender.popped");
    waiting_sender sender("sender", [&] { EXPECT_TRUE(tx.send(77, stop.get_token())); });
    actor receiver("receiver", [&rx, first] { EXPECT_EQ(rx.recv().value(), first); });
    here.wait_until_there();
    stop.request_stop();
    here.let_go();
    sender.join();
    receiver.join();
}

// A stop is requested after room was made: the room wins, though the sender looked for it before.
TEST_P(waking_bounded, room_that_was_there_before_a_stop_wins_over_it) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    std::stop_source stop;
    halt here("sender", "ring.full");
    actor sender("sender", [&] { EXPECT_TRUE(tx.send(77, stop.get_token())); });
    here.wait_until_there();
    EXPECT_EQ(rx.try_recv().value(), 0u);
    stop.request_stop();
    here.let_go();
}
#endif

// A sender that has timed out and is about to leave the list, when room comes: it takes it, or leaves it to the next.
TEST_P(waking_bounded, a_sender_that_leaves_swallows_nobodys_room) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    halt here("sender", "sender.withdraw");
    channel_errc result{};
    actor sender("sender", [&] { result = outcome(tx.send_timeout(77, 20ms)); });
    here.wait_until_there();
    waiting_sender next("next", [&tx] { EXPECT_TRUE(tx.send(88)); });
    EXPECT_EQ(rx.try_recv().value(), 0u);
    next.join();
    here.let_go();
    sender.join();
    EXPECT_EQ(result, channel_errc::timeout);
    expect_others_of_fill(rx, GetParam());
    EXPECT_EQ(rx.try_recv().value(), 88u);
    expect_exact_capacity(tx, rx, GetParam());
}

// The same sender when nobody else waits: the room is there before its send returns.
TEST_P(waking_bounded, room_that_comes_while_a_sender_gives_up_wins_over_its_time_out) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    halt here("sender", "sender.withdraw");
    actor sender("sender", [&] { EXPECT_TRUE(tx.send_timeout(77, 20ms)); });
    here.wait_until_there();
    EXPECT_EQ(rx.try_recv().value(), 0u);
    here.let_go();
    sender.join();
    expect_others_of_fill(rx, GetParam());
    EXPECT_EQ(rx.try_recv().value(), 77u);
}

// A receiver stands still before and after it publishes room; a sender comes meanwhile.
TEST_P(waking_bounded, a_sender_that_comes_while_room_is_published_gets_it) {
    if (GetParam().is_rendezvous())
        return;
    for (const char* point : {"ring.publish", "ring.published"}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        fill(tx, GetParam());
        halt here("receiver", point);
        visits enrolled("sender", "sender.enrol");
        actor receiver("receiver", [&rx] { EXPECT_EQ(rx.try_recv().value(), 0u); });
        here.wait_until_there();
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(77)); });
        EXPECT_TRUE(eventually([&] { return enrolled.value() > 0 || sender.has_ended(); }));
        here.let_go();
        receiver.join();
        sender.join();
        expect_others_of_fill(rx, GetParam());
        EXPECT_EQ(rx.try_recv().value(), 77u);
        expect_exact_capacity(tx, rx, GetParam());
    }
}

// Room for two that comes while the list of the waiting senders is locked is one debt to who holds the lock, for both.
TEST_P(waking_bounded, room_that_comes_while_the_list_is_locked_is_told_to_as_many_as_there_is_room_for) {
    if (*GetParam().capacity < 2)
        return;
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    waiting_sender first("first", [&tx] { EXPECT_TRUE(tx.send(77)); });
    waiting_sender second("second", [&tx] { EXPECT_TRUE(tx.send(88)); });
    halt locks("third", "sender.locked");
    halt enrolled("third", "sender.enrolled");
    actor third("third", [&tx] { EXPECT_TRUE(tx.send(99)); });
    locks.wait_until_there();
    EXPECT_EQ(rx.try_recv().value(), 0u);
    EXPECT_EQ(rx.try_recv().value(), 1u);
    locks.let_go();
    enrolled.wait_until_there(); // and has told those before it
    EXPECT_TRUE(eventually([&] { return first.has_ended() && second.has_ended(); }));
    enrolled.let_go();
    std::vector<uint64_t> rest;
    for (uint64_t i = 2; i < *GetParam().capacity + 3; ++i)
        rest.push_back(rx.recv().value());
    EXPECT_EQ(rest.back(), 99u);
    first.join();
    second.join();
    third.join();
    expect_exact_capacity(tx, rx, GetParam());
}

// Others see the room that a receive makes only when who waits for it has it.
TEST_P(waking_bounded, room_that_others_see_is_not_that_of_a_waiting_sender) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    waiting_sender sender("sender", [&tx] { EXPECT_TRUE(tx.send(77)); });
    halt here("receiver", "ring.published");
    actor receiver("receiver", [&rx] { EXPECT_EQ(rx.try_recv().value(), 0u); });
    here.wait_until_there();
    EXPECT_EQ(outcome(tx.try_send(88)), channel_errc::full);
    here.let_go();
    receiver.join();
    expect_others_of_fill(rx, GetParam());
    EXPECT_EQ(rx.recv().value(), 77u);
    sender.join();
    expect_exact_capacity(tx, rx, GetParam());
}

// A number that only its sender's own thread may move.
struct own_number {
    explicit own_number(uint64_t number) noexcept : value(number) {}
    own_number(own_number&& other) noexcept : value(other.value) {}

    uint64_t value;
};

// Who is told of room and stands still does not hold it up, and who was overtaken for long has the next place for itself.
TEST_P(waking_bounded, a_sender_that_moves_its_message_itself_is_overtaken_but_not_for_ever) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<own_number>(GetParam());
    std::vector<uint64_t> expected;
    for (uint64_t i = 0; i < *GetParam().capacity; ++i) {
        ASSERT_TRUE(tx.try_send(own_number(i)));
        expected.push_back(i);
    }
    std::vector<uint64_t> received;
    const auto receive = [&] { received.push_back(rx.recv().value().value); };
    waiting_sender sender("sender", [&] { EXPECT_TRUE(tx.send(own_number(77))); });
    {
        halt here("sender", "ring.claim");
        receive();
        here.wait_until_there();
        for (uint64_t i = 0; i < 1100; ++i) { // more than it lets overtake it
            EXPECT_TRUE(tx.try_send(own_number(88)));
            receive();
            expected.push_back(88);
        }
        EXPECT_TRUE(tx.try_send(own_number(88)));
        here.let_go();
        sender.wait_for_more_than(1);
    }
    halt no_more("sender", "ring.claim");
    receive();
    EXPECT_EQ(outcome(tx.try_send(own_number(99))), channel_errc::full);
    no_more.let_go();
    sender.join();
    EXPECT_FALSE(no_more.was_reached());
    expected.insert(expected.end(), {88, 77});
    while (received.size() != expected.size())
        receive();
    EXPECT_EQ(received, expected);
}

// The room of messages that were taken past a stalled sender comes back all at once.
TEST(waking_ring, all_who_wait_are_told_when_several_places_come_back_at_once) {
    auto [tx, rx] = weir::sync_channel<own_number>(3);
    halt here("stalled", "ring.claimed");
    actor stalled("stalled", [&] { EXPECT_TRUE(tx.send(own_number(0))); });
    here.wait_until_there();
    EXPECT_TRUE(tx.try_send(own_number(1)));
    EXPECT_TRUE(tx.try_send(own_number(2)));
    waiting_sender one("one", [&] { EXPECT_TRUE(tx.send(own_number(3))); });
    waiting_sender other("other", [&] { EXPECT_TRUE(tx.send(own_number(4))); });
    EXPECT_EQ(rx.try_recv().value().value, 1u);
    EXPECT_EQ(rx.try_recv().value().value, 2u);
    here.let_go();
    stalled.join();
    EXPECT_EQ(rx.try_recv().value().value, 0u);
    EXPECT_TRUE(eventually([&] { return one.has_ended() && other.has_ended(); }));
    EXPECT_EQ(rx.recv().value().value + rx.recv().value().value, 7u);
}

#if !WEIR_PORTABLE_PARKER
// The waiter lies on a stack that is gone when its waker goes on.
TEST_P(waking_bounded, a_waker_does_not_touch_a_waiter_that_is_gone) {
    const interrupting handler;
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx, GetParam());
    halt here("receiver", "parker.wake");
    std::optional<waiting_sender> sender;
    sender.emplace("sender", [&tx] { EXPECT_TRUE(tx.send_timeout(77, patience)); });
    sender->wait_until_asleep();
    actor receiver("receiver", [&rx] { EXPECT_TRUE(rx.recv()); });
    here.wait_until_there();
    EXPECT_TRUE(eventually([&] { // nobody has woken it yet: it finds out by itself that it was served
        sender->signal(interrupting::number);
        return sender->has_ended();
    }));
    sender.reset();
    here.let_go();
}
#endif

// ---- The rendezvous ----

TEST(waking_rendezvous, a_receive_that_a_sender_has_begun_to_serve_does_not_time_out) {
    for (const char* point : {"rendezvous.claimed", "rendezvous.made"}) {
        auto [tx, rx] = open<uint64_t>(flavor{0});
        halt here("sender", point);
        visits sleeps("receiver", "receiver.park");
        actor receiver("receiver", [&rx] { EXPECT_EQ(rx.recv_timeout(200ms).value(), 5u); });
        sleeps.wait_for_more_than(0);
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.try_send(5)); });
        here.wait_until_there();
        EXPECT_EQ(outcome(tx.try_send(6)), channel_errc::full);
        sleeps.wait_for_more_than(1);
        EXPECT_FALSE(receiver.has_ended());
        here.let_go();
        receiver.join();
        sender.join();
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
}

TEST(waking_rendezvous, a_receive_served_at_the_moment_of_its_time_out_succeeds) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    halt here("receiver", "rendezvous.disarm");
    actor receiver("receiver", [&rx] { EXPECT_EQ(rx.recv_timeout(20ms).value(), 5u); });
    here.wait_until_there();
    EXPECT_TRUE(tx.try_send(5));
    here.let_go();
    receiver.join();
    EXPECT_EQ(outcome(tx.try_send(6)), channel_errc::full);
}

TEST(waking_rendezvous, a_sender_that_comes_when_the_receiver_is_armed_meets_it) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    halt here("receiver", "rendezvous.armed");
    actor receiver("receiver", [&rx] { EXPECT_EQ(rx.recv().value(), 5u); });
    here.wait_until_there();
    EXPECT_TRUE(tx.send(5));
    here.let_go();
}

// The receiver took a waiting sender out, and another one is quicker: the first keeps its turn.
TEST(waking_rendezvous, a_sender_that_was_beaten_to_the_receiver_is_served_next) {
    auto [tx, rx] = open<uint64_t>(flavor{0});
    halt arms("receiver", "rendezvous.armed");
    halt takes("receiver", "rendezvous.popped");
    halt enrols("first", "sender.enrol");
    actor first("first", [&tx] { EXPECT_TRUE(tx.send(1)); });
    enrols.wait_until_there(); // it found no receiver
    actor receiver("receiver", [&rx] {
        EXPECT_EQ(rx.recv().value(), 2u);
        EXPECT_EQ(rx.recv().value(), 1u);
    });
    arms.wait_until_there();
    halt sees("first", "sender.enrolled");
    enrols.let_go();
    sees.wait_until_there(); // enrolled, and has not yet looked again
    arms.let_go();
    takes.wait_until_there();
    EXPECT_TRUE(tx.try_send(2));
    takes.let_go();
    sees.let_go();
    receiver.join();
    first.join();
}

} // namespace
