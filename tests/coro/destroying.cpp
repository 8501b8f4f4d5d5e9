// SPDX-License-Identifier: BSL-1.0
//
// A coroutine is destroyed while it waits, in every state that its wait can be in: no message is lost, none is received twice,
// and whoever waits behind it is served; or it goes on after a wake that was for nothing. Interleavings with other threads are
// made certain by the points of the protocols.
//
// flume: a woken receive that is dropped swallows the wake of the next one. .NET and Kotlin channels: cancellation racing with
// delivery loses the element. kanal: double free where a timed-out operation was completed as well.

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
#include "../conformance/support/threads.hpp"
#include "../injection/support/script.hpp"
#include "support/task.hpp"

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace conformance;
using namespace injection;
using namespace coro;
using std::uint64_t;

namespace {

class destroying : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, destroying, every_flavor(), flavor_name);
class destroying_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, destroying_buffered, buffered_flavors(), flavor_name);
class destroying_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, destroying_bounded, bounded_flavors(), flavor_name);
class destroying_rings : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, destroying_rings, ring_flavors(), flavor_name);

using value = std::unique_ptr<uint64_t>;
value made(uint64_t number) { return std::make_unique<uint64_t>(number); }

struct noting {
    run_queue* where;
    std::atomic<int>* calls;
    void operator()(std::coroutine_handle<> handle) const noexcept {
        ++*calls;
        where->push(handle);
    }
};

template <class T>
task receive_one(weir::receiver<T>& rx, run_queue& queue, std::atomic<int>& calls) {
    static_cast<void>(co_await weir::resume_on(weir::async_recv(rx), noting{&queue, &calls}));
}
template <class T>
task receive_here(weir::receiver<T>& rx, bool& has_received) {
    const auto message = co_await weir::async_recv(rx);
    has_received = message.has_value();
}
template <class T>
task send_one(const weir::sync_sender<T>& tx, T& message, run_queue& queue, std::atomic<int>& calls) {
    static_cast<void>(co_await weir::resume_on(weir::async_send(tx, std::move(message)), noting{&queue, &calls}));
}
template <class T>
task send_here(const weir::sync_sender<T>& tx, T& message) {
    static_cast<void>(co_await weir::async_send(tx, std::move(message)));
}

// Fills the channel: a send waits then.
void fill(const any_sender<value>& tx) {
    for (uint64_t i = 0; i < *tx.capacity(); ++i)
        EXPECT_TRUE(tx.send(made(100 + i)));
}
void empty(weir::receiver<value>& rx) {
    for (uint64_t i = 0; i < *rx.capacity(); ++i)
        EXPECT_EQ(*rx.recv().value(), 100 + i);
}

// ---- Before it was woken ----

