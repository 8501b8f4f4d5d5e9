// SPDX-License-Identifier: BSL-1.0
//
// What an operation does, with callbacks: where it goes on, what ends it, what becomes of its message.
//
// chriskohlhoff/asio#1575: closing a channel leaves its waiting operations waiting.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../conformance/support/threads.hpp"
#include "support/operation_test.hpp"

#include <weir/coro.hpp>
#include <weir/timer.hpp>

using namespace conformance;
using namespace operations;
using namespace std::chrono_literals;
using std::uint64_t;

namespace {

constexpr net::cancellation_type every_type[] = {net::cancellation_type::terminal, net::cancellation_type::partial,
                                                 net::cancellation_type::total};

class asio_operations : public operation_test {};
class asio_bounded : public operation_test {};
INSTANTIATE_TEST_SUITE_P(flavors, asio_operations, some_flavors(), flavor_name);
INSTANTIATE_TEST_SUITE_P(flavors, asio_bounded, some_bounded_flavors(), flavor_name);

// ---- Where it goes on ----

TEST_P(asio_operations, never_completes_inside_the_initiating_call) {
    recv();
    send(1);
    EXPECT_FALSE(got);
    EXPECT_FALSE(result);
    EXPECT_EQ(run(*context), 2u);
    expect_received(1);
    EXPECT_TRUE(*result);
    if (!GetParam().is_rendezvous()) {
        send(2);
        run(*context);
        recv(); // its message is there
        EXPECT_EQ(***got, 1u);
        run(*context);
        expect_received(2);
    }
}

TEST_P(asio_operations, keeps_the_context_running_while_it_waits) {
    recv();
    std::atomic<bool> has_returned{false};
    worker runs([&] {
        context->run();
        has_returned = true;
    });
    runs.wait_until_asleep();
    EXPECT_FALSE(has_returned);
    EXPECT_TRUE(ends.tx.send(made(1)));
    runs.join();
    expect_received(1);
}

TEST_P(asio_operations, a_context_of_which_nothing_waits_stops) {
    recv();
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    EXPECT_EQ(run_for(*context, patience), 1u);
    EXPECT_EQ(run_for(*context, patience), 0u);
}

TEST_P(asio_operations, is_called_on_the_handlers_own_executor) {
    net::thread_pool pool(1);
    std::atomic<int> step{0};
    auto strand = net::make_strand(pool);
    std::thread::id there;
    net::post(strand, [&] { there = std::this_thread::get_id(); });
    weir::asio::async_recv(executor(), ends.rx, net::bind_executor(strand, [&](received<value> message) {
                               EXPECT_TRUE(strand.running_in_this_thread());
                               EXPECT_EQ(std::this_thread::get_id(), there);
                               EXPECT_TRUE(message);
                               ++step;
                           }));
    async_send(executor(), ends.tx, made(1), net::bind_executor(strand, [&](sent has) {
                   EXPECT_TRUE(strand.running_in_this_thread());
                   EXPECT_TRUE(has);
                   ++step;
               }));
    EXPECT_EQ(run(*context), 0u);
    pool.join();
    EXPECT_EQ(step, 2);
}

TEST_P(asio_operations, without_any_executor_it_is_the_systems) {
    std::atomic<bool> is_there{false};
    weir::asio::async_recv(ends.rx, [&, here = std::this_thread::get_id()](received<value> message) {
        EXPECT_NE(std::this_thread::get_id(), here);
        EXPECT_EQ(**message, 1u);
        is_there = true;
    });
    ends.tx.visit([](const auto& tx) { weir::asio::async_send(tx, made(1), net::detached); });
    EXPECT_TRUE(eventually([&] { return is_there.load(); }));
}

TEST_P(asio_operations, a_handler_may_begin_the_next) {
    std::vector<uint64_t> all_got;
    struct again {
        net::io_context::executor_type on;
        weir::receiver<value>* rx;
        std::vector<uint64_t>* all_got;
        void operator()(received<value> message) {
            if (message) {
                all_got->push_back(**message);
                weir::asio::async_recv(on, *rx, *this);
            }
        }
    };
    weir::asio::async_recv(executor(), ends.rx, again{executor(), &ends.rx, &all_got});
    worker feeds([tx = std::exchange(ends.tx, {})] {
        for (uint64_t i = 0; i < 100; ++i)
            EXPECT_TRUE(tx.send(made(i)));
    });
    run_for(*context, patience);
    ASSERT_EQ(all_got.size(), 100u);
    for (uint64_t i = 0; i < 100; ++i)
        EXPECT_EQ(all_got[i], i);
}

// ---- A turn before a wait ----

using names = std::vector<std::string>;

// Seen from outside: it is called before what was posted after its initiation, though its message came later still. On a rendezvous
// it waits at once, for senders must find it there.
TEST_P(asio_operations, a_receive_begun_inside_a_handler_has_a_turn_before_it_waits) {
    names order;
    weir::asio::async_recv(executor(), ends.rx, [&](received<value>) {
        net::post(executor(), [&] {
            net::post(executor(), [&] { order.push_back("posted later"); });
            EXPECT_TRUE(ends.tx.try_send(made(2)));
        });
        weir::asio::async_recv(executor(), ends.rx, [&](received<value> second) {
            EXPECT_EQ(*second.value(), 2u);
            order.push_back("received");
        });
    });
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    run(*context);
    EXPECT_EQ(order, GetParam().is_rendezvous() ? (names{"posted later", "received"}) //
                                                : (names{"received", "posted later"}));
}

TEST_P(asio_operations, a_receive_begun_inside_a_handler_waits_in_the_end) {
    weir::asio::async_recv(executor(), ends.rx, [&](received<value>) { recv(); });
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    run(*context); // returns when nothing is ready
    EXPECT_FALSE(got);
    EXPECT_EQ(run(*context), 0u);
    EXPECT_TRUE(ends.tx.try_send(made(2)));
    EXPECT_EQ(run(*context), 1u);
    expect_received(2);
}

// So that the next receive, which is begun by then, comes before the next send.
TEST_P(asio_bounded, a_send_that_is_served_inside_a_handler_gives_way_once) {
    fill();
    names order;
    async_send(executor(), ends.tx, made(1), [&](sent has) {
        EXPECT_TRUE(has);
        order.push_back("sent");
    });
    run(*context);
    weir::asio::async_recv(executor(), ends.rx, [&](received<value> message) {
        EXPECT_TRUE(message);
        net::post(executor(), [&] {
            order.push_back("posted by the handler");
            net::post(executor(), [&] { order.push_back("posted later"); });
        });
    });
    run(*context);
    EXPECT_EQ(order, (names{"posted by the handler", "sent", "posted later"}));
}

// ---- Memory ----

template <class T>
struct counting_allocator {
    using value_type = T;
    std::size_t* made_count;
    std::size_t* live;

