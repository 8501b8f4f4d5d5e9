// SPDX-License-Identifier: BSL-1.0
//
// The receiving end of a channel of any kind.
#ifndef WEIR_RECEIVER_HPP
#define WEIR_RECEIVER_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/error.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <chrono>
#include <cstddef>
#include <expected>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace weir {

namespace detail {

template <class T, bool Waits>
class message_iterator;

} // namespace detail

// The one consumer of a channel: takes messages out, in order. Moves, does not copy.
//
// A receive hands out what is queued as long as there is any; only then, and for ever, it reports `disconnected`
// where every sender is gone or the receiver was closed. A message that is there wins over a time-out that has run
// out and over a stop already requested; `disconnected` wins over both. A receive waits for no sender that is stalled
// in the middle of a send: messages sent completely behind it are received past it.
//
// An empty handle (made by default, moved from, or reset) is safe to use: receives fail with `disconnected`, loops
// end at once.
//
// Thread safety: one thread at a time. Two at once end the program with a message where WEIR_CHECKED is 1 (the
// default without NDEBUG), else that is undefined.
// Synchronization: all that a thread did before it sent a message happens before the return of the receive that
// yields it; all that happened before the last sender went happens before a receive's `disconnected`.
//
//     for (auto message : rx) { … }          // until every sender is gone
template <class T>
class receiver {
    static_assert(detail::check_message_kind<T>());

public:
    using value_type = T;
    using iterator = detail::message_iterator<T, true>;

    // What is there now: a range that ends where recv would wait. Keeps the channel's memory, not the channel open.
    class try_range : public std::ranges::view_base {
    public:
        using iterator = detail::message_iterator<T, false>;

        [[nodiscard]] iterator begin() const noexcept { return iterator(holder_.get()); }
        [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

    private:
        friend receiver;
        explicit try_range(detail::channel_base* channel) noexcept : holder_(channel) {}

        detail::channel_holder holder_;
    };

    // An empty handle.
    receiver() noexcept = default;
    // Leaves an empty handle; assignment drops what the target held before, and to itself changes nothing.
    receiver(receiver&& other) noexcept : channel_(std::exchange(other.channel_, nullptr)) {}
    WEIR_CHECKED_FUNCTION receiver& operator=(receiver&& other) noexcept {
        receiver(std::move(other)).swap(*this);
        return *this;
    }
    WEIR_CHECKED_FUNCTION ~receiver() { reset(); }

    // Receives one message. Blocks until there is one.
    // Errors: `disconnected`.
    [[nodiscard]] WEIR_CHECKED_FUNCTION std::expected<T, recv_error> recv() {
        return receive<recv_error>("recv", until(detail::no_deadline()));
    }

    // Receives one message if one is there. Never blocks; where it is called again and again beside a busy sender, which
    // that slows down, it may take up to a microsecond to say `empty`.
    // Errors: `empty`, `disconnected`.
    [[nodiscard]] WEIR_CHECKED_FUNCTION std::expected<T, try_recv_error> try_recv() {
        return receive<try_recv_error>("try_recv", [](core_type& channel) noexcept { return channel.try_take(true); });
    }

    // Receives one message, waiting for it no longer than `timeout`. Zero, less, and NaN: one try; too long for the
    // clock: no limit.
    // Errors: `timeout`, `disconnected`.
    template <class Rep, class Period>
    [[nodiscard]] WEIR_CHECKED_FUNCTION std::expected<T, recv_timeout_error>
    recv_timeout(std::chrono::duration<Rep, Period> timeout) {
        return receive<recv_timeout_error>("recv_timeout", until(detail::relative_deadline(timeout)));
    }

