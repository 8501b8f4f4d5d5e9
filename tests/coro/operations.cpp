// SPDX-License-Identifier: BSL-1.0
//
// Every operation of a coroutine over every kind of channel, with each kind of partner on the other side.

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <weir/select.hpp>
#include <weir/timer.hpp>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
#include "../conformance/support/threads.hpp"
#include "support/task.hpp"

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace conformance;
using namespace coro;
using std::uint64_t;

namespace {

class coroutines : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, coroutines, every_flavor(), flavor_name);
class coroutines_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, coroutines_bounded, bounded_flavors(), flavor_name);
class coroutines_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, coroutines_buffered, buffered_flavors(), flavor_name);

using text = std::unique_ptr<uint64_t>;
text made(uint64_t value) { return std::make_unique<uint64_t>(value); }

// ---- One side is a coroutine ----

// Receives all, and notes it; how it goes on is told by `way`.
enum class way { here, at_once, queued };

task receive_all(weir::receiver<text>& rx, std::vector<uint64_t>& got, way how, run_queue& queue) {
    for (;;) {
        std::expected<text, weir::recv_error> next;
        if (how == way::here)
            next = co_await weir::async_recv(rx);
        else if (how == way::at_once)
            next = co_await weir::resume_on(weir::async_recv(rx), at_once());
        else
            next = co_await weir::resume_on(weir::async_recv(rx), queued{&queue});
        if (!next)
            co_return;
        got.push_back(**next);
    }
}

task send_all(any_sender<text> tx, uint64_t count, way how, run_queue& queue) {
    const handles<text> to(tx);
    for (uint64_t i = 0; i < count; ++i) {
        std::expected<void, weir::send_error> sent;
        if (to.unbounded != nullptr)
            sent = co_await weir::async_send(*to.unbounded, made(i));
        else if (how == way::here)
            sent = co_await weir::async_send(*to.bounded, made(i));
        else if (how == way::at_once)
            sent = co_await weir::resume_on(weir::async_send(*to.bounded, made(i)), at_once());
        else
            sent = co_await weir::resume_on(weir::async_send(*to.bounded, made(i)), queued{&queue});
        EXPECT_TRUE(sent);
    }
}

std::vector<uint64_t> numbers(uint64_t count) {
    std::vector<uint64_t> all;
    for (uint64_t i = 0; i < count; ++i)
        all.push_back(i);
    return all;
}

TEST_P(coroutines, one_receives_what_another_sends) {
    for (const way how : {way::here, way::at_once, way::queued}) {
        for (const bool receiver_first : {true, false}) {
            auto [tx, rx] = open<text>(GetParam());
            run_queue queue;
            std::vector<uint64_t> got;
            task receives;
            if (receiver_first)
                receives = receive_all(rx, got, how, queue);
            task sends = send_all(std::move(tx), 100, how, queue);
            if (!receiver_first)
                receives = receive_all(rx, got, how, queue);
            queue.run();
            EXPECT_TRUE(sends.has_ended());
            sends.destroy(); // the last sender
            queue.run();
            EXPECT_TRUE(receives.has_ended());
            EXPECT_EQ(got, numbers(100));
        }
    }
}

TEST_P(coroutines, one_receives_what_a_thread_sends) {
    for (const way how : {way::here, way::at_once, way::queued}) {
        auto [tx, rx] = open<text>(GetParam());
        run_queue queue;
        std::vector<uint64_t> got;
        task receives = receive_all(rx, got, how, queue);
        worker sends([handle = std::move(tx)]() mutable {
            for (uint64_t i = 0; i < 1000; ++i)
                EXPECT_TRUE(handle.send(made(i)));
            handle.reset();
        });
        EXPECT_TRUE(eventually([&] {
            queue.run();
            return receives.has_ended();
        }));
        sends.join();
        EXPECT_EQ(got, numbers(1000));
    }
}

TEST_P(coroutines, a_thread_receives_what_one_sends) {
    for (const way how : {way::here, way::at_once, way::queued}) {
        auto [tx, rx] = open<text>(GetParam());
        run_queue queue;
        std::vector<uint64_t> got;
        task sends = send_all(std::move(tx), 1000, how, queue);
        worker receives([&] {
            while (got.size() < 1000)
                got.push_back(*rx.recv().value());
        });
        EXPECT_TRUE(eventually([&] {
            queue.run();
            return sends.has_ended();
        }));
        receives.join();
        EXPECT_EQ(got, numbers(1000));
    }
}