    counting_allocator(std::size_t* count, std::size_t* alive) : made_count(count), live(alive) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) : made_count(other.made_count), live(other.live) {}
    T* allocate(std::size_t n) {
        ++*made_count;
        ++*live;
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* place, std::size_t n) {
        --*live;
        std::allocator<T>().deallocate(place, n);
    }
    friend bool operator==(const counting_allocator& a, const counting_allocator& b) { return a.live == b.live; }
};

TEST_P(asio_operations, takes_one_block_of_the_handlers_allocator_and_gives_it_back_before_the_call) {
    std::size_t count = 0;
    std::size_t live = 0;
    bool is_called = false;
    weir::asio::async_recv(executor(), ends.rx,
                           net::bind_allocator(counting_allocator<int>(&count, &live), [&](received<value>) {
                               EXPECT_EQ(live, 0u);
                               is_called = true;
                           }));
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(live, 1u);
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    run(*context);
    EXPECT_TRUE(is_called);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(live, 0u);
}

TEST_P(asio_bounded, a_send_takes_one_block_of_the_handlers_allocator) {
    fill();
    std::size_t count = 0;
    std::size_t live = 0;
    async_send(executor(), ends.tx, made(1),
               net::bind_allocator(counting_allocator<int>(&count, &live), [&](sent) { EXPECT_EQ(live, 0u); }));
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(live, 1u);
    ends.rx.reset();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(live, 0u);
}

