// SPDX-License-Identifier: BSL-1.0
//
// Every completion token, every error. Compiled for either Asio.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/threads.hpp"
#include "support/net.hpp"

using namespace conformance;
using namespace operations;
using namespace std::chrono_literals;
using std::uint64_t;

namespace {

class asio_tokens : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, asio_tokens, testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}), flavor_name);

// What a token gives, for one receive and one send that meet.
struct fixture {
    explicit fixture(const flavor& which) : ends(open<value>(which)) {}
    net::io_context context;
    conformance::ends<value> ends;
};

TEST_P(asio_tokens, a_callback_that_can_only_be_moved) {
    fixture on(GetParam());
    auto executor = on.context.get_executor();
    value got;
    bool has_sent = false;
    weir::asio::async_recv(executor, on.ends.rx, [own = made(0), &got](received<value> message) {
        EXPECT_EQ(*own, 0u);
        got = std::move(message).value();
    });
    async_send(executor, on.ends.tx, made(1), [own = made(0), &has_sent](sent result) {
        EXPECT_EQ(*own, 0u);
        has_sent = result.has_value();
    });
    run_for(on.context, patience);
    EXPECT_EQ(*got, 1u);
    EXPECT_TRUE(has_sent);
}

TEST_P(asio_tokens, use_future) {
    fixture on(GetParam());
    auto executor = on.context.get_executor();
    auto message = weir::asio::async_recv(executor, on.ends.rx, net::use_future);
    auto result = async_send(executor, on.ends.tx, made(1), net::use_future);
    run_for(on.context, patience);
    EXPECT_EQ(**message.get(), 1u);
    EXPECT_TRUE(result.get());
}

TEST_P(asio_tokens, use_awaitable_and_no_exception_for_an_error) {
    fixture on(GetParam());
    int step = 0;
    net::co_spawn(
        on.context,
        [&]() -> net::awaitable<void> {
            auto message = co_await weir::asio::async_recv(on.ends.rx, net::use_awaitable);
            EXPECT_EQ(**message, 1u);
            ++step;
            message = co_await weir::asio::async_recv(on.ends.rx, net::use_awaitable);
            EXPECT_EQ(message.error(), weir::channel_errc::disconnected);
            ++step;
        },
        net::detached);
    net::co_spawn(
        on.context,
        [&]() -> net::awaitable<void> {
            EXPECT_TRUE(co_await async_send(net::system_executor(), on.ends.tx, made(1), net::use_awaitable));
            on.ends.tx.reset();
        },
        net::detached);
    run_for(on.context, patience);
    EXPECT_EQ(step, 2);
}

TEST_P(asio_tokens, deferred_and_nothing_happens_before_it_is_called) {
    fixture on(GetParam());
    auto executor = on.context.get_executor();
    std::optional<received<value>> got;
    std::optional<sent> result;
    on.ends.tx.visit([&](const auto& tx) {
        auto receive = weir::asio::async_recv(executor, on.ends.rx, net_tokens::deferred);
        auto send = weir::asio::async_send(executor, tx, made(1), net_tokens::deferred);
        run(on.context);
        EXPECT_TRUE(on.ends.rx.is_empty());
        std::move(receive)(into(got));
        std::move(send)(into(result));
    });
    run_for(on.context, patience);
    EXPECT_EQ(***got, 1u);
    EXPECT_TRUE(*result);
}

template <class Ends>
void test_send_that_is_put_off(Ends ends) {
    net::io_context context;
    const std::string text(100, 'a');
    std::string passing = text;
    std::optional<sent> first;
    std::optional<sent> second;
    {
        auto send = weir::asio::async_send(context.get_executor(), ends.tx, passing.c_str(), net_tokens::deferred);
        passing.assign(100, 'b');
        ends.tx = {};
        EXPECT_EQ(ends.rx.try_recv().error(), weir::try_recv_error::empty);
        send(into(first));
        EXPECT_EQ(ends.rx.recv(), text);
        std::move(send)(into(second));
        EXPECT_EQ(ends.rx.recv(), text);
    }
    run(context);
    EXPECT_TRUE(first->has_value() && second->has_value());
    EXPECT_EQ(ends.rx.try_recv().error(), weir::try_recv_error::disconnected);
}

TEST(asio_tokens_put_off, a_send_that_is_put_off_keeps_a_sender_and_the_message) {
    test_send_that_is_put_off(weir::channel<std::string>());
    test_send_that_is_put_off(weir::sync_channel<std::string>(1));
}

TEST_P(asio_tokens, as_tuple_and_detached) {
    fixture on(GetParam());
    value got;
    net::co_spawn(
        on.context,
        [&]() -> net::awaitable<void> {
            auto [message] = co_await weir::asio::async_recv(on.ends.rx, net_tokens::as_tuple(net::use_awaitable));
            got = std::move(message).value();
        },
        net::detached);
    async_send(on.context.get_executor(), on.ends.tx, made(1), net::detached);
    run_for(on.context, patience);
    EXPECT_EQ(*got, 1u);
}