    // Receives one message, waiting for it no longer than until `deadline` on its clock. On the steady clock the wait
    // does not follow changes of the system clock; another clock is asked again when the time seems to have come.
    // Errors: `timeout`, `disconnected`.
    template <class Clock, class Duration>
    [[nodiscard]] WEIR_CHECKED_FUNCTION std::expected<T, recv_timeout_error>
    recv_deadline(std::chrono::time_point<Clock, Duration> deadline) {
        return receive<recv_timeout_error>("recv_deadline", until(detail::clock_deadline(deadline)));
    }

#if WEIR_HAS_STOP_TOKEN
    // Receives one message, waiting for it until a stop is requested.
    // Errors: `stopped`, `disconnected`.
    [[nodiscard]] WEIR_CHECKED_FUNCTION std::expected<T, recv_stop_error> recv(std::stop_token token) {
        return receive<recv_stop_error>("recv", [&token](core_type& channel) {
            const auto take = [&token](auto& flavor) { return detail::take(flavor, detail::no_deadline(), token); };
            return detail::visit_flavor<T>(channel, take);
        });
    }
#endif

    // Waits for one message, then takes what is there, up to `max` messages in all; writes them to `out` and returns
    // how many. On a rendezvous: from as many senders as wait. With `max` 0 it returns 0 at once.
    // Errors: `disconnected`, where there was not one.
    // Throws: what writing to `out` throws; the message being written is lost then, the others stay in the channel.
    template <std::output_iterator<T> O>
    [[nodiscard]] WEIR_CHECKED_FUNCTION std::expected<std::size_t, recv_error> recv_many(O out, std::size_t max) {
        using result = std::expected<std::size_t, recv_error>;
        if (max == 0) {
            return std::size_t{0};
        }
        return with_flavor<result>("recv_many", std::unexpected(recv_error::disconnected), [&](auto& flavor) -> result {
            core_type& channel = flavor;
            T* const message = detail::take_from(channel, detail::no_deadline()).message;
            if (message == nullptr) {
                return std::unexpected(recv_error::disconnected);
            }
            return detail::take_many(flavor, message, std::move(out), max);
        });
    }