TEST(asio_ticket_room, is_given_out_once_and_only_while_it_is_offered) {
    weir::detail::ticket_room room;
    weir::detail::ticket_allocator<std::uintptr_t> from(&room);
    const auto gives_room = [&](std::size_t words) {
        std::uintptr_t* const block = from.allocate(words);
        const bool is_room = static_cast<void*>(block) == &room;
        from.deallocate(block, words);
        return is_room;
    };
    EXPECT_FALSE(gives_room(1));
    {
        const weir::detail::offered_room offers(&room);
        EXPECT_FALSE(gives_room(sizeof(room) / sizeof(std::uintptr_t) + 1)) << "too small";
        EXPECT_TRUE(gives_room(1));
        EXPECT_FALSE(gives_room(1)) << "given already";
    }
    {
        const weir::detail::offered_room offers(&room);
    }
    EXPECT_FALSE(gives_room(1)) << "offered no longer";
}

// ---- Cancellation ----

TEST_P(asio_operations, a_receive_is_cancelled_by_any_type_and_takes_nothing) {
    for (const net::cancellation_type type : every_type) {
        net::cancellation_signal cancel;
        got.reset();
        weir::asio::async_recv(executor(), ends.rx, net::bind_cancellation_slot(cancel.slot(), into(got)));
        EXPECT_EQ(run(*context), 0u);
        cancel.emit(type);
        EXPECT_EQ(run(*context), 1u);
        ASSERT_TRUE(got);
        EXPECT_TRUE(is_aborted(got->error()));
        EXPECT_FALSE(cancel.slot().has_handler());
        cancel.emit(type); // nothing any more
    }
    worker sends([&] { EXPECT_TRUE(ends.tx.send(made(1))); });
    EXPECT_EQ(*ends.rx.recv().value(), 1u);
}

TEST_P(asio_operations, a_cancellation_before_the_handler_is_called_wins_over_a_message) {
    net::cancellation_signal cancel;
    weir::asio::async_recv(executor(), ends.rx, net::bind_cancellation_slot(cancel.slot(), into(got)));
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    cancel.emit(net::cancellation_type::total);
    EXPECT_EQ(run(*context), 1u);
    EXPECT_TRUE(is_aborted(got.value().error()));
    EXPECT_EQ(ends.rx.len(), 1u);
    EXPECT_EQ(*ends.rx.try_recv().value(), 1u);
}

TEST_P(asio_operations, a_cancellation_before_it_could_wait_wins_too) {
    if (GetParam().is_rendezvous())
        return;
    EXPECT_TRUE(ends.tx.send(made(1)));
    net::cancellation_signal cancel;
    weir::asio::async_recv(executor(), ends.rx, net::bind_cancellation_slot(cancel.slot(), into(got)));
    cancel.emit(net::cancellation_type::total);
    EXPECT_EQ(run(*context), 1u);
    EXPECT_TRUE(is_aborted(got.value().error()));
    EXPECT_EQ(*ends.rx.try_recv().value(), 1u);
}

TEST_P(asio_bounded, a_send_is_cancelled_by_any_type_and_leaves_a_referred_value) {
    fill();
    value message = made(1);
    for (const net::cancellation_type type : every_type) {
        net::cancellation_signal cancel;
        result.reset();
        async_send(executor(), ends.tx, std::ref(message), net::bind_cancellation_slot(cancel.slot(), into(result)));
        EXPECT_EQ(ends.tx.sender_count(), 2u);
        EXPECT_EQ(run(*context), 0u);
        cancel.emit(type);
        EXPECT_EQ(run(*context), 1u);
        ASSERT_TRUE(result);
        EXPECT_TRUE(is_aborted(result->error()));
        ASSERT_NE(message, nullptr);
        EXPECT_EQ(ends.tx.sender_count(), 1u);
    }
}

TEST_P(asio_bounded, a_send_that_went_in_cannot_be_cancelled) {
    fill();
    net::cancellation_signal cancel;
    async_send(executor(), ends.tx, made(1), net::bind_cancellation_slot(cancel.slot(), into(result)));
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    EXPECT_EQ(*ends.rx.recv().value(), 1u);
    cancel.emit(net::cancellation_type::total);
    EXPECT_EQ(run(*context), 1u);
    EXPECT_TRUE(*result);
    EXPECT_FALSE(cancel.slot().has_handler());
}

