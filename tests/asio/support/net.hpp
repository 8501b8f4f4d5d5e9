// SPDX-License-Identifier: BSL-1.0
//
// Either Asio, and operations on either kind of sender.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <weir/asio.hpp>

#if defined(WEIR_ASIO_BOOST)
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
namespace net = boost::asio;
namespace net_tokens = boost::asio;
#else
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/version.hpp>
namespace net = asio;
#if ASIO_VERSION < 102400
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
namespace net_tokens = asio::experimental;
#else
#include <asio/as_tuple.hpp>
#include <asio/deferred.hpp>
namespace net_tokens = asio;
#endif
#endif

#include "../../conformance/support/any_channel.hpp"

namespace operations {

using conformance::any_sender;
using conformance::flavor;

template <class T>
using received = std::expected<T, std::error_code>;
using sent = std::expected<void, std::error_code>;

// A message that can only be moved.
using value = std::unique_ptr<std::uint64_t>;
inline value made(std::uint64_t number) { return std::make_unique<std::uint64_t>(number); }

// For a channel of any kind.
template <class Executor, class T, class Value, class Token>
auto async_send(const Executor& executor, const any_sender<T>& tx, Value&& message, Token&& token) {
    return tx.visit([&](const auto& handle) {
        return weir::asio::async_send(executor, handle, std::forward<Value>(message), std::forward<Token>(token));
    });
}

// Where a result is put.
template <class Result>
auto into(std::optional<Result>& place) {
    return [&place](Result result) { place.emplace(std::move(result)); };
}

inline bool is_aborted(const std::error_code& error) {
#if defined(WEIR_ASIO_BOOST)
    const bool is_asios = error == std::error_code(net::error::make_error_code(net::error::operation_aborted));
#else
    const bool is_asios = error == net::error::operation_aborted && net::error::operation_aborted == error &&
                          !(error != net::error::operation_aborted) && error != net::error::connection_reset;
#endif
    return is_asios && error == std::errc::operation_canceled;
}

// Runs what is ready.
inline std::size_t run(net::io_context& context) {
    context.restart();
    return context.poll();
}
// Runs all, in no more time than a test may take.
template <class Duration>
std::size_t run_for(net::io_context& context, Duration time) {
    context.restart();
    return context.run_for(time);
}

} // namespace operations