TEST_P(coroutines, a_select_meets_one_on_either_side) {
    auto [tx, rx] = open<text>(GetParam());
    run_queue queue;
    std::vector<uint64_t> got;
    task receives = receive_all(rx, got, way::here, queue);
    for (uint64_t i = 0; i < 100; ++i) {
        tx.visit([i](const auto& handle) {
            weir::select(weir::on_send(handle, made(i), [](auto sent) { EXPECT_TRUE(sent); }),
                         weir::on_recv(weir::after(patience), [](auto) { ADD_FAILURE(); }));
        });
    }
    tx.reset();
    EXPECT_TRUE(receives.has_ended());
    EXPECT_EQ(got, numbers(100));

    auto [other_tx, other_rx] = open<text>(GetParam());
    task sends = send_all(std::move(other_tx), 100, way::here, queue);
    for (uint64_t i = 0; i < 100; ++i) {
        weir::select(weir::on_recv(other_rx, [i](auto message) { EXPECT_EQ(*message.value(), i); }),
                     weir::on_timeout(patience, [] { ADD_FAILURE(); }));
    }
    EXPECT_TRUE(sends.has_ended());
}

// Waiting senders of both kinds, and a receiver that serves them.
TEST_P(coroutines_bounded, waiting_senders_are_served_in_the_order_they_came_whatever_they_are) {
    auto [tx, rx] = open<text>(GetParam());
    for (uint64_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_TRUE(tx.send(made(1000)));
    run_queue queue;
    const handles<text> to(tx);
    const auto send_one = [](const weir::sync_sender<text>& handle, uint64_t value) -> task {
        EXPECT_TRUE(co_await weir::async_send(handle, made(value)));
    };
    task first = send_one(*to.bounded, 0);
    worker second([&] { EXPECT_TRUE(tx.send(made(1))); });
    second.wait_until_asleep();
    task third = send_one(*to.bounded, 2);
    for (uint64_t i = 0; i < *GetParam().capacity; ++i) {
        EXPECT_EQ(*rx.recv().value(), 1000u);
        if (i == 1)
            second.join(); // there is room for it, and it moves its message itself: others need not wait for that
    }
    for (uint64_t i = 0; i < 3; ++i)
        EXPECT_EQ(*rx.recv().value(), i);
    EXPECT_TRUE(first.has_ended());
    EXPECT_TRUE(third.has_ended());
}

// ---- Suspending ----

TEST_P(coroutines_buffered, one_does_not_suspend_where_it_need_not_wait) {
    auto [tx, rx] = open<text>(GetParam());
    run_queue queue;
    task sends = send_all(tx, GetParam().room(10), way::queued, queue);
    EXPECT_TRUE(sends.has_ended());
    const auto receive = [](weir::receiver<text>& from, uint64_t count, run_queue& where) -> task {
        for (uint64_t i = 0; i < count; ++i)
            EXPECT_EQ(**(co_await weir::resume_on(weir::async_recv(from), queued{&where})), i);
    };
    task receives = receive(rx, GetParam().room(10), queue);
    EXPECT_TRUE(receives.has_ended());
    EXPECT_EQ(queue.size(), 0u);
}

TEST_P(coroutines, an_awaitable_that_is_not_awaited_does_nothing) {
    auto [tx, rx] = open<text>(GetParam());
    text value = made(1);
    {
        const auto receives = weir::async_recv(rx);
        tx.visit([&](const auto& handle) {
            [[maybe_unused]] const auto sends = weir::async_send(handle, std::move(value));
        });
    }
    EXPECT_NE(value, nullptr);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_EQ(tx.sender_count(), 1u);
}

TEST_P(coroutines, an_empty_handle_is_disconnected_at_once) {
    weir::receiver<text> rx;
    const auto run = [](weir::receiver<text>& from) -> task {
        EXPECT_EQ(outcome(co_await weir::async_recv(from)), channel_errc::disconnected);
        std::vector<text> out;
        EXPECT_EQ(outcome(co_await weir::async_recv_many(from, std::back_inserter(out), 2)),
                  channel_errc::disconnected);
        const weir::sender<text> none;
        const weir::sync_sender<text> none_either;
        text value = made(1);
        EXPECT_EQ(outcome(co_await weir::async_send(none, std::move(value))), channel_errc::disconnected);
        EXPECT_EQ(outcome(co_await weir::async_send(none_either, std::move(value))), channel_errc::disconnected);
        EXPECT_NE(value, nullptr);
    };
    EXPECT_TRUE(run(rx).has_ended());
}

TEST_P(coroutines_bounded, one_that_waits_to_send_counts_as_a_sender_and_its_handle_may_go) {
    auto [tx, rx] = open<text>(GetParam());
    for (uint64_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_TRUE(tx.send(made(i)));
    const auto send_one = [](const weir::sync_sender<text>& handle, uint64_t value) -> task {
        EXPECT_TRUE(co_await weir::async_send(handle, made(value)));
    };
    std::optional<any_sender<text>> only(std::move(tx));
    task sends = send_one(*handles<text>(*only).bounded, *GetParam().capacity);
    EXPECT_EQ(rx.sender_count(), 2u);
    only.reset();
    EXPECT_EQ(rx.sender_count(), 1u);
    for (uint64_t i = 0; i <= *GetParam().capacity; ++i)
        EXPECT_EQ(*rx.recv().value(), i);
    EXPECT_TRUE(sends.has_ended());
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
}

// ---- recv_many ----

task receive_many(weir::receiver<text>& rx, std::vector<text>& out, std::size_t max, channel_errc& came_to,
                  std::size_t& count) {
    const auto result = co_await weir::async_recv_many(rx, std::back_inserter(out), max);
    came_to = outcome(result);
    count = result.value_or(0);
}

TEST_P(coroutines, recv_many_waits_for_one_and_takes_what_is_there) {
    auto [tx, rx] = open<text>(GetParam());
    std::vector<text> out;
    channel_errc came_to{};
    std::size_t count = 99;
    EXPECT_TRUE(receive_many(rx, out, 0, came_to, count).has_ended());
    EXPECT_EQ(count, 0u);
    task waits = receive_many(rx, out, 3, came_to, count);
    EXPECT_FALSE(waits.has_ended());
    EXPECT_TRUE(tx.send(made(7)));
    EXPECT_TRUE(waits.has_ended());
    EXPECT_EQ(count, 1u);
    run_queue queue;
    task sends = send_all(tx, 5, way::here, queue);
    EXPECT_TRUE(receive_many(rx, out, 2, came_to, count).has_ended());
    EXPECT_EQ(count, GetParam().is_rendezvous() ? 1u : 2u) << "one sender waits at a time";
    while (!sends.has_ended() || rx.len() > 0)
        EXPECT_TRUE(receive_many(rx, out, 100, came_to, count).has_ended());
    ASSERT_EQ(out.size(), 6u);
    for (uint64_t i = 0; i < 5; ++i)
        EXPECT_EQ(*out[i + 1], i);
    task ends = receive_many(rx, out, 3, came_to, count);
    sends.destroy();
    tx.reset();
    EXPECT_TRUE(ends.has_ended());
    EXPECT_EQ(came_to, channel_errc::disconnected);
}

struct throwing_output {
    using difference_type = std::ptrdiff_t;
    int* left;
    throwing_output& operator*() { return *this; }
    throwing_output& operator++() { return *this; }
    throwing_output operator++(int) { return *this; }
    throwing_output& operator=(text&&) {
        if (--*left < 0)
            throw std::runtime_error("full");
        return *this;
    }
};

TEST_P(coroutines_buffered, what_writing_throws_comes_out_of_the_await_and_the_others_stay) {
    auto [tx, rx] = open<text>(GetParam());
    const auto run = [](weir::receiver<text>& from, bool& is_thrown) -> task {
        int left = 0;
        try {
            static_cast<void>(co_await weir::async_recv_many(from, throwing_output{&left}, 5));
        } catch (const std::runtime_error&) {
            is_thrown = true;
        }
    };
    for (const bool waits : {true, false}) {
        bool is_thrown = false;
        task receives;
        if (waits)
            receives = run(rx, is_thrown);
        EXPECT_TRUE(tx.send(made(1)));
        if (GetParam().room(2) == 2) {
            EXPECT_TRUE(tx.send(made(2)));
        }
        if (!waits)
            receives = run(rx, is_thrown);
        EXPECT_TRUE(receives.has_ended());
        EXPECT_TRUE(is_thrown);
        EXPECT_EQ(rx.len(), GetParam().room(2) - 1);
        for ([[maybe_unused]] auto rest : rx.try_iter()) {
        }
    }
}

// ---- Ends ----

TEST_P(coroutines, the_last_senders_going_and_a_close_end_a_receive) {
    for (const bool closes : {true, false}) {
        for (const bool on_thread : {true, false}) {
            auto [tx, rx] = open<text>(GetParam());
            run_queue queue;
            std::vector<uint64_t> got;
            task receives = receive_all(rx, got, way::here, queue);
            EXPECT_FALSE(receives.has_ended());
            const auto end = [&] { closes ? rx.close() : tx.reset(); };
            if (on_thread)
                worker(end).join();
            else
                end();
            EXPECT_TRUE(receives.has_ended());
            EXPECT_TRUE(got.empty());
        }
    }
}

TEST_P(coroutines_bounded, a_close_and_the_receivers_going_end_a_send_and_leave_its_value) {
    for (const bool closes : {true, false}) {
        auto [tx, rx] = open<text>(GetParam());
        for (uint64_t i = 0; i < *GetParam().capacity; ++i)
            EXPECT_TRUE(tx.send(made(i)));
        text value = made(1);
        channel_errc came_to{};
        const auto send_one = [](const weir::sync_sender<text>& handle, text& message, channel_errc& result) -> task {
            result = outcome(co_await weir::async_send(handle, std::move(message)));
        };
        task sends = send_one(*handles<text>(tx).bounded, value, came_to);
        EXPECT_FALSE(sends.has_ended());
        closes ? rx.close() : rx.reset();
        EXPECT_TRUE(sends.has_ended());
        EXPECT_EQ(came_to, channel_errc::disconnected);
        EXPECT_NE(value, nullptr);
        EXPECT_EQ(outcome(tx.try_send(std::move(value))), channel_errc::disconnected);
    }
}

TEST_P(coroutines_buffered, what_was_sent_is_received_before_disconnected) {
    auto [tx, rx] = open<text>(GetParam());
    EXPECT_TRUE(tx.send(made(0)));
    rx.close();
    run_queue queue;
    std::vector<uint64_t> got;
    EXPECT_TRUE(receive_all(rx, got, way::here, queue).has_ended());
    EXPECT_EQ(got, numbers(1));
}

// ---- Stops ----

#if WEIR_HAS_STOP_TOKEN
task receive_until(weir::receiver<text>& rx, std::stop_token stop, channel_errc& came_to, uint64_t& got) {
    auto result = co_await weir::async_recv(rx, stop);
    came_to = outcome(result);
    if (result)
        got = **result;
}

TEST_P(coroutines, a_stop_ends_a_receive_and_a_message_wins_over_it) {
    auto [tx, rx] = open<text>(GetParam());
    for (const bool on_thread : {true, false}) {
        std::stop_source stop;
        channel_errc came_to{};
        uint64_t got = 0;
        task receives = receive_until(rx, stop.get_token(), came_to, got);
        EXPECT_FALSE(receives.has_ended());
        if (on_thread)
            worker([&] { stop.request_stop(); }).join();
        else
            stop.request_stop();
        EXPECT_TRUE(receives.has_ended());
        EXPECT_EQ(came_to, channel_errc::stopped);
        EXPECT_TRUE(receive_until(rx, stop.get_token(), came_to, got).has_ended());
        EXPECT_EQ(came_to, channel_errc::stopped);
        if (!GetParam().is_rendezvous()) {
            EXPECT_TRUE(tx.send(made(3)));
            EXPECT_TRUE(receive_until(rx, stop.get_token(), came_to, got).has_ended());
            EXPECT_EQ(came_to, ok);
            EXPECT_EQ(got, 3u);
        }
    }
    std::stop_source stop;
    channel_errc came_to{};
    uint64_t got = 0;
    task receives = receive_until(rx, stop.get_token(), came_to, got);
    EXPECT_TRUE(tx.send(made(4)));
    stop.request_stop();
    EXPECT_TRUE(receives.has_ended());
    EXPECT_EQ(got, 4u);
}

TEST_P(coroutines_bounded, a_stop_ends_a_send_and_leaves_its_value) {
    auto [tx, rx] = open<text>(GetParam());
    for (uint64_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_TRUE(tx.send(made(i)));
    const auto send_one = [](const weir::sync_sender<text>& handle, text& message, std::stop_token token,
                             channel_errc& result) -> task {
        result = outcome(co_await weir::async_send(handle, std::move(message), token));
    };
    for (const bool before : {true, false}) {
        std::stop_source stop;
        text value = made(1);
        channel_errc came_to{};
        if (before)
            stop.request_stop();
        task sends = send_one(*handles<text>(tx).bounded, value, stop.get_token(), came_to);
        EXPECT_EQ(sends.has_ended(), before);
        stop.request_stop();
        EXPECT_TRUE(sends.has_ended());
        EXPECT_EQ(came_to, channel_errc::stopped);
        EXPECT_NE(value, nullptr);
    }
    EXPECT_EQ(rx.sender_count(), 1u);
    EXPECT_EQ(rx.len(), *GetParam().capacity);
}

TEST(coroutines_unbounded, a_send_goes_in_though_a_stop_was_requested) {
    auto [tx, rx] = weir::channel<text>();
    const auto send_one = [](const weir::sender<text>& handle) -> task {
        std::stop_source stop;
        stop.request_stop();
        EXPECT_TRUE(co_await weir::async_send(handle, made(1), stop.get_token()));
        EXPECT_TRUE(co_await weir::resume_on(weir::async_send(handle, made(2)), at_once()));
    };
    EXPECT_TRUE(send_one(tx).has_ended());
    EXPECT_EQ(rx.len(), 2u);
}
#endif

// ---- Conversions ----

struct convertible {
    bool throws;
    operator std::string() const { // NOLINT(google-explicit-constructor)
        if (throws)
            throw std::runtime_error("no");
        return "yes";
    }
};

TEST_P(coroutines_bounded, a_conversion_that_throws_comes_out_of_the_await_and_changes_nothing) {
    auto [tx, rx] = open<std::string>(GetParam());
    const auto send_both = [](const weir::sync_sender<std::string>& handle, bool& is_thrown) -> task {
        try {
            static_cast<void>(co_await weir::async_send(handle, convertible{true}));
        } catch (const std::runtime_error&) {
            is_thrown = true;
        }
        EXPECT_TRUE(co_await weir::async_send(handle, convertible{false}));
    };
    for (uint64_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_TRUE(tx.send("before"));
    bool is_thrown = false;
    task sends = send_both(*handles<std::string>(tx).bounded, is_thrown);
    EXPECT_TRUE(is_thrown);
    EXPECT_FALSE(sends.has_ended());
    for (uint64_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_EQ(rx.recv().value(), "before");
    EXPECT_EQ(rx.recv().value(), "yes");
    EXPECT_TRUE(sends.has_ended());
}

// A message as large as no stack should hold twice, from a temporary in the expression.
struct large {
    std::byte bytes[10000];
    uint64_t value;
};

TEST_P(coroutines, large_messages_and_braces_go_through) {
    auto [tx, rx] = open<large>(GetParam());
    const auto receive = [](weir::receiver<large>& from, uint64_t& sum) -> task {
        while (auto got = co_await weir::async_recv(from))
            sum += got->value;
    };
    const auto send = [](any_sender<large> handle) -> task {
        const handles<large> to(handle);
        for (uint64_t i = 1; i <= 10; ++i) {
            if (to.unbounded != nullptr) {
                EXPECT_TRUE(co_await weir::async_send(*to.unbounded, {{}, i}));
            } else {
                EXPECT_TRUE(co_await weir::async_send(*to.bounded, {{}, i}));
            }
        }
    };
    uint64_t sum = 0;
    task receives = receive(rx, sum);
    task sends = send(std::move(tx));
    EXPECT_TRUE(sends.has_ended());
    sends.destroy();
    EXPECT_TRUE(receives.has_ended());
    EXPECT_EQ(sum, 55u);
}

// ---- Queue ----

// A thread that wakes a coroutine and then blocks: on what that coroutine is to do.
TEST_P(coroutines, a_thread_runs_what_it_woke_before_it_blocks) {
    auto [tx, rx] = open<text>(GetParam());
    auto [back_tx, back_rx] = open<text>(GetParam());
    const auto echo = [](weir::receiver<text>& from, any_sender<text> to) -> task {
        const handles<text> out(to);
        while (auto got = co_await weir::async_recv(from)) {
            if (out.unbounded != nullptr)
                static_cast<void>(co_await weir::async_send(*out.unbounded, std::move(*got)));
            else
                static_cast<void>(co_await weir::async_send(*out.bounded, std::move(*got)));
        }
    };
    task echoes = echo(rx, std::move(back_tx));
    const auto ask = [](any_sender<text> to, weir::receiver<text>& answers) -> task {
        // Resumed from the queue, and blocks in it.
        weir::receiver<std::chrono::steady_clock::time_point> now = weir::after(1ms);
        static_cast<void>(co_await weir::async_recv(now));
        for (uint64_t i = 0; i < 10; ++i) {
            EXPECT_TRUE(to.send(made(i)));
            EXPECT_EQ(*answers.recv().value(), i);
        }
    };
    task asks = ask(tx, back_rx);
    EXPECT_TRUE(asks.ends());
}

// The destructor of a message wakes a coroutine, which uses the receiver: that is no longer in use then.
struct telling {
    telling(any_sender<int> handle) : to(std::move(handle)) {} // NOLINT(google-explicit-constructor)
    telling(telling&&) noexcept = default;
    ~telling() {
        if (to)
            static_cast<void>(to.send(1));
    }
    any_sender<int> to;
};

TEST_P(coroutines_buffered, what_a_messages_destructor_wakes_goes_on_when_the_drop_has_ended) {
    auto [tx, rx] = open<telling>(GetParam());
    auto [told_tx, told_rx] = open<int>(GetParam());
    bool has_dropped = false;
    bool was_in_time = false;
    const auto listen = [](weir::receiver<int>& from, const bool& dropped, bool& in_time) -> task {
        static_cast<void>(co_await weir::async_recv(from));
        in_time = !dropped;
    };
    task listens = listen(told_rx, has_dropped, was_in_time);
    EXPECT_TRUE(tx.send(telling(std::move(told_tx))));
    rx.reset();
    has_dropped = true;
    EXPECT_TRUE(listens.has_ended());
    EXPECT_TRUE(was_in_time) << "before the outermost call returns";
}

TEST_P(coroutines_bounded, one_that_a_receive_makes_room_for_may_use_that_receiver) {
    if (GetParam().is_rendezvous())
        return;
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (uint64_t i = 0; i < *GetParam().capacity; ++i)
        EXPECT_TRUE(tx.send(i));
    const auto send_and_take = [](const weir::sync_sender<uint64_t>& handle, weir::receiver<uint64_t>& from) -> task {
        EXPECT_TRUE(co_await weir::async_send(handle, 1000u));
        EXPECT_TRUE(from.try_recv());
    };
    task sends = send_and_take(*handles<uint64_t>(tx).bounded, rx);
    EXPECT_TRUE(rx.recv());
    EXPECT_TRUE(sends.has_ended());
}

// ---- Timers ----

task await_time(weir::receiver<std::chrono::steady_clock::time_point> rx, int& received, channel_errc& came_to) {
    for (;;) {
        const auto due = co_await weir::async_recv(rx);
        came_to = outcome(due);
        if (!due)
            co_return;
        EXPECT_LE(*due, std::chrono::steady_clock::now());
        ++received;
    }
}

TEST(coroutines_timers, each_is_told_when_its_time_has_come) {
    std::vector<task> all;
    std::vector<int> received(50, 0);
    std::vector<channel_errc> ended(50, ok);
    for (std::size_t i = 0; i < received.size(); ++i)
        all.push_back(await_time(weir::after(std::chrono::microseconds(i * 7919 % 20011)), received[i], ended[i]));
    for (std::size_t i = 0; i < received.size(); ++i) {
        EXPECT_TRUE(all[i].ends());
        EXPECT_EQ(received[i], 1);
        EXPECT_EQ(ended[i], channel_errc::disconnected);
    }
}

TEST(coroutines_timers, those_whose_coroutines_go_do_not_come) {
    std::vector<int> received(100, 0);
    channel_errc ended{};
    std::vector<task> all;
    for (std::size_t i = 0; i < received.size(); ++i)
        all.push_back(await_time(weir::after(1h + std::chrono::microseconds(i * 7919 % 20011)), received[i], ended));
    for (std::size_t i = 0; i < all.size(); i += 2)
        all[i].destroy();
    int last = 0;
    task after_them = await_time(weir::after(5ms), last, ended);
    EXPECT_TRUE(after_them.ends());
    for (const int each : received)
        EXPECT_EQ(each, 0);
}

TEST(coroutines_timers, a_close_ends_the_wait) {
    auto rx = weir::after(1h);
    channel_errc came_to{};
    const auto wait = [](weir::receiver<std::chrono::steady_clock::time_point>& from, channel_errc& result) -> task {
        result = outcome(co_await weir::async_recv(from));
    };
    task waits = wait(rx, came_to);
    rx.close();
    EXPECT_TRUE(waits.has_ended());
    EXPECT_EQ(came_to, channel_errc::disconnected);
    auto never = weir::never<int>();
    const auto wait_for_ever = [](weir::receiver<int>& from) -> task {
        EXPECT_EQ(outcome(co_await weir::async_recv(from)), channel_errc::disconnected);
    };
    task for_ever = wait_for_ever(never);
    EXPECT_FALSE(for_ever.has_ended());
    never.close();
    EXPECT_TRUE(for_ever.has_ended());
}

TEST(coroutines_timers, ticks_come_again) {
    auto rx = weir::tick(2ms);
    const auto count = [](weir::receiver<std::chrono::steady_clock::time_point>& from, run_queue& queue) -> task {
        auto last = std::chrono::steady_clock::time_point::min();
        for (int i = 0; i < 5; ++i) {
            const auto due = co_await weir::resume_on(weir::async_recv(from), queued{&queue});
            EXPECT_GT(due.value(), last);
            last = due.value();
        }
    };
    run_queue queue;
    task counts = count(rx, queue);
    EXPECT_TRUE(eventually([&] {
        queue.run();
        return counts.has_ended();
    }));
}

// ---- Misuse, and types ----

TEST_P(coroutines, a_receive_while_one_waits_ends_the_program_where_that_is_checked) {
#if WEIR_CHECKED
    auto [tx, rx] = open<text>(GetParam());
    run_queue queue;
    std::vector<uint64_t> got;
    task receives = receive_all(rx, got, way::here, queue);
    EXPECT_DEATH(static_cast<void>(rx.try_recv()), "while another call was inside the same receiver");
    EXPECT_EQ(rx.len(), 0u);
    EXPECT_FALSE(rx.is_disconnected());
    EXPECT_EQ(rx.sender_count(), 1u);
#endif
}

template <class Awaitable>
constexpr bool is_fixed = !std::is_copy_constructible_v<Awaitable> && !std::is_move_constructible_v<Awaitable> &&
                          !std::is_copy_assignable_v<Awaitable> && !std::is_move_assignable_v<Awaitable>;
static_assert(is_fixed<decltype(weir::async_recv(std::declval<weir::receiver<int>&>()))>);
static_assert(is_fixed<decltype(weir::async_recv_many(std::declval<weir::receiver<int>&>(), std::declval<int*>(), 1))>);
static_assert(is_fixed<decltype(weir::async_send(std::declval<weir::sender<int>&>(), 1))>);
static_assert(is_fixed<decltype(weir::async_send(std::declval<weir::sync_sender<int>&>(), 1))>);
static_assert(is_fixed<decltype(weir::resume_on(weir::async_recv(std::declval<weir::receiver<int>&>()), at_once()))>);
static_assert(std::is_same_v<decltype(weir::async_recv(std::declval<weir::receiver<int>&>()).await_resume()),
                             std::expected<int, weir::recv_error>>);
static_assert(std::is_same_v<decltype(weir::async_send(std::declval<weir::sync_sender<int>&>(), 1).await_resume()),
                             std::expected<void, weir::send_error>>);
#if WEIR_HAS_STOP_TOKEN
static_assert(
    std::is_same_v<decltype(weir::async_recv(std::declval<weir::receiver<int>&>(), std::stop_token()).await_resume()),
                   std::expected<int, weir::recv_stop_error>>);
static_assert(
    std::is_same_v<decltype(weir::async_send(std::declval<weir::sender<int>&>(), 1, std::stop_token()).await_resume()),
                   std::expected<void, weir::send_stop_error>>);
#endif

} // namespace
