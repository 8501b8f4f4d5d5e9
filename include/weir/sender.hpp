// SPDX-License-Identifier: BSL-1.0
//
// The sending end of an unbounded channel.
#ifndef WEIR_SENDER_HPP
#define WEIR_SENDER_HPP

#include <weir/detail/flavor/list.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/error.hpp>

#include <concepts>
#include <cstddef>
#include <expected>
#include <optional>
#include <utility>

namespace weir {

template <class T>
class weak_sender;

// One producer of an unbounded channel; copies are more producers. When the last one is gone the receiver, having
// received everything, is told so.
//
// An empty handle (made by default, moved from, or reset) is safe to use: sends fail with `disconnected`.
//
// Thread safety: const members may be called from any number of threads on one handle at once; copies are independent.
//
//     auto [tx, rx] = weir::channel<std::string>();
//     std::jthread worker([out = std::move(tx)] { (void)out.send("hello"); });
//     std::string text = rx.recv().value();
template <class T>
class sender {
    static_assert(detail::check_message_kind<T>());

public:
    using value_type = T;

    // An empty handle.
    sender() noexcept = default;
    // One more producer.
    sender(const sender&) noexcept = default;
    // Leaves an empty handle; assignment drops what the target held before, and to itself changes nothing.
    sender(sender&&) noexcept = default;
    sender& operator=(const sender&) noexcept = default;
    sender& operator=(sender&&) noexcept = default;
    ~sender() = default;

    // Sends one message. Never blocks: waits neither for the receiver nor for another sender.
    //
    // `value` is a T, or converts to one. The message is made straight in the channel where that cannot throw, else
    // first in a local.
    //
    // Errors: `disconnected` if the receiver is gone or closed; `value` is then untouched.
    // Throws: std::bad_alloc where memory is out, with `value` untouched and the channel still good; what the
    // conversion to T throws, with the channel unchanged.
    // Synchronization: all that this thread did before happens before the return of the receive that yields the
    // message.
    // Ordering: messages of one sender arrive in the order sent; if one send returns before another begins, on
    // whatever threads, the first arrives first.
    // Complexity: one atomic read-modify-write; no allocation but for one block of memory in many messages.
    template <class U = T>
    requires std::convertible_to<U, T>
    [[nodiscard]] std::expected<void, send_error> send(U&& value) const {
        return detail::send_converted<T>(std::forward<U>(value), check(), into_channel());
    }

    // Sends a message made of `args`. As send() otherwise.
    template <class... Args>
    requires std::constructible_from<T, Args...>
    [[nodiscard]] std::expected<void, send_error> emplace(Args&&... args) const {
        return detail::send_constructed<T>(check(), into_channel(), std::forward<Args>(args)...);
    }

    // Drops this producer; the handle is empty then.
    void reset() noexcept { handle_.reset(); }

    // False for an empty handle.
    explicit operator bool() const noexcept { return handle_.get() != nullptr; }

    // Whether the receiver is gone or closed. True for an empty handle.
    [[nodiscard]] bool is_disconnected() const noexcept {
        return channel() == nullptr || channel()->is_closed_for_sending();
    }

    // How many messages were sent and not yet received; a snapshot.
    [[nodiscard]] std::size_t len() const noexcept { return channel() != nullptr ? channel()->len() : 0; }
    [[nodiscard]] bool is_empty() const noexcept { return len() == 0; }

    // Always nullopt: unbounded.
    [[nodiscard]] std::optional<std::size_t> capacity() const noexcept { return std::nullopt; }

    // How many producers there are; a snapshot.
    [[nodiscard]] std::size_t sender_count() const noexcept { return handle_.sender_count(); }

    // Whether both are ends of one channel. False for empty handles.
    [[nodiscard]] bool same_channel(const sender& other) const noexcept {
        return channel() != nullptr && handle_.get() == other.handle_.get();
    }

    // A handle that can become a sender again, and does not keep the channel connected.
    [[nodiscard]] weak_sender<T> downgrade() const noexcept;

    void swap(sender& other) noexcept { std::swap(handle_, other.handle_); }
    friend void swap(sender& one, sender& other) noexcept { one.swap(other); }

private:
    friend detail::handle_access;
    friend weak_sender<T>;

    // Takes over a producer that was counted already.
    explicit sender(detail::channel_base* channel) noexcept : handle_(channel) {}

    detail::list<T>* channel() const noexcept { return static_cast<detail::list<T>*>(handle_.get()); }

    WEIR_INLINE static std::expected<void, send_error> to_expected(detail::send_result result) noexcept {
        return detail::to_expected<send_error>(result);
    }
    // Before a message is made that cannot be given back: whether there is a place for it. Throws std::bad_alloc.
    auto check() const noexcept {
        return [this]() {
            if (is_disconnected()) {
                return to_expected(detail::send_result::disconnected);
            }
            channel()->make_room();
            return to_expected(detail::send_result::sent);
        };
    }
    auto into_channel() const noexcept {
        return [this](auto& source) WEIR_INLINE_LAMBDA {
            return to_expected(channel() != nullptr ? channel()->try_send(source) : detail::send_result::disconnected);
        };
    }

    detail::sender_handle handle_;
};

// Refers to an unbounded channel without being a producer.
//
// Thread safety: lock() and downgrade() may be called from any number of threads at once.
template <class T>
class weak_sender {
public:
    using value_type = T;

    // Refers to no channel.
    weak_sender() noexcept = default;

    // A producer again; an empty handle once the last sender is gone, whatever became of the receiver.
    [[nodiscard]] sender<T> lock() const noexcept { return sender<T>(detail::lock_sender(holder_)); }

    // Refers to no channel from now on.
    void reset() noexcept { holder_ = {}; }

    void swap(weak_sender& other) noexcept { std::swap(holder_, other.holder_); }
    friend void swap(weak_sender& one, weak_sender& other) noexcept { one.swap(other); }

private:
    friend sender<T>;

    explicit weak_sender(detail::channel_base* channel) noexcept : holder_(channel) {}

    detail::channel_holder holder_;
};

template <class T>
weak_sender<T> sender<T>::downgrade() const noexcept {
    return weak_sender<T>(handle_.get());
}

} // namespace weir

#endif
