// SPDX-License-Identifier: BSL-1.0
//
// A flavor as the handles hold it, and the shortest ways to send and to receive. None of them is inlined: a flavor's own
// functions are, and compiling them again at each call takes long.
#pragma once

#include <weir/detail/flavor/blocking_send.hpp>
#include <weir/detail/message.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/stop.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace unit {

// Held by one sender and by the receiver; both go with it at the latest.
template <class Flavor>
class held {
public:
    explicit held(Flavor* made) noexcept : flavor_(made) {}
    held(const held&) = delete;
    held& operator=(const held&) = delete;
    ~held() {
        drop_receiver();
        drop_sender();
    }

    Flavor& operator*() const noexcept { return *flavor_; }
    Flavor* operator->() const noexcept { return flavor_; }

    void drop_receiver() noexcept {
        if (std::exchange(has_receiver_, false)) {
            flavor_->drop_receiver();
        }
    }
    void drop_sender() noexcept {
        if (std::exchange(has_sender_, false)) {
            flavor_->drop_sender();
        }
    }

private:
    Flavor* flavor_;
    bool has_receiver_ = true;
    bool has_sender_ = true;
};

template <class Flavor>
using message_type = std::remove_pointer_t<decltype(std::declval<Flavor&>().acquire())>;

// Makes a message by calling make(place).
template <class Make>
class making_source {
public:
    static constexpr bool is_plain = false;

    explicit making_source(Make make) : make_(std::move(make)) {}
    void make_at(void* place) noexcept { make_(place); }

private:
    Make make_;
};

// Makes a message by moving `message`, as the handles do.
template <class T>
auto source_of(T& message) noexcept {
    const auto move = [&message]() noexcept -> T { return std::move(message); };
    return weir::detail::message_source<T, std::is_trivially_copyable_v<T>, decltype(move)>(move);
}

// One send that does not wait. On a list the result is `sent` or `disconnected`.
template <class Flavor, class Source>
[[gnu::noinline]] weir::detail::send_result try_send_from(Flavor& flavor, Source& source) {
    if constexpr (requires { flavor.try_send(source); }) {
        return flavor.try_send(source);
    } else {
        return flavor.send(source) ? weir::detail::send_result::sent : weir::detail::send_result::disconnected;
    }
}

template <class Flavor>
weir::detail::send_result try_send(Flavor& flavor, message_type<Flavor> message) {
    auto source = source_of(message);
    return try_send_from(flavor, source);
}

// A send that waits for room until `until`.
template <class Flavor, class Stop = weir::detail::no_stop>
[[gnu::noinline]] weir::detail::send_result send(Flavor& flavor, message_type<Flavor> message,
                               weir::detail::deadline until = weir::detail::deadline::never(), Stop stop = {}) {
    auto source = source_of(message);
    return flavor.send(source, until, stop);
}

// What is there now, if anything is.
template <class Flavor>
[[gnu::noinline]] std::optional<message_type<Flavor>> try_receive(Flavor& flavor) {
    auto* const message = weir::detail::try_take(flavor).message;
    if (message == nullptr) {
        return std::nullopt;
    }
    const weir::detail::taken_message<Flavor> taken(flavor, message);
    return std::move(*message);
}

// Waits for a message until `until`.
template <class Flavor, class Stop = weir::detail::no_stop>
[[gnu::noinline]] std::optional<message_type<Flavor>>
receive(Flavor& flavor, weir::detail::deadline until = weir::detail::deadline::never(), Stop stop = {}) {
    auto* const message = weir::detail::take(flavor, until, stop).message;
    if (message == nullptr) {
        return std::nullopt;
    }
    const weir::detail::taken_message<Flavor> taken(flavor, message);
    return std::move(*message);
}

} // namespace unit