TEST_P(destroying, a_waiting_receive_leaves_the_channel_as_it_was) {
    auto [tx, rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    task waits = receive_one(rx, queue, calls);
    waits.destroy();
    if (GetParam().is_rendezvous()) {
        EXPECT_EQ(outcome(tx.try_send(made(1))), channel_errc::full);
    }
    worker sends([&] { EXPECT_TRUE(tx.send(made(1))); });
    EXPECT_EQ(*rx.recv().value(), 1u);
    EXPECT_EQ(calls, 0);
}

TEST_P(destroying_bounded, a_waiting_send_leaves_its_value_and_its_turn) {
    auto [tx, rx] = open<value>(GetParam());
    fill(tx);
    run_queue queue;
    std::atomic<int> calls{0};
    value first = made(1);
    value second = made(2);
    task gives_up = send_one(*handles<value>(tx).bounded, first, queue, calls);
    task stays = send_one(*handles<value>(tx).bounded, second, queue, calls);
    EXPECT_EQ(tx.sender_count(), 3u);
    gives_up.destroy();
    EXPECT_NE(first, nullptr);
    EXPECT_EQ(tx.sender_count(), 2u);
    empty(rx);
    EXPECT_EQ(*rx.recv().value(), 2u);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(second, nullptr);
    queue.run();
    EXPECT_TRUE(stays.has_ended());
}

// ---- After it was woken, before it goes on ----

TEST_P(destroying, a_receive_that_was_scheduled_leaves_its_message_at_the_front) {
    auto [tx, rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    task waits = receive_one(rx, queue, calls);
    EXPECT_TRUE(tx.try_send(made(1)));
    EXPECT_EQ(calls, 1);
    queue.clear();
    waits.destroy();
    EXPECT_EQ(rx.len(), 1u);
    EXPECT_EQ(tx.len(), 1u);
    if (GetParam().is_rendezvous()) {
        EXPECT_EQ(outcome(tx.try_send(made(2))), channel_errc::full) << "none is served past it";
    }
    worker sends([&] { EXPECT_TRUE(tx.send(made(2))); });
    task receives = receive_one(rx, queue, calls); // without a wait
    EXPECT_TRUE(receives.has_ended());
    EXPECT_EQ(*rx.recv().value(), 2u);
    EXPECT_EQ(rx.len(), 0u);
}

TEST_P(destroying, what_it_leaves_is_destroyed_with_the_receiver) {
    tally messages;
    {
        auto [tx, rx] = open<counted>(GetParam());
        run_queue queue;
        std::atomic<int> calls{0};
        task waits = receive_one(rx, queue, calls);
        EXPECT_TRUE(tx.try_send(counted(messages, 1)));
        queue.clear();
        waits.destroy();
        rx.reset();
        EXPECT_EQ(messages.made, messages.gone);
        EXPECT_EQ(messages.dropped, 1u);
    }
    EXPECT_EQ(messages.made, messages.gone);
}

TEST_P(destroying_bounded, a_send_that_was_scheduled_has_sent_its_message_once) {
    auto [tx, rx] = open<value>(GetParam());
    fill(tx);
    run_queue queue;
    std::atomic<int> calls{0};
    value message = made(1);
    task sends = send_one(*handles<value>(tx).bounded, message, queue, calls);
    if (GetParam().is_rendezvous()) {
        EXPECT_EQ(*rx.recv().value(), 1u);
    } else {
        EXPECT_EQ(*rx.recv().value(), 100u);
    }
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(message, nullptr);
    queue.clear();
    sends.destroy();
    EXPECT_EQ(tx.sender_count(), 1u);
    for (uint64_t i = 1; i < *rx.capacity(); ++i)
        EXPECT_EQ(*rx.recv().value(), 100 + i);
    if (!GetParam().is_rendezvous()) {
        EXPECT_EQ(*rx.recv().value(), 1u);
    }
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
}

// One that runs from the queue destroys another that is behind it there.
TEST_P(destroying, one_that_is_in_the_queue_of_this_thread_leaves_its_message) {
    auto [tx, rx] = open<value>(GetParam());
    auto [first_tx, first_rx] = open<value>(GetParam());
    auto [start_tx, start_rx] = open<value>(GetParam());
    bool has_received = false;
    task second;
    const auto destroy = [](weir::receiver<value>& from, task& other) -> task {
        static_cast<void>(co_await weir::async_recv(from));
        other.destroy();
    };
    const auto start = [](weir::receiver<value>& from, any_sender<value> one, any_sender<value> two) -> task {
        static_cast<void>(co_await weir::async_recv(from));
        EXPECT_TRUE(one.try_send(made(1)));
        EXPECT_TRUE(two.try_send(made(2))); // both are in the queue now
    };
    task destroys = destroy(first_rx, second);
    second = receive_here(rx, has_received);
    task starts = start(start_rx, first_tx, tx);
    EXPECT_TRUE(start_tx.try_send(made(0)));
    EXPECT_TRUE(starts.has_ended());
    EXPECT_TRUE(destroys.has_ended());
    EXPECT_FALSE(has_received);
    EXPECT_EQ(*rx.recv().value(), 2u);
}

// ---- While another thread wakes it ----

// The thread that sends stands still at each point of waking the coroutine. Destroying waits for it, and then the scheduler is
// not called.
TEST_P(destroying, a_receive_that_is_being_woken_waits_for_that_and_leaves_its_message) {
    for (const char* point : {"async.finish", "async.told", "async.run"}) {
        auto [tx, rx] = open<value>(GetParam());
        run_queue queue;
        std::atomic<int> calls{0};
        task waits = receive_one(rx, queue, calls);
        {
            halt wakes("sender", point);
            actor sender("sender", [&] { EXPECT_TRUE(tx.try_send(made(1))); });
            wakes.wait_until_there();
            worker destroys([&] { waits.destroy(); });
            destroys.wait_until_asleep();
            EXPECT_FALSE(destroys.has_ended());
            wakes.let_go();
        }
        EXPECT_EQ(calls, 0) << point;
        EXPECT_EQ(rx.len(), 1u) << point;
        EXPECT_EQ(*rx.try_recv().value(), 1u) << point;
    }
}

TEST_P(destroying_bounded, a_send_that_is_being_woken_waits_for_that_and_has_sent_its_message) {
    for (const char* point : {"async.finish", "async.told", "async.run"}) {
        auto [tx, rx] = open<value>(GetParam());
        fill(tx);
        run_queue queue;
        std::atomic<int> calls{0};
        value message = made(1);
        task waits = send_one(*handles<value>(tx).bounded, message, queue, calls);
        {
            halt wakes("receiver", point);
            actor receiver("receiver", [&] { EXPECT_TRUE(rx.try_recv()); });
            wakes.wait_until_there();
            worker destroys([&] { waits.destroy(); });
            destroys.wait_until_asleep();
            wakes.let_go();
        }
        EXPECT_EQ(calls, 0) << point;
        EXPECT_EQ(message, nullptr) << point;
        EXPECT_EQ(rx.len(), *rx.capacity()) << point;
    }
}

// A call of the scheduler that is in progress is waited for.
TEST_P(destroying, waits_for_a_call_of_the_scheduler) {
    auto [tx, rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    task waits = receive_one(rx, queue, calls);
    {
        halt schedules("sender", "coro.schedule");
        actor sender("sender", [&] { EXPECT_TRUE(tx.try_send(made(1))); });
        schedules.wait_until_there();
        worker destroys([&] { waits.destroy(); });
        destroys.wait_until_asleep();
        EXPECT_FALSE(destroys.has_ended());
        schedules.let_go();
    }
    EXPECT_EQ(calls, 1);
    queue.clear();
    EXPECT_EQ(*rx.try_recv().value(), 1u);
}

// A scheduler that resumes at once, of a coroutine that destroys itself by ending: nobody waits for that call.
TEST_P(destroying, a_coroutine_may_end_inside_the_call_of_its_scheduler) {
    auto [tx, rx] = open<value>(GetParam());
    std::atomic<int> received{0};
    const auto receive = [](weir::receiver<value>& from, std::atomic<int>& count) -> detached {
        for (int i = 0; i < 3; ++i) {
            if (co_await weir::resume_on(weir::async_recv(from), at_once()))
                ++count;
        }
    };
    receive(rx, received);
    for (uint64_t i = 0; i < 3; ++i)
        EXPECT_TRUE(tx.try_send(made(i)));
    EXPECT_EQ(received, 3);
}

// The thread that woke it is busy with another one: nobody waits for that.
TEST_P(destroying, one_that_is_in_the_queue_of_a_busy_thread_does_not_wait_for_it) {
    auto [tx, rx] = open<value>(GetParam());
    auto [busy_tx, busy_rx] = open<value>(GetParam());
    auto [start_tx, start_rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    stall busy;
    const auto stand = [](weir::receiver<value>& from, stall& where) -> task {
        static_cast<void>(co_await weir::async_recv(from));
        where.hold();
    };
    const auto start = [](weir::receiver<value>& from, any_sender<value> one, any_sender<value> two) -> task {
        static_cast<void>(co_await weir::async_recv(from));
        EXPECT_TRUE(one.try_send(made(1)));
        EXPECT_TRUE(two.try_send(made(2)));
    };
    task stands = stand(busy_rx, busy);
    task waits = receive_one(rx, queue, calls);
    task starts = start(start_rx, busy_tx, tx);
    worker sends([&] { EXPECT_TRUE(start_tx.try_send(made(0))); });
    busy.wait_until_held();
    waits.destroy();
    EXPECT_EQ(*rx.try_recv().value(), 2u);
    busy.release();
    sends.join();
    EXPECT_EQ(calls, 0);
}

// ---- A wake that it does not use ----

// Room that comes while the list of the waiting senders is locked is a debt to who holds the lock: that one tells the first to
// look again. If that is a coroutine, and it is destroyed then, the next is told.
TEST_P(destroying_rings, a_send_that_was_told_of_room_passes_it_on) {
    auto [tx, rx] = open<value>(GetParam());
    fill(tx);
    run_queue queue;
    std::atomic<int> calls{0};
    value first = made(1);
    task gives_up = send_one(*handles<value>(tx).bounded, first, queue, calls);
    worker second([&] { EXPECT_TRUE(tx.send(made(2))); });
    second.wait_until_asleep();
    halt locks("third", "sender.locked");
    halt enrolled("third", "sender.enrolled");
    actor third("third", [&] { EXPECT_TRUE(tx.send(made(3))); });
    locks.wait_until_there();
    EXPECT_EQ(*rx.recv().value(), 100u); // finds the lock held
    locks.let_go();
    enrolled.wait_until_there(); // and has told the first
    gives_up.destroy();
    second.join();
    enrolled.let_go();
    EXPECT_NE(first, nullptr);
    EXPECT_EQ(calls, 0);
    for (uint64_t i = 1; i < *rx.capacity(); ++i)
        EXPECT_EQ(*rx.recv().value(), 100 + i);
    EXPECT_EQ(*rx.recv().value(), 2u);
    EXPECT_EQ(*rx.recv().value(), 3u);
}

// Likewise, but it goes on, and the third has taken the room by then: the coroutine keeps its turn before the next.
TEST_P(destroying_rings, a_send_that_was_told_of_room_and_finds_it_taken_keeps_its_turn) {
    auto [tx, rx] = open<value>(GetParam());
    fill(tx);
    value one = made(1);
    value two = made(2);
    const task first = send_here(*handles<value>(tx).bounded, one);
    const task second = send_here(*handles<value>(tx).bounded, two);
    {
        halt locks("third", "sender.locked");
        actor third("third", [&] { EXPECT_TRUE(tx.send(made(3))); });
        locks.wait_until_there();
        EXPECT_EQ(*rx.recv().value(), 100u); // finds the lock held
        locks.let_go();
    }
    for (uint64_t i = 1; i < *rx.capacity(); ++i)
        EXPECT_EQ(*rx.recv().value(), 100 + i);
    for (const uint64_t number : {3u, 1u, 2u})
        EXPECT_EQ(*rx.recv().value(), number);
    EXPECT_TRUE(first.has_ended() && second.has_ended());
}

#if WEIR_HAS_STOP_TOKEN
// It waits since the room is not published yet; and the receiver, which saw nobody wait before it published it, has yet to look.
TEST_P(destroying_rings, a_send_that_is_stopped_finds_room_that_came_before) {
    auto [tx, rx] = open<value>(GetParam());
    fill(tx);
    std::stop_source stop;
    bool is_sent = false;
    value message = made(1);
    const auto send = [](const weir::sync_sender<value>& to, value& what, std::stop_token token, bool& done) -> task {
        done = (co_await weir::async_send(to, std::move(what), token)).has_value();
    };
    halt publishes("receiver", "ring.publish");
    halt looks("receiver", "ring.published");
    actor receiver("receiver", [&] { EXPECT_EQ(*rx.recv().value(), 100u); });
    publishes.wait_until_there();
    const task sends = send(*handles<value>(tx).bounded, message, stop.get_token(), is_sent);
    EXPECT_FALSE(sends.has_ended());
    publishes.let_go();
    looks.wait_until_there();
    stop.request_stop();
    EXPECT_TRUE(sends.has_ended() && is_sent);
    looks.let_go();
}

// Room that is there wins over a stop, all the more over one that was requested after it had come.
TEST_P(destroying_rings, a_send_finds_room_that_came_between_its_look_and_the_stop) {
    auto [tx, rx] = open<value>(GetParam());
    fill(tx);
    std::stop_source stop;
    bool is_sent = false;
    value message = made(1);
    const auto send = [](const weir::sync_sender<value>& to, value& what, std::stop_token token, bool& done) -> task {
        done = (co_await weir::async_send(to, std::move(what), token)).has_value();
    };
    halt looked("sender", "ring.full");
    actor sender("sender", [&, &bounded = *handles<value>(tx).bounded] {
        EXPECT_TRUE(send(bounded, message, stop.get_token(), is_sent).has_ended());
    });
    looked.wait_until_there();
    EXPECT_EQ(*rx.recv().value(), 100u);
    stop.request_stop();
    looked.let_go();
    sender.join();
    EXPECT_TRUE(is_sent);
}

// And so does a message.
TEST_P(destroying_buffered, a_receive_finds_the_message_that_came_between_its_look_and_the_stop) {
    auto [tx, rx] = open<value>(GetParam());
    std::stop_source stop;
    bool is_received = false;
    const auto receive = [](weir::receiver<value>& from, std::stop_token token, bool& done) -> task {
        done = (co_await weir::async_recv(from, token)).has_value();
    };
    halt looked("receiver", "receiver.missed");
    actor receiver("receiver",
                   [&, &from = rx] { EXPECT_TRUE(receive(from, stop.get_token(), is_received).has_ended()); });
    looked.wait_until_there();
    EXPECT_TRUE(tx.send(made(1)));
    stop.request_stop();
    looked.let_go();
    receiver.join();
    EXPECT_TRUE(is_received);
}

TEST_P(destroying, one_whose_stop_is_being_requested_waits_for_that) {
    auto [tx, rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    std::stop_source stop;
    const auto receive = [](weir::receiver<value>& from, std::stop_token token, run_queue& where,
                            std::atomic<int>& count) -> task {
        static_cast<void>(co_await weir::resume_on(weir::async_recv(from, token), noting{&where, &count}));
    };
    task waits = receive(rx, stop.get_token(), queue, calls);
    {
        halt stops("stopper", "async.finish");
        actor stopper("stopper", [&] { stop.request_stop(); });
        stops.wait_until_there();
        worker destroys([&] { waits.destroy(); });
        destroys.wait_until_asleep();
        stops.let_go();
    }
    EXPECT_EQ(calls, 0);
    bool has_received = false;
    task receives = receive_here(rx, has_received);
    EXPECT_TRUE(tx.send(made(1)));
    EXPECT_TRUE(has_received);
}
#endif

// A stale wake: it was told, and there was nothing. It goes on waiting, and may be destroyed while it enrols again.
TEST_P(destroying_bounded, one_that_enrols_again_waits_for_that) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    halt late("late", "ring.written");
    actor sender("late", [&] { EXPECT_TRUE(tx.try_send(made(1))); });
    late.wait_until_there(); // it has not yet looked whether somebody waits
    EXPECT_EQ(*rx.try_recv().value(), 1u);
    task waits = receive_one(rx, queue, calls);
    {
        halt enrols("late", "async.enrolled");
        late.let_go();
        enrols.wait_until_there();
        worker destroys([&] { waits.destroy(); });
        destroys.wait_until_asleep();
        enrols.let_go();
    }
    sender.join();
    EXPECT_EQ(calls, 0);
    EXPECT_TRUE(tx.try_send(made(2)));
    EXPECT_EQ(*rx.try_recv().value(), 2u);
}

// A message comes while the coroutine's thread is still about to suspend it.
TEST_P(destroying, a_wake_that_comes_while_it_enrols_does_not_suspend_it) {
    auto [tx, rx] = open<value>(GetParam());
    run_queue queue;
    std::atomic<int> calls{0};
    bool has_received = false;
    const auto receive = [](weir::receiver<value>& from, bool& has, run_queue& where, std::atomic<int>& count) -> task {
        has = (co_await weir::resume_on(weir::async_recv(from), noting{&where, &count})).has_value();
    };
    task waits;
    halt enrols("receiver", "async.enrolled");
    actor receiver("receiver", [&] { waits = receive(rx, has_received, queue, calls); });
    enrols.wait_until_there();
    EXPECT_TRUE(tx.try_send(made(1)));
    enrols.let_go();
    receiver.join();
    EXPECT_TRUE(has_received);
    EXPECT_EQ(calls, 0);
}

// A close from another thread while a sender serves the coroutine.
TEST_P(destroying_bounded, a_close_while_it_is_served_leaves_its_message) {
    if (!GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<value>(GetParam());
    bool has_received = false;
    task waits = receive_here(rx, has_received);
    {
        halt serves("sender", "async.finish");
        actor sender("sender", [&] { EXPECT_TRUE(tx.try_send(made(1))); });
        serves.wait_until_there();
        rx.close();
        serves.let_go();
    }
    EXPECT_TRUE(has_received);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    EXPECT_EQ(outcome(tx.try_send(made(2))), channel_errc::disconnected);
}

} // namespace