    // The messages as they come: the range ends when the channel is disconnected. A message is taken, and waited for,
    // when the loop asks whether there is one more; it lies in the channel's state until the iterator moves on or
    // goes. Loops inside a loop are fine: each iterator stands on a message of its own.
    // Throws: the loop throws std::bad_alloc where there is no memory for that place, which a channel of messages
    // above 40 bytes takes at its first use, and a loop inside a loop each time; no message is lost.
    [[nodiscard]] iterator begin() noexcept { return iterator(channel_); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

    // What is there now, taken as the loop goes; never waits. Otherwise as begin().
    [[nodiscard]] try_range try_iter() noexcept { return try_range(channel_); }

    // No more sends: senders see `disconnected`, those that wait too. What was sent can still be received; a send
    // that is under way may still succeed, and receives say `disconnected` only after its message.
    WEIR_CHECKED_FUNCTION void close() noexcept {
        if (channel_ != nullptr) {
            detail::check_close<>(*channel_);
            core()->close();
            detail::completions::run();
        }
    }

    // Drops the receiver; the handle is empty then. Sends fail from now on, and what is queued is destroyed here, in
    // order.
    WEIR_CHECKED_FUNCTION void reset() noexcept {
        if (detail::channel_base* const channel = std::exchange(channel_, nullptr)) {
            if (!channel->is_operated()) {
                const detail::receiver_use<> alone(*channel, "reset");
            }
            channel->drop_receiver();
        }
    }

    // False for an empty handle.
    explicit operator bool() const noexcept { return channel_ != nullptr; }

    // Whether every sender is gone, or it was closed. Messages may remain. True for an empty handle.
    [[nodiscard]] bool is_disconnected() const noexcept {
        return channel_ == nullptr || core()->is_closed() || !core()->has_senders();
    }

    // How many messages were sent and not yet received; a snapshot. On a rendezvous 0, or 1 where a
    // coroutine was destroyed before it received what was sent to it.
    [[nodiscard]] std::size_t len() const noexcept {
        return channel_ != nullptr
                   ? detail::visit_flavor<T>(*channel_, [](auto& flavor) noexcept { return flavor.len(); })
                   : 0;
    }
    // Whether a try_recv would find no message now.
    [[nodiscard]] bool is_empty() const noexcept { return len() == 0; }

    // How many messages fit, exactly; 0: a rendezvous. Nullopt: unbounded, or an empty handle.
    [[nodiscard]] std::optional<std::size_t> capacity() const noexcept {
        if (channel_ == nullptr || channel_->kind() == detail::flavor_kind::list) {
            return std::nullopt;
        }
        if (channel_->kind() == detail::flavor_kind::timer) {
            return detail::timer<T>::capacity();
        }
        return detail::visit_sync_flavor<T>(*channel_, [](auto& flavor) noexcept { return flavor.capacity(); });
    }

    // How many producers there are; a snapshot.
    [[nodiscard]] std::size_t sender_count() const noexcept {
        return channel_ != nullptr ? channel_->sender_count() : 0;
    }

    // Whether both are ends of one channel. False for empty handles.
    [[nodiscard]] bool same_channel(const sender<T>& tx) const noexcept { return is_channel_of(tx); }
    [[nodiscard]] bool same_channel(const sync_sender<T>& tx) const noexcept { return is_channel_of(tx); }

    void swap(receiver& other) noexcept { std::swap(channel_, other.channel_); }
    friend void swap(receiver& one, receiver& other) noexcept { one.swap(other); }

private:
    friend detail::handle_access;

    // Takes over the channel's one receiver.
    explicit receiver(detail::channel_base* channel) noexcept : channel_(channel) {}

    using core_type = detail::channel_core<T>;

    core_type* core() const noexcept { return static_cast<core_type*>(channel_); }

    template <class Sender>
    bool is_channel_of(const Sender& tx) const noexcept {
        return channel_ != nullptr && channel_ == detail::handle_access::channel_of(tx);
    }

    // use(flavor), alone in this receiver; `empty` where the handle is.
    template <class Result, class Empty, class Use>
    WEIR_CHECKED_FUNCTION WEIR_INLINE Result with_flavor(const char* call, Empty&& empty, Use use) const {
        if (channel_ == nullptr) {
            return std::forward<Empty>(empty);
        }
        const detail::receiver_use<> alone(*channel_, call);
        return detail::visit_flavor<T>(*channel_, use);
    }

    template <class Deadline>
    static auto until(const Deadline& limit) {
        return [limit](core_type& channel) { return detail::take_from(channel, limit); };
    }

    // Receives by the usual case, or else by take(channel).
    template <class E, class Take>
    WEIR_CHECKED_FUNCTION WEIR_INLINE std::expected<T, E> receive(const char* call, Take take) {
        using result = std::expected<T, E>;
        const auto use = [take](auto& flavor) WEIR_INLINE_LAMBDA -> result {
            T* const message = flavor.acquire_at_once();
            return message != nullptr ? receive_at_once<E>(flavor, message) : receive_slowly<E>(flavor, take);
        };
        return with_flavor<result>(call, std::unexpected(E::disconnected), use);
    }

    // The message that acquire_at_once() gave.
    template <class E, class Flavor>
    WEIR_INLINE static std::expected<T, E> receive_at_once(Flavor& flavor, T* message) {
        if constexpr (detail::is_small_and_plain<T>) {
            std::expected<T, E> received(std::in_place, *message);
            if (flavor.release_at_once(message)) [[unlikely]] {
                return settle(flavor, received);
            }
            return received;
        } else {
            const detail::taken_at_once taken(flavor, message);
            return std::expected<T, E>(std::in_place, detail::passed_on<T>(std::move(*message)));
        }
    }

    template <class E, class Take>
    WEIR_NOINLINE static std::expected<T, E> receive_slowly(core_type& channel, Take take) {
        auto [message, error] = take(channel);
        if (message == nullptr) {
            return std::unexpected(static_cast<E>(error));
        }
        const detail::taken_message taken(channel, message);
        return std::expected<T, E>(std::in_place, detail::passed_on<T>(std::move(*message)));
    }

    // Gives `received` back, so that the caller need not keep it.
    template <class Result>
    WEIR_NOINLINE static Result settle(core_type& channel, Result received) noexcept {
        channel.settle();
        return received;
    }

    detail::channel_base* channel_ = nullptr;
};

namespace detail {

// Goes through a channel's messages: an input iterator that moves, with T&& for its reference.
template <class T, bool Waits>
class message_iterator {
public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = T&&;