TEST_P(asio_bounded, a_send_that_gives_up_passes_its_turn_on) {
    fill();
    net::cancellation_signal cancel;
    std::optional<sent> first;
    async_send(executor(), ends.tx, made(1), net::bind_cancellation_slot(cancel.slot(), into(first)));
    send(2);
    cancel.emit(net::cancellation_type::total);
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    EXPECT_EQ(*ends.rx.recv().value(), 2u);
    EXPECT_EQ(run(*context), 2u);
    EXPECT_TRUE(is_aborted(first.value().error()));
    EXPECT_TRUE(*result);
}

// ---- The ends go ----

TEST_P(asio_operations, the_last_sender_leaving_ends_a_waiting_receive) {
    recv();
    EXPECT_EQ(run(*context), 0u);
    ends.tx.reset();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);
}

TEST_P(asio_operations, closing_the_receiver_ends_its_waiting_receive) {
    recv();
    ends.rx.close();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);
}

TEST_P(asio_operations, dropping_the_receiver_ends_its_waiting_receive) {
    recv();
    EXPECT_EQ(run(*context), 0u);
    ends.rx.reset();
    EXPECT_TRUE(ends.tx.is_disconnected());
    EXPECT_FALSE(ends.tx.try_send(made(1)));
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);
    EXPECT_FALSE(ends.tx.try_send(made(1)));
}

TEST_P(asio_operations, dropping_both_ends_ends_a_waiting_receive) {
    recv();
    ends.rx.reset();
    ends.tx.reset();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);
}

TEST_P(asio_operations, dropping_the_receiver_destroys_what_the_operation_leaves) {
    const auto token = std::make_shared<int>(1);
    auto [tx, rx] = open<std::shared_ptr<int>>(GetParam());
    std::optional<received<std::shared_ptr<int>>> message;
    weir::asio::async_recv(executor(), rx, into(message));
    const std::size_t room = GetParam().is_rendezvous() ? 1 : GetParam().room(3);
    for (std::size_t i = 0; i < room; ++i)
        EXPECT_TRUE(tx.try_send(token));
    rx.reset();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_TRUE(message.value());
    EXPECT_EQ(token.use_count(), 2);
}

TEST_P(asio_operations, the_receiver_may_be_moved_while_it_waits) {
    recv();
    weir::receiver<value> moved = std::move(ends.rx);
    EXPECT_EQ(run(*context), 0u);
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    EXPECT_EQ(run(*context), 1u);
    expect_received(1);
    weir::asio::async_recv(executor(), moved, into(got));
    moved = weir::receiver<value>();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);
}

TEST_P(asio_bounded, closing_or_dropping_the_receiver_ends_every_waiting_send) {
    for (const bool drops : {false, true}) {
        ends = open<value>(GetParam());
        fill();
        std::vector<std::optional<sent>> results(8);
        std::vector<value> messages(results.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
            messages[i] = made(i);
            async_send(executor(), ends.tx, std::ref(messages[i]), into(results[i]));
        }
        EXPECT_EQ(run(*context), 0u);
        EXPECT_EQ(ends.tx.sender_count(), 1 + results.size());
        drops ? ends.rx.reset() : ends.rx.close();
        EXPECT_EQ(run(*context), results.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
            EXPECT_EQ(results[i].value().error(), weir::channel_errc::disconnected);
            EXPECT_NE(messages[i], nullptr);
        }
        EXPECT_EQ(ends.tx.sender_count(), 1u);
    }
}

TEST_P(asio_bounded, a_waiting_send_counts_as_a_sender_and_its_handle_may_go) {
    fill();
    send(1);
    ends.tx.reset();
    EXPECT_FALSE(ends.rx.is_disconnected());
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    EXPECT_EQ(*ends.rx.recv().value(), 1u);
    run(*context);
    EXPECT_TRUE(*result);
    EXPECT_EQ(ends.rx.recv().error(), weir::recv_error::disconnected);
}