TEST_P(asio_tokens, an_awaitable_or_a_timer) {
    using namespace net::experimental::awaitable_operators;
    fixture on(GetParam());
    int step = 0;
    net::co_spawn(
        on.context,
        [&]() -> net::awaitable<void> {
            net::steady_timer timer(co_await net::this_coro::executor, 1ms);
            auto first = co_await (weir::asio::async_recv(on.ends.rx, net::use_awaitable) ||
                                   timer.async_wait(net::use_awaitable));
            EXPECT_EQ(first.index(), 1u);
            ++step;
            timer.expires_after(patience);
            async_send(co_await net::this_coro::executor, on.ends.tx, made(1), net::detached);
            auto second = co_await (weir::asio::async_recv(on.ends.rx, net::use_awaitable) ||
                                    timer.async_wait(net::use_awaitable));
            EXPECT_EQ(second.index(), 0u);
            if (second.index() == 0) {
                EXPECT_EQ(**std::get<0>(second), 1u);
            }
            ++step;
        },
        net::detached);
    run_for(on.context, patience);
    EXPECT_EQ(step, 2);
}

TEST_P(asio_tokens, a_cancelled_operation_says_so_in_the_words_of_either_library) {
    fixture on(GetParam());
    net::cancellation_signal cancel;
    std::optional<received<value>> got;
    weir::asio::async_recv(on.context.get_executor(), on.ends.rx,
                           net::bind_cancellation_slot(cancel.slot(), into(got)));
    EXPECT_EQ(run(on.context), 0u);
    cancel.emit(net::cancellation_type::terminal);
    EXPECT_FALSE(got) << "inside emit";
    run(on.context);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->error(), std::errc::operation_canceled);
    EXPECT_TRUE(is_aborted(got->error()));
    EXPECT_NE(got->error(), weir::channel_errc::disconnected);
}

TEST_P(asio_tokens, a_disconnected_channel_says_so) {
    fixture on(GetParam());
    std::optional<sent> result;
    on.ends.rx.reset();
    async_send(on.context.get_executor(), on.ends.tx, made(1), into(result));
    EXPECT_FALSE(result) << "inside the call";
    run(on.context);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->error(), weir::channel_errc::disconnected);
    EXPECT_EQ(result->error(), std::errc::broken_pipe);
    EXPECT_EQ(result->error(), weir::send_error::disconnected);

    weir::receiver<value> none;
    std::optional<received<value>> got;
    weir::asio::async_recv(on.context.get_executor(), none, into(got));
    std::optional<sent> nowhere;
    weir::asio::async_send(on.context.get_executor(), weir::sync_sender<value>(), made(1), into(nowhere));
    run(on.context);
    EXPECT_EQ(got.value().error(), weir::recv_error::disconnected);
    EXPECT_EQ(nowhere.value().error(), weir::send_error::disconnected);
}

TEST_P(asio_tokens, a_reference_is_moved_from_only_if_it_was_sent) {
    fixture on(GetParam());
    auto executor = on.context.get_executor();
    value message = made(1);
    std::optional<received<value>> got;
    std::optional<sent> result;
    weir::asio::async_recv(executor, on.ends.rx, into(got));
    async_send(executor, on.ends.tx, std::ref(message), into(result));
    run_for(on.context, patience);
    EXPECT_TRUE(*result);
    EXPECT_EQ(message, nullptr);
    EXPECT_EQ(***got, 1u);

    message = made(2);
    on.ends.rx.reset();
    async_send(executor, on.ends.tx, std::ref(message), into(result));
    run_for(on.context, patience);
    EXPECT_FALSE(*result);
    EXPECT_EQ(*message, 2u);
}

TEST(asio_values, what_converts_to_a_message_is_sent_as_one) {
    net::io_context context;
    auto executor = context.get_executor();
    auto [tx, rx] = weir::sync_channel<std::string>(8);
    const std::string kept = "kept";
    weir::asio::async_send(executor, tx, "literal", net::detached);
    weir::asio::async_send(executor, tx, kept, net::detached);
    weir::asio::async_send(executor, tx, std::cref(kept), net::detached);
    weir::asio::async_send(executor, tx, {'a', 'b'}, net::detached);
    EXPECT_EQ(run(context), 4u);
    EXPECT_EQ(rx.recv(), "literal");
    EXPECT_EQ(rx.recv(), "kept");
    EXPECT_EQ(rx.recv(), "kept");
    EXPECT_EQ(rx.recv(), "ab");
    EXPECT_EQ(kept, "kept");

    auto [references_tx, references_rx] = weir::sync_channel<std::reference_wrapper<const std::string>>(1);
    weir::asio::async_send(executor, references_tx, std::cref(kept), net::detached);
    EXPECT_EQ(&references_rx.recv().value().get(), &kept);
}

} // namespace
