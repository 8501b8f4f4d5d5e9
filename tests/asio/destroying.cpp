// SPDX-License-Identifier: BSL-1.0
//
// A context, an end of the channel or a cancellation comes while another thread is in the middle of ending a wait. The
// interleavings are made certain by the points of the protocols.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "../conformance/support/threads.hpp"
#include "../injection/support/script.hpp"
#include "support/operation_test.hpp"

using namespace conformance;
using namespace injection;
using namespace operations;
using namespace std::chrono_literals;
using std::uint64_t;

namespace {

class asio_destroying : public operation_test {};
class asio_destroying_bounded : public operation_test {};
class asio_destroying_rings : public operation_test {};
INSTANTIATE_TEST_SUITE_P(flavors, asio_destroying, some_flavors(), flavor_name);
INSTANTIATE_TEST_SUITE_P(flavors, asio_destroying_bounded, some_bounded_flavors(), flavor_name);
INSTANTIATE_TEST_SUITE_P(flavors, asio_destroying_rings, testing::Values(flavor{1}, flavor{5}), flavor_name);

constexpr const char* steps_of_who_ends_a_wait[] = {"async.finish", "async.told", "async.run",
                                                    "asio.hand_on", "asio.post",  "asio.posted"};

TEST_P(asio_destroying, the_context_goes_while_a_sender_ends_the_wait) {
    for (const char* const step : steps_of_who_ends_a_wait) {
        SCOPED_TRACE(step);
        ends = open<value>(GetParam());
        context.emplace();
        const auto token = std::make_shared<int>(1);
        weir::asio::async_recv(executor(), ends.rx, [token](received<value>) { ADD_FAILURE() << "called"; });
        halt stands("sender", step);
        actor sender("sender", [&] { EXPECT_TRUE(ends.tx.try_send(made(1))); });
        stands.wait_until_there();
        actor owner("owner", [&] { context.reset(); });
        // It waits for a thread that has the wait, or the context, in its hands; else it has ended.
        EXPECT_TRUE(eventually([&] { return owner.has_ended() || (owner.wait_until_asleep(), true); }));
        stands.let_go();
        owner.join();
        sender.join();
        EXPECT_EQ(token.use_count(), 1);
        EXPECT_EQ(*ends.rx.try_recv().value(), 1u);
    }
}

TEST_P(asio_destroying_bounded, the_context_goes_while_a_receiver_ends_the_wait) {
    for (const char* const step : steps_of_who_ends_a_wait) {
        SCOPED_TRACE(step);
        ends = open<value>(GetParam());
        fill();
        context.emplace();
        const auto token = std::make_shared<int>(1);
        value message = made(1);
        async_send(executor(), ends.tx, std::ref(message), [token](sent) { ADD_FAILURE() << "called"; });
        halt stands("receiver", step);
        actor receiver("receiver", [&] { static_cast<void>(ends.rx.recv()); });
        stands.wait_until_there();
        actor owner("owner", [&] { context.reset(); });
        EXPECT_TRUE(eventually([&] { return owner.has_ended() || (owner.wait_until_asleep(), true); }));
        stands.let_go();
        owner.join();
        receiver.join();
        EXPECT_EQ(token.use_count(), 1);
        EXPECT_EQ(ends.tx.sender_count(), 1u);
        EXPECT_EQ(message, nullptr); // it went in
        for (uint64_t i = 1; i < *GetParam().capacity; ++i)
            EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
        if (!GetParam().is_rendezvous()) {
            EXPECT_EQ(*ends.rx.try_recv().value(), 1u);
        }
    }
}

// Room that comes while the list of the waiting senders is locked is a debt to who holds the lock: that one tells the first to
// look again. If that is an operation whose context goes then, the next is told.
TEST_P(asio_destroying_rings, a_send_that_was_told_of_room_passes_it_on_when_its_context_goes) {
    fill();
    const auto token = std::make_shared<int>(1);
    value first = made(1);
    async_send(executor(), ends.tx, std::ref(first), [token](sent) { ADD_FAILURE() << "called"; });
    worker second([&] { EXPECT_TRUE(ends.tx.send(made(2))); });
    second.wait_until_asleep();
    halt locks("third", "sender.locked");
    halt enrolled("third", "sender.enrolled");
    actor third("third", [&] { EXPECT_TRUE(ends.tx.send(made(3))); });
    locks.wait_until_there();
    EXPECT_EQ(*ends.rx.recv().value(), 100u); // finds the lock held
    locks.let_go();
    enrolled.wait_until_there(); // and has told the first
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
    second.join();
    enrolled.let_go();
    EXPECT_NE(first, nullptr);
    for (uint64_t i = 1; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    EXPECT_EQ(*ends.rx.recv().value(), 2u);
    EXPECT_EQ(*ends.rx.recv().value(), 3u);
}

TEST_P(asio_destroying, the_receiver_goes_while_a_sender_ends_the_wait) {
    for (const char* const step : steps_of_who_ends_a_wait) {
        SCOPED_TRACE(step);
        ends = open<value>(GetParam());
        got.reset();
        weir::asio::async_recv(executor(), ends.rx, into(got));
        halt stands("sender", step);
        actor sender("sender", [&] { static_cast<void>(ends.tx.try_send(made(1))); });
        stands.wait_until_there();
        ends.rx.reset();
        stands.let_go();
        sender.join();
        run_for(*context, patience);
        ASSERT_TRUE(got);
        EXPECT_TRUE(*got) << "its message came before the receiver went";
    }
}

TEST_P(asio_destroying, the_receiver_goes_while_the_handler_is_about_to_be_called) {
    for (const char* const step : {"channel.drop_receiver", "channel.drop_operated"}) {
        SCOPED_TRACE(step);
        ends = open<value>(GetParam());
        got.reset();
        weir::asio::async_recv(executor(), ends.rx, into(got));
        EXPECT_TRUE(ends.tx.try_send(made(1)));
        halt stands("owner", step);
        actor owner("owner", [&] { ends.rx.reset(); });
        stands.wait_until_there();
        run(*context);
        ASSERT_TRUE(got);
        EXPECT_TRUE(*got);
        stands.let_go();
        owner.join();
        EXPECT_TRUE(ends.tx.is_disconnected());
    }
    ends = open<value>(GetParam());
    got.reset();
    weir::asio::async_recv(executor(), ends.rx, into(got));
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    halt stands("runner", "channel.leave_operation");
    actor runner("runner", [&] { run(*context); });
    stands.wait_until_there();
    ends.rx.reset();
    EXPECT_TRUE(ends.tx.is_disconnected());
    stands.let_go();
    runner.join();
    EXPECT_TRUE(got.value());
}

TEST_P(asio_destroying, a_cancellation_comes_while_a_sender_ends_the_wait) {
    for (const char* const step : steps_of_who_ends_a_wait) {
        SCOPED_TRACE(step);
        ends = open<value>(GetParam());
        got.reset();
        net::cancellation_signal cancel;
        weir::asio::async_recv(executor(), ends.rx, net::bind_cancellation_slot(cancel.slot(), into(got)));
        halt stands("sender", step);
        actor sender("sender", [&] { EXPECT_TRUE(ends.tx.try_send(made(1))); });
        stands.wait_until_there();
        cancel.emit(net::cancellation_type::total);
        stands.let_go();
        sender.join();
        run_for(*context, patience);
        ASSERT_TRUE(got);
        EXPECT_TRUE(is_aborted(got->error()));
        EXPECT_EQ(*ends.rx.try_recv().value(), 1u);
    }
}

// A wait is told of room that another has taken, and enrols again. A cancellation comes between the two.
TEST_P(asio_destroying_bounded, a_cancellation_between_two_rounds_of_a_wait_ends_it) {
    if (GetParam().is_rendezvous())
        return;
    fill();
    net::cancellation_signal cancel;
    value message = made(1);
    async_send(executor(), ends.tx, std::ref(message), net::bind_cancellation_slot(cancel.slot(), into(result)));
    std::optional<sent> later;
    halt locks("locker", "sender.locked");
    halt settles("locker", "async.run");
    actor locker("locker", [&] { async_send(executor(), ends.tx, made(2), into(later)); });
    locks.wait_until_there();
    EXPECT_EQ(*ends.rx.recv().value(), 100u); // leaves it to the locker to wake the first
    locks.let_go();
    settles.wait_until_there();
    cancel.emit(net::cancellation_type::total);
    settles.let_go();
    locker.join();
    EXPECT_EQ(run(*context), 2u);
    EXPECT_TRUE(is_aborted(result.value().error()));
    EXPECT_NE(message, nullptr);
    EXPECT_TRUE(later.value());
    for (uint64_t i = 1; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    EXPECT_EQ(*ends.rx.recv().value(), 2u);
}

TEST_P(asio_destroying, a_cancellation_and_the_context_come_one_after_the_other) {
    const auto token = std::make_shared<int>(1);
    net::cancellation_signal cancel;
    weir::asio::async_recv(executor(), ends.rx,
                           net::bind_cancellation_slot(cancel.slot(), [token](received<value>) { ADD_FAILURE(); }));
    cancel.emit(net::cancellation_type::total);
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
}

// What the two rules of a turn before a wait are for. A channel of one, and yet each message is found by who looks for it.
TEST_P(asio_destroying, two_coroutines_of_one_context_seldom_wait_for_each_other) {
    if (GetParam().is_rendezvous())
        return; // each of its sends waits
    constexpr uint64_t count = 1000;
    visits waits("runner", "async.enrolled");
    uint64_t next = 0;
    net::co_spawn(
        *context,
        [&]() -> net::awaitable<void> {
            const auto on = co_await net::this_coro::executor;
            for (uint64_t i = 0; i < count; ++i)
                EXPECT_TRUE(co_await async_send(on, ends.tx, made(i), net::use_awaitable));
            ends.tx.reset();
        },
        net::detached);
    net::co_spawn(
        *context,
        [&]() -> net::awaitable<void> {
            while (const auto message = co_await weir::asio::async_recv(ends.rx, net::use_awaitable))
                EXPECT_EQ(**message, next++);
        },
        net::detached);
    actor runner("runner", [&] { run_for(*context, patience); });
    runner.join();
    EXPECT_EQ(next, count);
    EXPECT_LE(waits.value(), 5);
}

// Looks until it gives up, on a processor that nobody else wants.
void look_in_vain() {
    weir::detail::looking place;
    while (place.goes_on([]() noexcept { return false; })) {
    }
}

TEST(asio_looking, gives_way_after_waits_for_small_batches_and_seldom_again_where_that_is_in_vain) {
    visits ways("runner", "asio.gives_way");
    const auto wait_after = [](int batch) {
        for (int i = 0; i < batch; ++i)
            weir::detail::looking().end();
        look_in_vain();
    };
    actor runner("runner", [&] {
        for (int i = 0; i < 100; ++i)
            wait_after(3);
        for (int i = 0; i < 8; ++i)
            wait_after(2);
        EXPECT_EQ(ways.value(), 0);
        wait_after(0);
        EXPECT_EQ(ways.value(), 1);
        for (int i = 0; i < 1000; ++i)
            wait_after(0);
        EXPECT_LE(ways.value(), 40);
    });
    runner.join();
}

TEST(asio_looking, a_processor_that_comes_back_late_is_not_soon_given_away_again) {
    visits ways("runner", "asio.gives_way");
    // 64 times as long is more than this test takes.
    rule late("runner", "asio.gives_way", [] {
        using clock = std::chrono::steady_clock;
        for (const auto end = clock::now() + 50ms; clock::now() < end;) {
        }
    });
    script::current().add(late);
    actor runner("runner", [&] {
        for (int i = 0; i < 100; ++i)
            look_in_vain();
    });
    runner.join();
    script::current().remove(late);
    EXPECT_EQ(ways.value(), 1);
}

} // namespace
