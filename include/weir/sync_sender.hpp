// SPDX-License-Identifier: BSL-1.0
//
// The sending end of a bounded or a rendezvous channel.
#ifndef WEIR_SYNC_SENDER_HPP
#define WEIR_SYNC_SENDER_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/error.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <expected>
#include <optional>
#include <utility>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace weir {

template <class T>
class weak_sync_sender;

// One producer of a bounded channel, or, where the capacity is 0, of a rendezvous; copies are more producers. When
// the last one is gone the receiver, having received everything, is told so.
//
// On a rendezvous there is room exactly while a receive waits, and a send that succeeded was received.
//
// An empty handle (made by default, moved from, or reset) is safe to use: sends fail with `disconnected`.
//
// All sends: `value` is a T or converts to one; the message is made straight in the channel where that cannot throw,
// else first in a local; what making it throws passes through, with the channel unchanged. If a send fails its
// argument is untouched, but for one whose conversion may throw, where the send began to wait before it failed. Room
// that is there wins over a time-out that has run out and over a stop already requested; `disconnected` wins over both.
//
// Synchronization: all that this thread did before happens before the return of the receive that yields the message;
// a receive that frees room happens before the send that uses it.
// Ordering: messages of one sender arrive in the order sent; if one send returns before another begins, on whatever
// threads, the first arrives first. Waiting senders are served in the order they came, if the channel is a rendezvous
// or any thread may move their messages, as the receiver's does then: a trivially copyable T, a standard string, vector or
// smart pointer, a handle of a channel, a pair, tuple, optional, variant, expected or array of such. Any other message is
// moved by the thread that sends it: whichever runs first has the room, and a waiting one that about a thousand messages
// overtook has the next place.
// Thread safety: const members may be called from any number of threads on one handle at once; copies are independent.
template <class T>
class sync_sender {
    static_assert(detail::check_message_kind<T>());

public:
    using value_type = T;

    // An empty handle.
    sync_sender() noexcept = default;
    // One more producer.
    sync_sender(const sync_sender&) noexcept = default;
    // Leaves an empty handle; assignment drops what the target held before, and to itself changes nothing.
    sync_sender(sync_sender&&) noexcept = default;
    sync_sender& operator=(const sync_sender&) noexcept = default;
    sync_sender& operator=(sync_sender&&) noexcept = default;
    ~sync_sender() = default;

    // Sends one message. Blocks while the channel is full.
    // Errors: `disconnected` if the receiver is gone or closed, or goes while this waits.
    template <class U = T>
    requires std::convertible_to<U, T>
    [[nodiscard]] std::expected<void, send_error> send(U&& value) const {
        return send_blocking<send_error>(detail::no_deadline(), detail::no_stop(), std::forward<U>(value));
    }

    // Sends a message made of `args`. As send() otherwise.
    template <class... Args>
    requires std::constructible_from<T, Args...>
    [[nodiscard]] std::expected<void, send_error> emplace(Args&&... args) const {
        const detail::no_deadline until;
        const detail::no_stop stop;
        return detail::send_constructed<T>(check<send_error>(until, stop), waiting<send_error>(until, stop),
                                           std::forward<Args>(args)...);
    }

    // Sends one message if there is room now. Never blocks. On a rendezvous: if a receive waits now.
    // Errors: `full`, `disconnected`.
    template <class U = T>
    requires std::convertible_to<U, T>
    [[nodiscard]] std::expected<void, try_send_error> try_send(U&& value) const {
        return detail::send_converted<T>(std::forward<U>(value), check_room(), trying());
    }

    // Sends a message made of `args` if there is room now. As try_send() otherwise.
    template <class... Args>
    requires std::constructible_from<T, Args...>
    [[nodiscard]] std::expected<void, try_send_error> try_emplace(Args&&... args) const {
        return detail::send_constructed<T>(check_room(), trying(), std::forward<Args>(args)...);
    }

    // Sends one message, waiting for room no longer than `timeout`. Zero, less, and NaN: one try; too long for the
    // clock: no limit.
    // Errors: `timeout`, `disconnected`.
    template <class U = T, class Rep, class Period>
    requires std::convertible_to<U, T>
    [[nodiscard]] std::expected<void, send_timeout_error>
    send_timeout(U&& value, std::chrono::duration<Rep, Period> timeout) const {
        return send_blocking<send_timeout_error>(detail::relative_deadline(timeout), detail::no_stop(),
                                                 std::forward<U>(value));
    }

    // Sends one message, waiting for room no longer than until `deadline` on its clock. On the steady clock the wait
    // does not follow changes of the system clock; another clock is asked again when the time seems to have come.
    // Errors: `timeout`, `disconnected`.
    template <class U = T, class Clock, class Duration>
    requires std::convertible_to<U, T>
    [[nodiscard]] std::expected<void, send_timeout_error>
    send_deadline(U&& value, std::chrono::time_point<Clock, Duration> deadline) const {
        return send_blocking<send_timeout_error>(detail::clock_deadline(deadline), detail::no_stop(),
                                                 std::forward<U>(value));
    }

#if WEIR_HAS_STOP_TOKEN
    // Sends one message, waiting for room until a stop is requested.
    // Errors: `stopped`, `disconnected`.
    template <class U = T>
    requires std::convertible_to<U, T>
    [[nodiscard]] std::expected<void, send_stop_error> send(U&& value, std::stop_token token) const {
        return send_blocking<send_stop_error>(detail::no_deadline(), token, std::forward<U>(value));
    }
#endif

    // Drops this producer; the handle is empty then.
    void reset() noexcept { handle_.reset(); }

