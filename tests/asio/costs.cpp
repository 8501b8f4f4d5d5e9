// SPDX-License-Identifier: BSL-1.0
//
// What operations take: once Asio's caches are warm, no memory. This program replaces the global operators new and delete.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <gtest/gtest.h>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/threads.hpp"
#include "../unit/support/allocation.hpp"
#include "support/net.hpp"

using namespace conformance;
using namespace operations;
using std::uint64_t;

namespace {

class asio_costs : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, asio_costs, testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}), flavor_name);

constexpr uint64_t warm = 100;
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
            *before = unit::own_allocations();
        *after = unit::own_allocations();
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

TEST_P(asio_costs, coroutines_that_wait_for_each_other_allocate_nothing) {
    net::io_context context(1);
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::size_t allocations = 0;
    net::co_spawn(
        context,
        [&]() -> net::awaitable<void> {
            std::size_t before = 0;
            while (auto message = co_await weir::asio::async_recv(rx, net::use_awaitable)) {
                if (*message == warm)
                    before = unit::own_allocations();
                if (*message == count - 1)
                    allocations = unit::own_allocations() - before;
            }
        },
        net::detached);
    net::co_spawn(
        context,
        [&]() -> net::awaitable<void> {
            const auto on = co_await net::this_coro::executor;
            for (uint64_t i = 0; i < count; ++i)
                EXPECT_TRUE(co_await async_send(on, tx, i, net::use_awaitable));
            tx.reset();
        },
        net::detached);
    run_for(context, patience);
    EXPECT_LE(allocations, blocks(GetParam()));
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
