// SPDX-License-Identifier: BSL-1.0
//
// Channels in programs that are built on Asio. The same channels and the same ends: on the other side may be a thread, a
// select, a coroutine, or another operation.
//
// The CMake target is weir::asio. This is the Asio that stands alone; with WEIR_ASIO_BOOST it is Boost's, 1.77 or later.
#ifndef WEIR_ASIO_HPP
#define WEIR_ASIO_HPP

#include <weir/detail/asio/net.hpp>
#include <weir/detail/asio/receive_operation.hpp>
#include <weir/detail/asio/send_operation.hpp>
#include <weir/detail/handles.hpp>
#include <weir/receiver.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <concepts>
#include <expected>
#include <functional>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weir {

namespace detail::inline WEIR_ASIO_KIND {

// What can be sent as a T. See async_send.
template <class Value, class T>
concept sendable_as = std::convertible_to<Value, T> || how_given<T, std::remove_cvref_t<Value>>::is_reference;

// An initiation that is put off, as that of a coroutine, takes a word for each of its own parts, and three for each argument:
// so there are none. `without`: where a handler has no executor of its own.
template <class T, class Executor>
struct initiate_recv {
    WEIR_NO_UNIQUE_ADDRESS Executor without;
    receiver<T>* rx;

    template <class Handler>
    WEIR_CHECKED_FUNCTION void operator()(Handler handler) const {
        detail::unwrap<net::io_context::executor_type>(
            net::get_associated_executor(handler, without), [&]<class Known>(const Known& executor) {
                handled_operation<receive_operation<T, WEIR_CHECKED != 0>, Handler, Known>::initiate(
                    handler, executor, handle_access::channel_received_by(*rx));
            });
    }
};

// Handle: a sender's.
template <class T, class Executor, class Handle, class Message>
struct initiate_send {
    WEIR_NO_UNIQUE_ADDRESS Executor without;
    Handle tx;
    Message message;

    // A token may call it more than once.
    template <class Handler>
    void operator()(Handler handler) const& {
        initiate_send copy(*this);
        std::move(copy)(std::move(handler));
    }
    template <class Handler>
    void operator()(Handler handler) && {
        const auto executor = net::get_associated_executor(handler, without);
        if constexpr (std::is_same_v<std::remove_cvref_t<Handle>, sender<T>>) {
            const bool is_sent = tx.send(message.take()).has_value();
            net::post(executor, sent<Handler>{std::move(handler), is_sent});
        } else {
            detail::unwrap<net::io_context::executor_type>(executor, [&]<class Known>(const Known& known) {
                using kind = send_operation<T, typename Message::offer>;
                handled_operation<kind, Handler, Known>::initiate(handler, known, message.take(), tx);
            });
        }
    }
};

// A token that is a handler itself, so that nothing is put off.
template <class Token, class Signature>
concept handler_of =
    std::same_as<typename net::async_result<std::remove_cvref_t<Token>, Signature>::completion_handler_type,
                 std::remove_cvref_t<Token>>;

template <class T, class Executor, class Sender, class Value, class Token>
auto initiate_sending(const Executor& executor, const Sender& tx, Value&& value, Token& token) {
    using signature = void(send_operation_result);
    using handle = std::conditional_t<handler_of<Token, signature>, const Sender&, Sender>;
    using message = typename how_given<T, std::remove_cvref_t<Value>>::type;
    return net::async_initiate<Token, signature>(
        initiate_send<T, Executor, handle, message>{executor, tx, message(std::forward<Value>(value))}, token);
}

} // namespace detail::inline WEIR_ASIO_KIND

