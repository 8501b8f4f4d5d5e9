// SPDX-License-Identifier: BSL-1.0
//
// A kind of channel, and one kind of sender for all of them, so that what is done with channels is written, and compiled,
// once.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include <weir/weir.hpp>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace conformance {

struct flavor {
    std::optional<std::size_t> capacity; // none: unbounded

    bool is_unbounded() const { return !capacity; }
    bool is_rendezvous() const { return capacity && *capacity == 0; }

    // How many messages can be sent without a receive, at most `wanted`.
    std::size_t room(std::size_t wanted) const { return capacity ? std::min(*capacity, wanted) : wanted; }

    std::string name() const { return capacity ? "capacity_" + std::to_string(*capacity) : "unbounded"; }
    friend void PrintTo(const flavor& which, std::ostream* out) { *out << which.name(); }
};

// What an operation came to: `ok`, or its error as the one enum that all of them share.
using weir::channel_errc;
inline constexpr channel_errc ok{};

template <class Result>
channel_errc outcome(const Result& result) {
    return result ? ok : static_cast<channel_errc>(result.error());
}

// A sender<T> or a sync_sender<T>. The operations that an unbounded channel does not have (it is never full) are its
// send there, since that is what they would come to.
template <class T>
class any_sender {
public:
    any_sender() = default;
    explicit any_sender(weir::sender<T> handle) : unbounded_(std::move(handle)), is_unbounded_(true) {}
    explicit any_sender(weir::sync_sender<T> handle) : bounded_(std::move(handle)) {}

    template <class U = T>
    std::expected<void, weir::send_error> send(U&& value) const {
        return is_unbounded_ ? unbounded_.send(std::forward<U>(value)) : bounded_.send(std::forward<U>(value));
    }
    template <class... Args>
    std::expected<void, weir::send_error> emplace(Args&&... args) const {
        return is_unbounded_ ? unbounded_.emplace(std::forward<Args>(args)...)
                             : bounded_.emplace(std::forward<Args>(args)...);
    }
    template <class U = T>
    std::expected<void, weir::try_send_error> try_send(U&& value) const {
        return is_unbounded_ ? as<weir::try_send_error>(unbounded_.send(std::forward<U>(value)))
                             : bounded_.try_send(std::forward<U>(value));
    }
    template <class... Args>
    std::expected<void, weir::try_send_error> try_emplace(Args&&... args) const {
        return is_unbounded_ ? as<weir::try_send_error>(unbounded_.emplace(std::forward<Args>(args)...))
                             : bounded_.try_emplace(std::forward<Args>(args)...);
    }
    template <class U, class Rep, class Period>
    std::expected<void, weir::send_timeout_error> send_timeout(U&& value,
                                                               std::chrono::duration<Rep, Period> patience) const {
        return is_unbounded_ ? as<weir::send_timeout_error>(unbounded_.send(std::forward<U>(value)))
                             : bounded_.send_timeout(std::forward<U>(value), patience);
    }
    template <class U, class Clock, class Duration>
    std::expected<void, weir::send_timeout_error> send_deadline(U&& value,
                                                                std::chrono::time_point<Clock, Duration> end) const {
        return is_unbounded_ ? as<weir::send_timeout_error>(unbounded_.send(std::forward<U>(value)))
                             : bounded_.send_deadline(std::forward<U>(value), end);
    }
#if WEIR_HAS_STOP_TOKEN
    template <class U>
    std::expected<void, weir::send_stop_error> send(U&& value, std::stop_token stop) const {
        return is_unbounded_ ? as<weir::send_stop_error>(unbounded_.send(std::forward<U>(value)))
                             : bounded_.send(std::forward<U>(value), stop);
    }
#endif

    // use(handle), with a sender or a sync_sender: for what takes the handle itself.
    template <class Use>
    decltype(auto) visit(Use use) const {
        return is_unbounded_ ? use(unbounded_) : use(bounded_);
    }

    void reset() {
        unbounded_.reset();
        bounded_.reset();
    }
    explicit operator bool() const { return is_unbounded_ ? bool(unbounded_) : bool(bounded_); }
    bool is_disconnected() const { return is_unbounded_ ? unbounded_.is_disconnected() : bounded_.is_disconnected(); }
    std::size_t len() const { return is_unbounded_ ? unbounded_.len() : bounded_.len(); }
    bool is_empty() const { return is_unbounded_ ? unbounded_.is_empty() : bounded_.is_empty(); }
    std::optional<std::size_t> capacity() const { return is_unbounded_ ? unbounded_.capacity() : bounded_.capacity(); }
    std::size_t sender_count() const { return is_unbounded_ ? unbounded_.sender_count() : bounded_.sender_count(); }
    bool same_channel(const any_sender& other) const {
        return is_unbounded_ ? unbounded_.same_channel(other.unbounded_) : bounded_.same_channel(other.bounded_);
    }
    bool is_of(const weir::receiver<T>& rx) const {
        return is_unbounded_ ? rx.same_channel(unbounded_) : rx.same_channel(bounded_);
    }
    void swap(any_sender& other) {
        unbounded_.swap(other.unbounded_);
        bounded_.swap(other.bounded_);
        std::swap(is_unbounded_, other.is_unbounded_);
    }

    class weak {
    public:
        weak() = default;
        explicit weak(const any_sender& tx)
            : unbounded_(tx.unbounded_.downgrade()), bounded_(tx.bounded_.downgrade()),
              is_unbounded_(tx.is_unbounded_) {}
        any_sender lock() const { return is_unbounded_ ? any_sender(unbounded_.lock()) : any_sender(bounded_.lock()); }
        void reset() {
            unbounded_.reset();
            bounded_.reset();
        }

    private:
        weir::weak_sender<T> unbounded_;
        weir::weak_sync_sender<T> bounded_;
        bool is_unbounded_ = false;
    };
    weak downgrade() const { return weak(*this); }

private:
    template <class Error>
    static std::expected<void, Error> as(std::expected<void, weir::send_error> result) {
        if (result)
            return {};
        return std::unexpected(static_cast<Error>(result.error()));
    }

    weir::sender<T> unbounded_;
    weir::sync_sender<T> bounded_;
    bool is_unbounded_ = false;
};

template <class T>
struct ends {
    any_sender<T> tx;
    weir::receiver<T> rx;
};

template <class T>
ends<T> open(const flavor& which) {
    if (which.is_unbounded()) {
        auto made = weir::channel<T>();
        return {any_sender<T>(std::move(made.tx)), std::move(made.rx)};
    }
    auto made = weir::sync_channel<T>(*which.capacity);
    return {any_sender<T>(std::move(made.tx)), std::move(made.rx)};
}

} // namespace conformance
