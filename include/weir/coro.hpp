// SPDX-License-Identifier: BSL-1.0
//
// Waiting for channels in coroutines. The same channels and the same ends: on the other side may be a thread, a select, or
// another coroutine.
#ifndef WEIR_CORO_HPP
#define WEIR_CORO_HPP

#include <weir/detail/coro/awaitable.hpp>
#include <weir/detail/coro/receive_awaitables.hpp>
#include <weir/detail/coro/send_awaitables.hpp>
#include <weir/error.hpp>
#include <weir/receiver.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace weir {

// What these functions return is to be awaited once, by any coroutine, best in the same expression. Until then nothing
// happens.
//
// An operation that can complete at once does not suspend. None allocates anything: the wait lies in the coroutine's frame.
//
// Where a coroutine goes on: with resume_on, its scheduler is given the handle, once. Without, on the thread whose call
// completed its wait: a send, a receive, close(), the end of a handle, request_stop(), or, for a timer's channel, the one
// thread that serves them. That call's outermost call of the library resumes the coroutine before it returns, and before it
// blocks. So it lasts as long as what it resumes, and holds whatever locks its caller holds: for anything but small programs
// use resume_on. A coroutine out of whose resumption an exception comes ends the program.
//
// Destroying a coroutine that waits ends the wait: no message is lost, and nobody else's wake. With resume_on the
// scheduler will not be called with that handle any more when this has returned, and a call in progress has ended; what the
// scheduler holds already is its owner's to discard. Without, it must not race with the call that completes the wait.

// Receives one message.
// Awaiting yields: std::expected<T, recv_error>. Errors: `disconnected`.
// Throws: std::system_error, on a timer's channel, where the thread that serves those cannot be started.
// Thread safety: the wait is a call inside the receiver, which must stay where it is; meanwhile only close() and the
// observers may be called, from any thread, and close() ends the wait.
//
//     weir::task consume(weir::receiver<int> rx) {
//         while (auto message = co_await weir::async_recv(rx)) { … }
//     }
template <class T>
[[nodiscard]] WEIR_CHECKED_FUNCTION auto async_recv(receiver<T>& rx) {
    return detail::awaitable<
        detail::recv_awaiter<T, recv_error, detail::no_stop, detail::resume_here, (WEIR_CHECKED != 0)>>(
        {std::addressof(rx), {}});
}

#if WEIR_HAS_STOP_TOKEN
// The same, until a stop is requested.
// Awaiting yields: std::expected<T, recv_stop_error>. Errors: `stopped`, `disconnected`.
template <class T>
[[nodiscard]] WEIR_CHECKED_FUNCTION auto async_recv(receiver<T>& rx, std::stop_token token) {
    return detail::awaitable<
        detail::recv_awaiter<T, recv_stop_error, std::stop_token, detail::resume_here, (WEIR_CHECKED != 0)>>(
        {std::addressof(rx), std::move(token)});
}
#endif

// Waits for one message, then takes what is there, up to `max` messages in all, and writes them to `out`. With `max` 0 it
// does not wait.
// Awaiting yields: std::expected<std::size_t, recv_error>, how many it was. Errors: `disconnected`, where there was not one.
// Throws: what writing to `out` throws; the message being written is lost then, the others stay in the channel.
template <class T, std::output_iterator<T> O>
[[nodiscard]] WEIR_CHECKED_FUNCTION auto async_recv_many(receiver<T>& rx, O out, std::size_t max) {
    return detail::awaitable<detail::recv_many_awaiter<T, O, detail::resume_here, (WEIR_CHECKED != 0)>>(
        {std::addressof(rx), std::move(out), max});
}

// Sends one message: `value`, a T or what converts to one. It is referred to, as by send: write it in the awaiting
// expression, or keep it alive. If the send fails, or the coroutine is destroyed before the message went in, it is untouched.
// While it waits this counts as a sender, and the handle may go.
// Awaiting yields: std::expected<void, send_error>. Errors: `disconnected`.
// Throws: what making a T throws, with the channel unchanged; std::bad_alloc on an unbounded channel where memory is out, with
// `value` untouched.
//
//     co_await weir::async_send(tx, make_message());
template <class T, class U = T>
    requires std::convertible_to<U, T>
[[nodiscard]] auto async_send(const sender<T>& tx, U&& value) {
    return detail::unbounded_send_awaitable<T, send_error, U>(tx, std::forward<U>(value));
}
template <class T, class U = T>
    requires std::convertible_to<U, T>
[[nodiscard]] auto async_send(const sync_sender<T>& tx, U&& value) {
    return detail::awaitable<detail::send_awaiter<T, send_error, U, detail::no_stop, detail::resume_here>>(
        {std::addressof(tx), std::forward<U>(value), {}});
}

#if WEIR_HAS_STOP_TOKEN
// The same, waiting for room until a stop is requested.
// Awaiting yields: std::expected<void, send_stop_error>. Errors: `stopped`, `disconnected`.
template <class T, class U = T>
    requires std::convertible_to<U, T>
[[nodiscard]] auto async_send(const sender<T>& tx, U&& value, std::stop_token) {
    return detail::unbounded_send_awaitable<T, send_stop_error, U>(tx, std::forward<U>(value));
}
template <class T, class U = T>
    requires std::convertible_to<U, T>
[[nodiscard]] auto async_send(const sync_sender<T>& tx, U&& value, std::stop_token token) {
    return detail::awaitable<detail::send_awaiter<T, send_stop_error, U, std::stop_token, detail::resume_here>>(
        {std::addressof(tx), std::forward<U>(value), std::move(token)});
}
#endif

// One of the above, with a scheduler to go on through, which is kept by value. It is called once, with the coroutine's
// handle, where the coroutine was suspended and its wait is over: it may queue the handle, post it to another thread, or
// resume it.
//
//     co_await weir::resume_on(weir::async_recv(rx), pool.scheduler());
template <class Awaitable, class Scheduler>
    requires std::invocable<const Scheduler&, std::coroutine_handle<>> &&
             requires(Awaitable& from, Scheduler to) { from.with(std::move(to)); }
[[nodiscard]] auto resume_on(Awaitable&& awaitable, Scheduler scheduler) {
    return awaitable.with(std::move(scheduler));
}

} // namespace weir

#endif