namespace asio::inline WEIR_ASIO_KIND {

// Asynchronous operations, as Asio's own: `token` is any completion token, a callback, asio::use_awaitable, asio::use_future,
// asio::deferred and so on.
//
// The handler is called on its associated executor, else on `executor`, else on asio::system_executor; never inside the call
// that initiates the operation. That executor's context has work while the operation waits. Its memory, one block, comes from
// the associated allocator. Destroying the context ends the operations that wait there: their handlers are destroyed and not
// called, and no message is lost.
//
// Errors are values, so asio::use_awaitable does not throw for them, and in `a || b` of awaitables one that has failed has
// completed. `disconnected` is one of <weir/error.hpp>; a cancelled operation's is asio::error::operation_aborted, which
// equals std::errc::operation_canceled. Cancellation of any type ends an operation and leaves the channel as it was.
//
// Throws, out of the initiating call: what the allocator throws. Later the program ends, where memory is out and an executor
// cannot take a handler.

// Receives one message. It is taken out of the channel when the handler is called, on its executor: an operation that was
// cancelled before that takes nothing. So async_recv(…) || timer.async_wait(…) loses no message.
// Signature: void(std::expected<T, std::error_code>). Errors: `disconnected`, asio::error::operation_aborted.
// Throws: std::system_error, on a timer's channel, where the thread that serves those cannot be started.
// Thread safety: the operation is a call inside the receiver, from its initiation to its handler. Meanwhile only close() and the
// observers may be called, from any thread; and the handle may be moved, or go, which closes the channel, so that the operation
// ends; what is queued then is destroyed after it. A token that puts the initiation off refers to the handle until then.
//
//     weir::asio::async_recv(rx, [&](std::expected<int, std::error_code> message) { … });
//     auto message = co_await weir::asio::async_recv(rx, asio::use_awaitable);
template <class T, class Token>
auto async_recv(receiver<T>& rx, Token&& token) {
    return detail::net::async_initiate<Token, void(std::expected<T, std::error_code>)>(
        detail::initiate_recv<T, detail::net::system_executor>{{}, std::addressof(rx)}, token);
}
template <class Executor, class T, class Token>
auto async_recv(const Executor& executor, receiver<T>& rx, Token&& token) {
    return detail::net::async_initiate<Token, void(std::expected<T, std::error_code>)>(
        detail::initiate_recv<T, Executor>{executor, std::addressof(rx)}, token);
}

// Sends one message: `value`, a T or what converts to one. The operation owns it, and it goes with it where it fails. With
// std::ref(v) instead it is v itself, which must stay alive: it is moved from when the message goes in, and untouched if the
// operation fails or is abandoned. On an unbounded channel the message goes in at once.
// While it waits this counts as a sender, and the handle may go. So does what a token returns that puts the initiation off; it keeps
// the message, too.
// Signature: void(std::expected<void, std::error_code>). Errors: `disconnected`, asio::error::operation_aborted.
// Throws: what making a T throws, with the channel unchanged; std::bad_alloc on an unbounded channel where memory is out.
// Thread safety: any number of operations on one handle, by any number of threads.
//
//     weir::asio::async_send(tx, make_message(), asio::detached);
template <class T, class Value = T, class Token>
    requires detail::sendable_as<Value, T>
auto async_send(const sync_sender<T>& tx, Value&& value, Token&& token) {
    return detail::initiate_sending<T>(detail::net::system_executor(), tx, std::forward<Value>(value), token);
}
template <class T, class Value = T, class Token>
    requires detail::sendable_as<Value, T>
auto async_send(const sender<T>& tx, Value&& value, Token&& token) {
    return detail::initiate_sending<T>(detail::net::system_executor(), tx, std::forward<Value>(value), token);
}
template <class Executor, class T, class Value = T, class Token>
    requires detail::sendable_as<Value, T>
auto async_send(const Executor& executor, const sync_sender<T>& tx, Value&& value, Token&& token) {
    return detail::initiate_sending<T>(executor, tx, std::forward<Value>(value), token);
}
template <class Executor, class T, class Value = T, class Token>
    requires detail::sendable_as<Value, T>
auto async_send(const Executor& executor, const sender<T>& tx, Value&& value, Token&& token) {
    return detail::initiate_sending<T>(executor, tx, std::forward<Value>(value), token);
}

} // namespace asio::inline WEIR_ASIO_KIND
} // namespace weir

#endif
