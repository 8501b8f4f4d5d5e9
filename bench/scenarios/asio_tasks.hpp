// SPDX-License-Identifier: BSL-1.0
//
// The coroutines of tasks.hpp as Asio's, each thread with an io_context of its own. A Channel has, beside what loops.hpp asks
// for:
//
//   static asio::awaitable<void> send_all(auto& tx, number n, number end);         // all from n on, without the end
//   static asio::awaitable<void> receive_all(auto& rx, number left, number& sum);  // so many, added to the sum
#ifndef BENCH_SCENARIOS_ASIO_TASKS_HPP
#define BENCH_SCENARIOS_ASIO_TASKS_HPP

#include <exception>
#include <string>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/version.hpp>

#include "message.hpp"

namespace bench {

inline std::string asio_version() {
    return std::to_string(ASIO_VERSION / 100'000) + '.' + std::to_string(ASIO_VERSION / 100 % 1'000) + '.' +
           std::to_string(ASIO_VERSION % 100);
}

inline void spawn(asio::io_context& context, asio::awaitable<void> body) {
    asio::co_spawn(context, std::move(body), [](std::exception_ptr failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
}

template <class Channel>
struct asio_tasks {
    using has_tasks = void;

    static void send_in_task(auto& tx, number first, number end) {
        asio::io_context context(1);
        spawn(context, Channel::send_all(tx, first, end));
        context.run();
    }

    static number receive_in_task(auto& rx, number count) {
        asio::io_context context(1);
        return receive_beside(context, rx, count);
    }

    static number exchange_in_tasks(auto& tx, auto& rx, number count) {
        asio::io_context context(1);
        spawn(context, Channel::send_all(tx, 0, count));
        return receive_beside(context, rx, count);
    }

    static number wait_in_tasks(auto& tx, auto& rx, number count, auto all_wait) {
        asio::io_context context(1);
        for (number n = 0; n != count; ++n) {
            spawn(context, Channel::send_all(tx, n, n + 1));
        }
        context.poll();
        all_wait();
        context.restart();
        return receive_beside(context, rx, count);
    }

private:
    // Receives in a coroutine, beside those that are there, until all have ended.
    static number receive_beside(asio::io_context& context, auto& rx, number count) {
        number sum = 0;
        spawn(context, Channel::receive_all(rx, count, sum));
        context.run();
        return sum;
    }
};

} // namespace bench

#endif