    message_iterator() noexcept = default;
    message_iterator(message_iterator&& other) noexcept
        : holder_(std::move(other.holder_)), message_(std::exchange(other.message_, nullptr)) {}
    message_iterator& operator=(message_iterator&& other) noexcept {
        if (this != &other) {
            leave();
            holder_ = std::move(other.holder_);
            message_ = std::exchange(other.message_, nullptr);
        }
        return *this;
    }
    ~message_iterator() { leave(); }

    // The message that the iterator stands on; takes one first, where the loop did not ask whether there is one.
    WEIR_CHECKED_FUNCTION T&& operator*() const {
        if (!stand()) {
            fatal("an iterator at the end of a channel was dereferenced");
        }
        return std::move(*message_);
    }
    WEIR_CHECKED_FUNCTION T* operator->() const {
        T&& message = **this;
        return std::addressof(message);
    }

    WEIR_CHECKED_FUNCTION message_iterator& operator++() {
        if (message_ == nullptr) {
            (void)stand(); // the loop did not ask: one message is skipped
        }
        leave();
        return *this;
    }
    WEIR_CHECKED_FUNCTION void operator++(int) { ++*this; }

    // Whether there is no further message. Takes the next one, if the iterator does not stand on one.
    WEIR_CHECKED_FUNCTION WEIR_INLINE friend bool operator==(const message_iterator& it, std::default_sentinel_t) {
        return it.message_ == nullptr && !it.take();
    }

private:
    friend receiver<T>;

    explicit message_iterator(channel_base* channel) noexcept : holder_(channel) {}

    channel_core<T>* core() const noexcept { return static_cast<channel_core<T>*>(holder_.get()); }

    // Who does not ask first whether there is one.
    WEIR_CHECKED_FUNCTION bool stand() const { return message_ != nullptr || take_unasked(); }
    WEIR_CHECKED_FUNCTION WEIR_NOINLINE bool take_unasked() const { return take(); }

    WEIR_CHECKED_FUNCTION WEIR_INLINE bool take() const {
        if (holder_.get() == nullptr || !core()->has_receiver()) {
            return false;
        }
        const receiver_use<> alone(*holder_.get(), "iteration");
        void* const place = core()->places().take();
        message_ = detail::visit_flavor<T>(*holder_.get(), [place](auto& flavor) WEIR_INLINE_LAMBDA -> T* {
            T* const message = flavor.acquire_at_once();
            if (message == nullptr) [[unlikely]] {
                return take_slowly(flavor, place);
            }
            T* const own = ::new (place) T(detail::passed_on<T>(std::move(*message)));
            if (flavor.release_at_once(message)) [[unlikely]] {
                static_cast<channel_core<T>&>(flavor).settle();
            }
            return own;
        });
        if (message_ == nullptr) {
            core()->places().give_back(place);
        }
        return message_ != nullptr;
    }

    WEIR_NOINLINE static T* take_slowly(channel_core<T>& channel, void* place) noexcept {
        T* const message = (Waits ? take_from(channel, no_deadline()) : channel.try_take(false)).message;
        if (message == nullptr) {
            return nullptr;
        }
        const taken_message taken(channel, message);
        return ::new (place) T(detail::passed_on<T>(std::move(*message)));
    }

    void leave() noexcept {
        if (T* const message = std::exchange(message_, nullptr)) {
            std::destroy_at(message); // it may use the channel
            core()->places().give_back(message);
        }
    }

    channel_holder holder_;
    mutable T* message_ = nullptr; // the one that the iterator stands on, in a place of the channel's state
};

} // namespace detail

} // namespace weir

#endif
