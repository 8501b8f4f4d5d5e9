// SPDX-License-Identifier: BSL-1.0
//
// Operations against threads, timers and cancellations, and every message accounted for. WEIR_TEST_TIMES makes the rounds so many
// times as many.

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

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/threads.hpp"
#include "support/net.hpp"

#if defined(WEIR_ASIO_BOOST)
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#else
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#endif

using namespace conformance;
using namespace operations;
using namespace std::chrono_literals;
using std::uint64_t;

namespace {

class asio_stress : public testing::TestWithParam<std::tuple<flavor, int>> {
protected:
    flavor which() const { return std::get<0>(GetParam()); }
    int threads() const { return std::get<1>(GetParam()); }

    // Runs the context on so many threads until nothing is left.
    void run_all(net::io_context& context) const {
        std::vector<std::unique_ptr<worker>> others;
        for (int i = 1; i < threads(); ++i)
            others.push_back(std::make_unique<worker>([&] { context.run(); }));
        context.run();
    }
};
std::string name_of(const testing::TestParamInfo<std::tuple<flavor, int>>& info) {
    return std::get<0>(info.param).name() + "_" + std::to_string(std::get<1>(info.param)) + "_threads";
}
INSTANTIATE_TEST_SUITE_P(flavors, asio_stress,
                         testing::Combine(testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}),
                                          testing::Values(1, 2)),
                         name_of);

// What was received: each number once, and those of one sender in order.
class account {
public:
    void take(uint64_t number) {
        EXPECT_EQ(number, next_) << "lost, or twice, or out of order";
        next_ = number + 1;
    }
    uint64_t count() const { return next_; }

private:
    uint64_t next_ = 0;
};

// A receive after the other, on a strand, each cancelled there at some time.
class cancelled_receives : public std::enable_shared_from_this<cancelled_receives> {
public:
    cancelled_receives(net::io_context& context, weir::receiver<value> rx)
        : strand_(net::make_strand(context)), rx_(std::move(rx)) {}

    void begin() {
        weir::asio::async_recv(
            strand_, rx_,
            net::bind_executor(strand_, net::bind_cancellation_slot(
                                            cancel_.slot(), [self = shared_from_this()](received<value> message) {
                                                self->go_on(std::move(message));
                                            })));
        // Before the message, or after it, or while it comes; where that is too late, it may be the next one's.
        if (round_ % 2 == 0) {
            net::post(strand_, [self = shared_from_this(), round = round_] {
                if (round == self->round_ || round % 3 == 0)
                    self->cancel_.emit(net::cancellation_type::total);
            });
        }
    }

    account got;
    uint64_t aborted = 0;
    bool has_ended = false;

private:
    void go_on(received<value> message) {
        ++round_;
        if (message) {
            got.take(**message);
        } else if (is_aborted(message.error())) {
            ++aborted;
        } else {
            has_ended = true;
            rx_.reset();
            return;
        }
        begin();
    }

    net::strand<net::io_context::executor_type> strand_;
    weir::receiver<value> rx_;
    net::cancellation_signal cancel_;
    uint64_t round_ = 0;
};