TEST_P(asio_bounded, waiting_sends_of_one_handle_are_served_in_order) {
    fill();
    std::vector<std::optional<sent>> results(8);
    for (std::size_t i = 0; i < results.size(); ++i)
        async_send(executor(), ends.tx, made(i), into(results[i]));
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    for (std::size_t i = 0; i < results.size(); ++i)
        EXPECT_EQ(*ends.rx.recv().value(), i);
    EXPECT_EQ(run(*context), results.size());
    for (const auto& each : results)
        EXPECT_TRUE(each.value());
}

// ---- The context goes ----

// Counts the handlers that were not destroyed.
struct counted_handler {
    std::shared_ptr<int> token;
    bool* is_called;
    template <class Result>
    void operator()(const Result&) const {
        *is_called = true;
    }
};

TEST_P(asio_operations, destroying_the_context_abandons_a_waiting_receive) {
    const auto token = std::make_shared<int>(1);
    bool is_called = false;
    weir::asio::async_recv(executor(), ends.rx, counted_handler{token, &is_called});
    EXPECT_EQ(token.use_count(), 2);
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
    worker sends([&] { EXPECT_TRUE(ends.tx.send(made(1))); });
    EXPECT_EQ(*ends.rx.recv().value(), 1u); // the receiver is free again
    EXPECT_FALSE(is_called);
}

TEST_P(asio_operations, destroying_the_context_loses_no_message_of_an_operation_that_was_to_be_called) {
    const auto token = std::make_shared<int>(1);
    bool is_called = false;
    weir::asio::async_recv(executor(), ends.rx, counted_handler{token, &is_called});
    EXPECT_TRUE(ends.tx.try_send(made(1)));
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_EQ(ends.rx.len(), 1u);
    EXPECT_EQ(*ends.rx.try_recv().value(), 1u);
    EXPECT_FALSE(is_called);
}