    // False for an empty handle.
    explicit operator bool() const noexcept { return handle_.get() != nullptr; }

    // Whether the receiver is gone or closed. True for an empty handle.
    [[nodiscard]] bool is_disconnected() const noexcept {
        return handle_.get() == nullptr || visit([](auto& flavor) noexcept { return flavor.is_closed_for_sending(); });
    }

    // How many messages were sent and not yet received; a snapshot. On a rendezvous 0, or 1 where a
    // coroutine was destroyed before it received what was sent to it.
    [[nodiscard]] std::size_t len() const noexcept {
        return handle_.get() != nullptr ? visit([](auto& flavor) noexcept { return flavor.len(); }) : 0;
    }
    [[nodiscard]] bool is_empty() const noexcept { return len() == 0; }

    // How many messages fit, exactly; 0: a rendezvous. Nullopt for an empty handle.
    [[nodiscard]] std::optional<std::size_t> capacity() const noexcept {
        if (handle_.get() == nullptr) {
            return std::nullopt;
        }
        return visit([](auto& flavor) noexcept { return flavor.capacity(); });
    }

    // How many producers there are; a snapshot.
    [[nodiscard]] std::size_t sender_count() const noexcept { return handle_.sender_count(); }

    // Whether both are ends of one channel. False for empty handles.
    [[nodiscard]] bool same_channel(const sync_sender& other) const noexcept {
        return handle_.get() != nullptr && handle_.get() == other.handle_.get();
    }

    // A handle that can become a sender again, and does not keep the channel connected.
    [[nodiscard]] weak_sync_sender<T> downgrade() const noexcept;

    void swap(sync_sender& other) noexcept { std::swap(handle_, other.handle_); }
    friend void swap(sync_sender& one, sync_sender& other) noexcept { one.swap(other); }

private:
    friend detail::handle_access;
    friend weak_sync_sender<T>;

    // Takes over a producer that was counted already.
    explicit sync_sender(detail::channel_base* channel) noexcept : handle_(channel) {}

    template <class Visit>
    WEIR_INLINE decltype(auto) visit(Visit visit) const {
        return detail::visit_sync_flavor<T>(*handle_.get(), visit);
    }

    bool is_full() const noexcept {
        return visit([](auto& flavor) noexcept { return flavor.is_full(); });
    }

    template <class E, class Deadline, class Stop, class U>
    WEIR_INLINE std::expected<void, E> send_blocking(const Deadline& until, const Stop& stop, U&& value) const {
        return detail::send_converted<T>(std::forward<U>(value), check<E>(until, stop), waiting<E>(until, stop));
    }

    // How a send ends, made of the parts that detail::send_made() calls.
    template <class E, class Deadline, class Stop>
    auto check(const Deadline& until, const Stop& stop) const noexcept {
        return [this, &until, &stop]() {
            using detail::send_result;
            if (is_disconnected()) {
                return detail::to_expected<E>(send_result::disconnected);
            }
            const bool is_stopped = stop.stop_requested();
            if ((is_stopped || until.has_passed()) && is_full()) {
                return detail::to_expected<E>(is_stopped ? send_result::stopped : send_result::timeout);
            }
            return detail::to_expected<E>(send_result::sent);
        };
    }
    auto check_room() const noexcept {
        return [this]() noexcept {
            using detail::send_result;
            return detail::to_expected<try_send_error>(is_disconnected() ? send_result::disconnected
                                                       : is_full()       ? send_result::full
                                                                         : send_result::sent);
        };
    }
    auto trying() const noexcept {
        return [this](auto& source) WEIR_INLINE_LAMBDA {
            if (handle_.get() == nullptr) {
                return detail::to_expected<try_send_error>(detail::send_result::disconnected);
            }
            return detail::to_expected<try_send_error>(
                visit([&](auto& flavor) WEIR_INLINE_LAMBDA { return flavor.try_send(source); }));
        };
    }
    template <class E, class Deadline, class Stop>
    auto waiting(const Deadline& until, const Stop& stop) const noexcept {
        return [this, &until, &stop](auto& source) WEIR_INLINE_LAMBDA {
            if (handle_.get() == nullptr) {
                return detail::to_expected<E>(detail::send_result::disconnected);
            }
            return detail::to_expected<E>(
                visit([&](auto& flavor) WEIR_INLINE_LAMBDA { return flavor.send(source, until, stop); }));
        };
    }

    detail::sender_handle handle_;
};

// Refers to a bounded or a rendezvous channel without being a producer.
//
// Thread safety: lock() may be called from any number of threads at once.
template <class T>
class weak_sync_sender {
public:
    using value_type = T;

    // Refers to no channel.
    weak_sync_sender() noexcept = default;

    // A producer again; an empty handle once the last sender is gone, whatever became of the receiver.
    [[nodiscard]] sync_sender<T> lock() const noexcept { return sync_sender<T>(detail::lock_sender(holder_)); }

    // Refers to no channel from now on.
    void reset() noexcept { holder_ = {}; }

    void swap(weak_sync_sender& other) noexcept { std::swap(holder_, other.holder_); }
    friend void swap(weak_sync_sender& one, weak_sync_sender& other) noexcept { one.swap(other); }

private:
    friend sync_sender<T>;

    explicit weak_sync_sender(detail::channel_base* channel) noexcept : holder_(channel) {}

    detail::channel_holder holder_;
};

template <class T>
weak_sync_sender<T> sync_sender<T>::downgrade() const noexcept {
    return weak_sync_sender<T>(handle_.get());
}

} // namespace weir

#endif
