// SPDX-License-Identifier: BSL-1.0
//
// What operations take: once Asio's caches are warm, no memory, of whatever kind, on any thread. This program replaces the global
// operators new and delete, and wraps the functions of the C library.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <gtest/gtest.h>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/threads.hpp"
#include "../unit/support/allocation.hpp"
#include "support/memory.hpp"
#include "support/net.hpp"

using namespace conformance;
using namespace operations;
using std::uint64_t;

namespace {

class asio_costs : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, asio_costs, testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}), flavor_name);

constexpr uint64_t warm = 100;
constexpr uint64_t last = 900; // and before either end goes
constexpr uint64_t count = 1000;

// How many blocks an unbounded channel may have taken for its messages.
std::size_t blocks(const flavor& of) { return of.is_unbounded() ? 1 : 0; }

// Receives, and sends, one after the other, by callbacks.
struct receiving {
    net::io_context::executor_type on;
    weir::receiver<uint64_t>* rx;
    std::size_t* before;
    std::size_t* after;

    void operator()(received<uint64_t> message) {
        if (!message)
            return;
        if (*message == warm)
            *before = blocks_taken();
        if (*message == last)
            *after = blocks_taken();
        weir::asio::async_recv(on, *rx, *this);
    }
};
template <class Sender>
struct sending {
    net::io_context::executor_type on;
    Sender* tx;
    uint64_t next;

    void operator()(sent result) {
        EXPECT_TRUE(result);
        const uint64_t message = next++;
        if (message < count)
            weir::asio::async_send(on, *tx, message, *this);
        else
            tx->reset();
    }
};

TEST_P(asio_costs, callbacks_that_wait_for_each_other_allocate_nothing) {
    net::io_context context(1);
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::size_t before = 0;
    std::size_t after = 0;
    weir::asio::async_recv(context.get_executor(), rx, receiving{context.get_executor(), &rx, &before, &after});
    tx.visit([&](const auto& handle) {
        auto own = std::make_shared<std::remove_cvref_t<decltype(handle)>>(handle);
        tx.reset();
        sending<std::remove_cvref_t<decltype(handle)>>{context.get_executor(), own.get(), 0}(sent());
        run_for(context, patience);
    });
    EXPECT_NE(before, 0u);
    EXPECT_LE(after - before, blocks(GetParam()));
}

net::awaitable<void> send_all(any_sender<uint64_t> tx, uint64_t messages) {
    const auto on = co_await net::this_coro::executor;
    for (uint64_t i = 0; i < messages; ++i)
        EXPECT_TRUE(co_await async_send(on, tx, i, net::use_awaitable));
}
net::awaitable<void> receive_all(weir::receiver<uint64_t>& rx, std::size_t& taken) {
    std::size_t before = 0;
    while (auto message = co_await weir::asio::async_recv(rx, net::use_awaitable)) {
        if (*message == warm)
            before = blocks_taken();
        if (*message == last)
            taken = blocks_taken() - before;
    }
}

TEST_P(asio_costs, coroutines_that_wait_for_each_other_allocate_nothing) {
    // A strand that becomes active takes a block of its own. On a rendezvous two become so while both operations live, and Asio
    // keeps two blocks.
    const int kinds = GetParam().is_rendezvous() ? 1 : 2;
    for (int kind = 0; kind < kinds; ++kind) {
        net::io_context context(1);
        const auto executor = [&] {
            return kind == 1 ? net::any_io_executor(net::make_strand(context))
                             : net::any_io_executor(context.get_executor());
        };
        auto [tx, rx] = open<uint64_t>(GetParam());
        std::size_t taken = 0;
        net::co_spawn(executor(), receive_all(rx, taken), net::detached);
        net::co_spawn(executor(), send_all(std::exchange(tx, {}), count), net::detached);
        run_for(context, patience);
        EXPECT_LE(taken, blocks(GetParam())) << (kind == 1 ? "on strands" : "");
    }
}

TEST_P(asio_costs, threads_and_coroutines_that_wait_for_each_other_allocate_nothing) {
    if (GetParam().is_unbounded())
        return; // takes blocks for messages
    std::size_t taken = 0;
    auto [tx, rx] = open<uint64_t>(GetParam());
    {
        net::io_context context(1);
        net::co_spawn(context, receive_all(rx, taken), net::detached);
        context.poll(); // the first wait in a context makes the list of those that wait
        worker sends([to = std::exchange(tx, {})]() mutable {
            for (uint64_t i = 0; i < count; ++i)
                EXPECT_TRUE(to.send(i));
            to.reset();
        });
        run_for(context, patience);
    }
    EXPECT_EQ(taken, 0u) << "the coroutine receives";

    auto [other_tx, other_rx] = open<uint64_t>(GetParam());
    std::size_t before = 0;
    {
        net::io_context context(1);
        net::co_spawn(context, send_all(std::exchange(other_tx, {}), count), net::detached);
        context.poll();
        worker receives([&, from = std::move(other_rx)]() mutable {
            for (uint64_t message : from) {
                if (message == warm)
                    before = blocks_taken();
                if (message == last)
                    taken = blocks_taken() - before;
            }
        });
        run_for(context, patience);
    }
    EXPECT_EQ(taken, 0u) << "the coroutine sends";
}

TEST_P(asio_costs, coroutines_on_two_threads_allocate_nothing) {
    if (GetParam().is_unbounded())
        return;
    std::size_t taken = 0;
    auto [tx, rx] = open<uint64_t>(GetParam());
    net::io_context receiving(1);
    net::io_context sending(1);
    net::co_spawn(receiving, receive_all(rx, taken), net::detached);
    net::co_spawn(sending, send_all(std::exchange(tx, {}), count), net::detached);
    receiving.poll();
    sending.poll();
    worker sends([&] { run_for(sending, patience); });
    run_for(receiving, patience);
    EXPECT_EQ(taken, 0u);
}

TEST_P(asio_costs, memory_running_out_in_the_initiating_call_leaves_the_channel_as_it_was) {
    if (GetParam().is_unbounded())
        return;
    net::io_context context(1);
    auto [tx, rx] = open<uint64_t>(GetParam());
    bool is_called = false;
    {
        // Asio's own allocator does not ask operator new; the list of those that wait in a context does, the first time.
        const auto receive = [&](received<uint64_t>) { is_called = true; };
        const auto send = [&](sent) { is_called = true; };
        const unit::no_memory none;
        EXPECT_THROW(weir::asio::async_recv(context.get_executor(), rx, receive), std::bad_alloc);
        EXPECT_THROW(
            weir::asio::async_recv(context.get_executor(), rx, net::bind_allocator(std::allocator<int>(), receive)),
            std::bad_alloc);
        EXPECT_THROW(async_send(context.get_executor(), tx, 1u, net::bind_allocator(std::allocator<int>(), send)),
                     std::bad_alloc);
    }
    EXPECT_EQ(tx.sender_count(), 1u);
    run(context);
    EXPECT_FALSE(is_called);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
}

} // namespace
