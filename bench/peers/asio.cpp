// SPDX-License-Identifier: BSL-1.0
//
// asio::experimental::concurrent_channel. Each thread runs an io_context of its own, with one coroutine that waits for the
// channel's asynchronous operations.

#include <chrono>
#include <cstddef>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error_code.hpp>
#include <asio/experimental/concurrent_channel.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "../scenarios/asio_tasks.hpp"
#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"
#include "../scenarios/queue.hpp"

namespace {

using bench::nanoseconds;
using bench::number;

// What channels are made with. Nobody runs it: each operation completes where its coroutine runs.
asio::io_context& home() {
    static asio::io_context context;
    return context;
}

// Runs a coroutine on this thread to its end.
number run(asio::awaitable<number> body) {
    asio::io_context context(1);
    number returned = 0;
    asio::co_spawn(context, std::move(body), [&returned](std::exception_ptr failure, number value) {
        if (failure) {
            std::rethrow_exception(failure);
        }
        returned = value;
    });
    context.run();
    return returned;
}

template <class T>
asio::awaitable<void> send(auto& tx, number n) {
    return tx->async_send(asio::error_code(), bench::make_message<T>(n), asio::use_awaitable);
}

template <class T>
struct bounded : bench::asio_tasks<bounded<T>> {
    using value_type = T;
    static constexpr bool has_senders = false;

    static auto make(std::size_t capacity) {
        return bench::make_queue<asio::experimental::concurrent_channel<void(asio::error_code, T)>>(home(), capacity);
    }

    static asio::awaitable<void> send_all(auto& tx, number n, number end) {
        for (; n != end; ++n) {
            co_await send<T>(tx, n);
        }
    }
    static asio::awaitable<void> receive_all(auto& rx, number left, number& sum) {
        for (; left != 0; --left) {
            sum += bench::value_of(co_await rx->async_receive(asio::use_awaitable));
        }
    }

    // A thread can do neither.
    static void send_numbers(auto& tx, number first, number end) { bounded::send_in_task(tx, first, end); }
    static number receive_numbers(auto& rx, number count) { return bounded::receive_in_task(rx, count); }

    static number send_and_receive(auto& tx, auto& rx, number count) {
        return run([](auto& to, auto& from, number end) -> asio::awaitable<number> {
            number sum = 0;
            for (number n = 0; n != end; ++n) {
                co_await send<T>(to, n);
                sum += bench::value_of(co_await from->async_receive(asio::use_awaitable));
            }
            co_return sum;
        }(tx, rx, count));
    }

    static void echo(auto& rx, auto& tx, number count) {
        run([](auto& from, auto& to, number left) -> asio::awaitable<number> {
            for (; left != 0; --left) {
                co_await send<T>(to, co_await from->async_receive(asio::use_awaitable));
            }
            co_return 0;
        }(rx, tx, count));
    }

    static number use_once(std::size_t capacity, number count) {
        return run([](std::size_t room, number end) -> asio::awaitable<number> {
            number sum = 0;
            for (number n = 0; n != end; ++n) {
                auto ends = make(room);
                co_await send<T>(ends.tx, n);
                sum += bench::value_of(co_await ends.rx->async_receive(asio::use_awaitable));
            }
            co_return sum;
        }(capacity, count));
    }

    static number send_times(auto& tx, number count) {
        return run([](auto& to, number left) -> asio::awaitable<number> {
            asio::steady_timer timer(co_await asio::this_coro::executor);
            number sum = 0;
            for (nanoseconds due = bench::wall_now(); left != 0; --left, due = bench::next_due(due)) {
                timer.expires_at(bench::time_point(due));
                co_await timer.async_wait(asio::use_awaitable);
                const auto sent = static_cast<number>(bench::wall_now());
                co_await send<T>(to, sent);
                sum += sent;
            }
            co_return sum;
        }(tx, count));
    }

    static number receive_times(auto& rx, std::vector<nanoseconds>& delays) {
        return run([](auto& from, std::vector<nanoseconds>& all) -> asio::awaitable<number> {
            number sum = 0;
            for (nanoseconds& delay : all) {
                const number sent = bench::value_of(co_await from->async_receive(asio::use_awaitable));
                delay = bench::wall_now() - static_cast<nanoseconds>(sent);
                sum += sent;
            }
            co_return sum;
        }(rx, delays));
    }
};

template <class T>
struct unbounded : bounded<T> {
    static auto make(std::size_t) { return bounded<T>::make(std::numeric_limits<std::size_t>::max()); }

    static number use_once(std::size_t, number count) {
        return bounded<T>::use_once(std::numeric_limits<std::size_t>::max(), count);
    }
};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("asio", bench::asio_version(), "tasks");
    bench::offer<unbounded>(peer, "unbounded");
    for (const char* kind : {"boundedN", "bounded1024", "bounded64", "bounded1", "bounded0"}) {
        bench::offer<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