TEST_P(asio_bounded, destroying_the_context_abandons_waiting_sends) {
    fill();
    const auto token = std::make_shared<int>(1);
    bool is_called = false;
    value message = made(1);
    async_send(executor(), ends.tx, std::ref(message), counted_handler{token, &is_called});
    async_send(executor(), ends.tx, made(2), counted_handler{token, &is_called});
    net::io_context other;
    async_send(other.get_executor(), ends.tx, made(3), into(result));
    EXPECT_EQ(ends.tx.sender_count(), 4u);
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_NE(message, nullptr);
    EXPECT_EQ(ends.tx.sender_count(), 2u);
    for (std::size_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(*ends.rx.recv().value(), 100 + i);
    EXPECT_EQ(*ends.rx.recv().value(), 3u);
    run(other);
    EXPECT_TRUE(*result);
    EXPECT_FALSE(is_called);
}

TEST_P(asio_operations, a_handler_that_owns_the_ends_goes_with_the_context) {
    auto token = std::make_shared<int>(1);
    // Each holds the other's ends.
    auto own = std::make_shared<conformance::ends<value>>(open<value>(GetParam()));
    auto others = std::make_shared<conformance::ends<value>>(open<value>(GetParam()));
    weir::asio::async_recv(executor(), own->rx, [others, token](received<value>) { ADD_FAILURE(); });
    weir::asio::async_recv(executor(), others->rx, [own, token](received<value>) { ADD_FAILURE(); });
    own.reset();
    others.reset();
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_P(asio_operations, coroutines_that_own_their_ends_go_with_the_context) {
    const auto token = std::make_shared<int>(1);
    for (int i = 0; i < 3; ++i) {
        net::co_spawn(
            *context,
            [](conformance::ends<value> own, std::shared_ptr<int>) -> net::awaitable<void> {
                static_cast<void>(co_await weir::asio::async_recv(own.rx, net::use_awaitable));
                ADD_FAILURE();
            }(open<value>(GetParam()), token),
            net::detached);
    }
    run(*context);
    EXPECT_EQ(token.use_count(), 4);
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
}

TEST_P(asio_operations, an_operation_that_is_begun_while_its_context_goes_is_abandoned) {
    auto other = open<value>(GetParam());
    const auto token = std::make_shared<int>(1);
    bool is_called = false;
    std::shared_ptr<void> begins(nullptr, [&, on = executor()](void*) {
        weir::asio::async_recv(on, other.rx, counted_handler{token, &is_called});
    });
    weir::asio::async_recv(executor(), ends.rx, [own = std::move(begins)](received<value>) { ADD_FAILURE(); });
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
    worker sends([&] { EXPECT_TRUE(other.tx.send(made(1))); });
    EXPECT_EQ(*other.rx.recv().value(), 1u); // the receiver is free again
    EXPECT_FALSE(is_called);
}

// ---- Others that wait ----

TEST_P(asio_operations, meets_operations_threads_and_selects_on_the_other_side) {
    recv();
    send(1);
    run(*context);
    expect_received(1);
    recv();
    worker sends([&] { EXPECT_TRUE(ends.tx.send(made(2))); });
    run_for(*context, patience);
    expect_received(2);
    worker receives([&] { EXPECT_EQ(*ends.rx.recv().value(), 3u); });
    send(3);
    run_for(*context, patience);
    EXPECT_TRUE(*result);
    receives.join();
    recv();
    ends.tx.visit([](const auto& tx) { weir::select(weir::on_send(tx, made(4), [](auto has) { EXPECT_TRUE(has); })); });
    run_for(*context, patience);
    expect_received(4);
}

TEST(asio_timers, a_timers_channel_is_received_from_when_it_is_due) {
    using clock = std::chrono::steady_clock;
    net::io_context context;
    const auto start = clock::now();
    auto timer = weir::after(10ms);
    std::optional<received<clock::time_point>> got;
    weir::asio::async_recv(context.get_executor(), timer, into(got));
    EXPECT_EQ(run_for(context, patience), 1u);
    EXPECT_TRUE(got.value());
    EXPECT_GE(clock::now() - start, 10ms);
    weir::asio::async_recv(context.get_executor(), timer, into(got));
    EXPECT_EQ(run_for(context, patience), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);

    auto ticks = weir::tick(5ms);
    clock::time_point last{};
    for (int i = 0; i < 4; ++i) {
        weir::asio::async_recv(context.get_executor(), ticks, into(got));
        EXPECT_EQ(run_for(context, patience), 1u);
        EXPECT_GT(got.value().value(), last);
        last = got->value();
    }
}

TEST(asio_timers, is_cancelled_closed_dropped_and_abandoned_as_any_other) {
    using clock = std::chrono::steady_clock;
    std::optional<received<clock::time_point>> got;
    std::optional<net::io_context> context{std::in_place};
    net::cancellation_signal cancel;
    auto timer = weir::after(1h);
    weir::asio::async_recv(context->get_executor(), timer, net::bind_cancellation_slot(cancel.slot(), into(got)));
    cancel.emit(net::cancellation_type::total);
    EXPECT_EQ(run(*context), 1u);
    EXPECT_TRUE(is_aborted(got.value().error()));

    weir::asio::async_recv(context->get_executor(), timer, into(got));
    timer.close();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);

    timer = weir::tick(1h);
    weir::asio::async_recv(context->get_executor(), timer, into(got));
    got.reset();
    timer.reset();
    EXPECT_EQ(run(*context), 1u);
    EXPECT_EQ(got.value().error(), weir::channel_errc::disconnected);

    timer = weir::after(1h);
    const auto token = std::make_shared<int>(1);
    weir::asio::async_recv(context->get_executor(), timer,
                           [token](received<clock::time_point>) { ADD_FAILURE() << "called"; });
    context.reset();
    EXPECT_EQ(token.use_count(), 1);
}

#if WEIR_CHECKED
TEST(asio_misuse, a_second_call_inside_a_receiver_ends_the_program) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    net::io_context context;
    auto [tx, rx] = weir::channel<int>();
    weir::asio::async_recv(context.get_executor(), rx, [](received<int>) {});
    EXPECT_DEATH(weir::asio::async_recv(context.get_executor(), rx, [](received<int>) {}),
                 "async_recv was called while another call was inside the same receiver");
    EXPECT_DEATH(static_cast<void>(rx.try_recv()),
                 "try_recv was called while another call was inside the same receiver");
}
#endif

} // namespace
