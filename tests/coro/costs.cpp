// SPDX-License-Identifier: BSL-1.0
//
// What coroutines take: no memory beyond their frames, and no stack for their number. This program replaces the global operators
// new and delete, and is compiled without optimization.

#include <cstddef>
#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/threads.hpp"
#include "../unit/support/allocation.hpp"
#include "support/task.hpp"

using namespace conformance;
using namespace coro;
using std::uint64_t;

namespace {

class coroutine_costs : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, coroutine_costs, testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}),
                         flavor_name);

enum class way { here, at_once };

// Answers each number with itself.
task echo(weir::receiver<uint64_t>& rx, any_sender<uint64_t> tx, way how, uint64_t& answered) {
    const handles<uint64_t> to(tx);
    for (;;) {
        std::expected<uint64_t, weir::recv_error> got;
        if (how == way::here)
            got = co_await weir::async_recv(rx);
        else
            got = co_await weir::resume_on(weir::async_recv(rx), at_once());
        if (!got)
            co_return;
        ++answered;
        std::expected<void, weir::send_error> sent;
        if (to.unbounded != nullptr)
            sent = co_await weir::async_send(*to.unbounded, *got);
        else if (how == way::here)
            sent = co_await weir::async_send(*to.bounded, *got);
        else
            sent = co_await weir::resume_on(weir::async_send(*to.bounded, *got), at_once());
        if (!sent)
            co_return;
    }
}

// Sends numbers and awaits the answers.
task ask(any_sender<uint64_t> tx, weir::receiver<uint64_t>& rx, uint64_t count, way how) {
    const handles<uint64_t> to(tx);
    for (uint64_t i = 0; i < count; ++i) {
        if (to.unbounded != nullptr)
            static_cast<void>(co_await weir::async_send(*to.unbounded, i));
        else
            static_cast<void>(co_await weir::async_send(*to.bounded, i));
        std::expected<uint64_t, weir::recv_error> got;
        if (how == way::here)
            got = co_await weir::async_recv(rx);
        else
            got = co_await weir::resume_on(weir::async_recv(rx), at_once());
        if (got != i)
            ADD_FAILURE() << i;
    }
}

TEST_P(coroutine_costs, an_operation_allocates_nothing_though_it_waits) {
    for (const way how : {way::here, way::at_once}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        auto [back_tx, back_rx] = open<uint64_t>(flavor{1});
        uint64_t answered = 0;
        task echoes = echo(rx, std::move(back_tx), how, answered);
        const auto measure = [](any_sender<uint64_t> to, weir::receiver<uint64_t>& from,
                                std::size_t& allocations) -> task {
            const handles<uint64_t> out(to);
            for (uint64_t i = 0; i < 100; ++i) {
                const std::size_t before = unit::own_allocations();
                if (out.unbounded != nullptr)
                    static_cast<void>(co_await weir::async_send(*out.unbounded, i));
                else
                    static_cast<void>(co_await weir::async_send(*out.bounded, i));
                static_cast<void>(co_await weir::async_recv(from));
                allocations += unit::own_allocations() - before;
            }
        };
        std::size_t allocations = 0;
        task measures = measure(tx, back_rx, allocations);
        EXPECT_TRUE(measures.has_ended());
        EXPECT_EQ(answered, 100u);
        EXPECT_LE(allocations, GetParam().is_unbounded() ? 1u : 0u) << "a block for the unbounded channel's messages";
    }
}

TEST_P(coroutine_costs, a_million_completions_in_a_chain_take_the_stack_of_one) {
    on_small_stack(64 * 1024, [] {
        for (const way how : {way::here, way::at_once}) {
            constexpr uint64_t count = scaled(1'000'000);
            auto [tx, rx] = open<uint64_t>(GetParam());
            auto [back_tx, back_rx] = open<uint64_t>(GetParam());
            uint64_t answered = 0;
            task echoes = echo(rx, std::move(back_tx), how, answered);
            task asks = ask(tx, back_rx, count, how);
            EXPECT_TRUE(asks.has_ended());
            EXPECT_EQ(answered, count);
        }
    });
}

TEST_P(coroutine_costs, a_million_operations_that_do_not_wait_take_the_stack_of_one) {
    if (GetParam().is_rendezvous())
        return;
    on_small_stack(64 * 1024, [] {
        auto [tx, rx] = open<uint64_t>(GetParam());
        const auto both = [](any_sender<uint64_t> to, weir::receiver<uint64_t>& from, uint64_t& sum) -> task {
            const handles<uint64_t> out(to);
            for (uint64_t i = 0; i < scaled(1'000'000); ++i) {
                if (out.unbounded != nullptr)
                    static_cast<void>(co_await weir::async_send(*out.unbounded, 1u));
                else
                    static_cast<void>(co_await weir::async_send(*out.bounded, 1u));
                sum += *(co_await weir::async_recv(from));
            }
        };
        uint64_t sum = 0;
        EXPECT_TRUE(both(tx, rx, sum).has_ended());
        EXPECT_EQ(sum, scaled(1'000'000));
    });
}

} // namespace