TEST_P(asio_stress, cancelled_receives_lose_no_message) {
    const std::size_t count = scaled(3'000) * times();
    net::io_context context;
    auto [tx, rx] = open<value>(which());
    const auto receives = std::make_shared<cancelled_receives>(context, std::move(rx));
    receives->begin();
    worker sends([to = std::move(tx), count] {
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_TRUE(to.send(std::make_unique<uint64_t>(i)));
    });
    run_all(context);
    EXPECT_EQ(receives->got.count(), count);
    EXPECT_TRUE(receives->has_ended);
    std::printf("%zu messages, %llu cancelled\n", count, static_cast<unsigned long long>(receives->aborted));
}

TEST_P(asio_stress, a_receive_or_a_timer_loses_no_message) {
    using namespace net::experimental::awaitable_operators;
    const std::size_t count = scaled(3'000) * times();
    net::io_context context;
    auto [tx, rx] = open<value>(which());
    account got;
    std::size_t timeouts = 0;
    net::co_spawn(
        net::make_strand(context),
        [&]() -> net::awaitable<void> {
            net::steady_timer timer(co_await net::this_coro::executor);
            for (uint64_t round = 0;; ++round) {
                timer.expires_after(std::chrono::microseconds(round % 50));
                auto first =
                    co_await (weir::asio::async_recv(rx, net::use_awaitable) || timer.async_wait(net::use_awaitable));
                if (first.index() == 1)
                    ++timeouts;
                else if (std::get<0>(first))
                    got.take(**std::get<0>(first));
                else
                    break;
            }
        },
        net::detached);
    worker sends([to = std::move(tx), count] {
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_TRUE(to.send(std::make_unique<uint64_t>(i)));
    });
    run_all(context);
    EXPECT_EQ(got.count(), count);
    std::printf("%zu messages, %zu timeouts\n", count, timeouts);
}

TEST_P(asio_stress, threads_send_to_coroutines_and_these_to_threads) {
    const std::size_t count = scaled(20'000) * times();
    net::io_context context;
    auto [tx, rx] = open<value>(which());
    auto [back_tx, back_rx] = open<value>(which());
    net::co_spawn(
        net::make_strand(context),
        [](weir::receiver<value> from, any_sender<value> to) -> net::awaitable<void> {
            const auto on = co_await net::this_coro::executor;
            while (auto message = co_await weir::asio::async_recv(from, net::use_awaitable))
                EXPECT_TRUE(co_await async_send(on, to, *std::move(message), net::use_awaitable));
        }(std::move(rx), std::move(back_tx)),
        net::detached);
    worker sends([to = std::move(tx), count] {
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_TRUE(to.send(std::make_unique<uint64_t>(i)));
    });
    account got;
    worker receives([&] {
        while (auto message = back_rx.recv())
            got.take(**message);
    });
    run_all(context);
    receives.join();
    EXPECT_EQ(got.count(), count);
}

// Many operations wait at once, on either side, and are cancelled or not.
TEST_P(asio_stress, cancelled_sends_keep_their_values_or_not_but_not_both) {
    if (which().is_unbounded())
        return;
    const std::size_t rounds = scaled(2'000) * times();
    net::io_context context;
    auto [tx, rx] = open<value>(which());
    std::atomic<uint64_t> has_sent{0};
    std::atomic<uint64_t> kept{0};
    std::atomic<uint64_t> got{0};
    for (int i = 0; i < 4; ++i) {
        net::co_spawn(
            net::make_strand(context),
            [&, to = tx]() -> net::awaitable<void> {
                const auto on = co_await net::this_coro::executor;
                for (std::size_t round = 0; round < rounds; ++round) {
                    net::cancellation_signal cancel;
                    value message = std::make_unique<uint64_t>(round);
                    net::post(on, [&cancel] { cancel.emit(net::cancellation_type::terminal); });
                    const sent result = co_await async_send(
                        on, to, std::ref(message), net::bind_cancellation_slot(cancel.slot(), net::use_awaitable));
                    EXPECT_EQ(result.has_value(), message == nullptr);
                    ++(result ? has_sent : kept);
                    co_await net::post(on, net::use_awaitable); // the cancellation is over
                }
            },
            net::detached);
    }
    tx.reset();
    worker receives([&, from = std::move(rx)]() mutable {
        while (auto message = from.recv())
            ++got;
    });
    run_all(context);
    receives.join();
    EXPECT_EQ(got, has_sent);
    EXPECT_EQ(has_sent + kept, 4 * rounds);
}

TEST_P(asio_stress, contexts_go_while_threads_send) {
    const std::size_t rounds = scaled(2'000) * times();
    for (std::size_t round = 0; round < rounds; ++round) {
        auto [tx, rx] = open<value>(which());
        std::atomic<uint64_t> got{0};
        std::atomic<bool> has_begun{false};
        uint64_t has_sent = 0;
        worker sends([&, to = std::move(tx)] {
            has_begun = true;
            for (uint64_t i = 0; i < 3; ++i)
                has_sent += to.send_timeout(std::make_unique<uint64_t>(i), 0s) ? 1u : 0u;
        });
        {
            net::io_context context;
            for (; !has_begun;)
                std::this_thread::yield();
            weir::asio::async_recv(context.get_executor(), rx,
                                   [&](received<value> message) { got += message ? 1u : 0u; });
            if (round % 2 == 0)
                context.poll();
        }
        sends.join();
        for (; rx.try_recv();)
            ++got;
        ASSERT_EQ(got, has_sent);
    }
}

// ---- A server ----

struct request {
    std::string text;
    weir::sender<std::string> reply;
};

net::awaitable<void> serve(net::ip::tcp::socket socket, weir::sync_sender<request> requests) {
    std::string in;
    for (;;) {
        const auto [error, length] = co_await net::async_read_until(socket, net::dynamic_buffer(in), '\n',
                                                                    net_tokens::as_tuple(net::use_awaitable));
        if (error)
            co_return;
        auto [reply_tx, reply_rx] = weir::channel<std::string>();
        request next{in.substr(0, length), std::move(reply_tx)};
        in.erase(0, length);
        if (!co_await weir::asio::async_send(requests, std::move(next), net::use_awaitable))
            co_return;
        const auto answer = co_await weir::asio::async_recv(reply_rx, net::use_awaitable);
        if (!answer)
            co_return;
        co_await net::async_write(socket, net::buffer(*answer), net::use_awaitable);
    }
}

net::awaitable<void> talk(net::ip::tcp::endpoint to, int number, std::size_t lines,
                          std::atomic<std::size_t>& answered) {
    net::ip::tcp::socket socket(co_await net::this_coro::executor);
    co_await socket.async_connect(to, net::use_awaitable);
    std::string in;
    for (std::size_t i = 0; i < lines; ++i) {
        const std::string line = std::to_string(number) + ":" + std::to_string(i) + "\n";
        co_await net::async_write(socket, net::buffer(line), net::use_awaitable);
        const std::size_t length =
            co_await net::async_read_until(socket, net::dynamic_buffer(in), '\n', net::use_awaitable);
        EXPECT_EQ(in.substr(0, length), "echo " + line);
        in.erase(0, length);
        ++answered;
    }
}

TEST(asio_server, requests_of_many_connections_are_answered_by_a_thread) {
    constexpr int clients = 8;
    const std::size_t lines = scaled(200);
    net::io_context context;
    net::ip::tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
    auto [tx, rx] = weir::sync_channel<request>(2);
    net::co_spawn(
        context,
        [&acceptor, requests = std::move(tx)]() -> net::awaitable<void> {
            for (int i = 0; i < clients; ++i) {
                auto socket = co_await acceptor.async_accept(net::use_awaitable);
                net::co_spawn(acceptor.get_executor(), serve(std::move(socket), requests), net::detached);
            }
        },
        net::detached);
    std::atomic<std::size_t> answered{0};
    for (int i = 0; i < clients; ++i)
        net::co_spawn(context, talk(acceptor.local_endpoint(), i, lines, answered), net::detached);
    worker echoes([from = std::move(rx)]() mutable {
        for (request each : from)
            EXPECT_TRUE(each.reply.send("echo " + each.text));
    });
    worker other([&] { context.run(); });
    context.run();
    EXPECT_EQ(answered, clients * lines);
}

} // namespace
