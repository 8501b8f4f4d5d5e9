// SPDX-License-Identifier: BSL-1.0
//
// A channel without its handles: a flavor held by one sender and by the receiver, behind an interface, so that a test body is
// compiled once for all flavors of a message.
#pragma once

#include <weir/detail/flavor/blocking_send.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/stop.hpp>
#include <weir/error.hpp>

#include <cstddef>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace unit {

using weir::detail::deadline;
using weir::detail::send_result;

// What a message is made of, as the flavors know it. `ByAnyThread`: making one runs no code of users.
template <bool ByAnyThread>
class any_source {
public:
    static constexpr bool any_thread_makes_it = ByAnyThread;
    virtual void make_at(void* place) noexcept = 0;

protected:
    ~any_source() = default;
};

template <class T>
using source_for = any_source<std::is_trivially_copyable_v<T>>;

template <class T, class Make>
class making_source final : public source_for<T> {
public:
    explicit making_source(Make make) : make_(std::move(make)) {}
    void make_at(void* place) noexcept override { make_(place); }

private:
    Make make_;
};

// Makes a T by calling make(place).
template <class T, class Make>
auto making(Make make) {
    return making_source<T, Make>(std::move(make));
}

// Makes a T by moving `message`, as the handles do.
template <class T>
auto source_of(T& message) noexcept {
    return making<T>([&message](void* place) noexcept { ::new (place) T(std::move(message)); });
}

template <class T>
class any_channel {
public:
    using source = source_for<T>;

    any_channel() = default;
    any_channel(const any_channel&) = delete;
    any_channel& operator=(const any_channel&) = delete;
    virtual ~any_channel() = default;

    virtual send_result try_send(source& from) = 0;
    virtual T* acquire() = 0;
    virtual void release(T* message) = 0;
    virtual weir::detail::take_result<T> try_take() = 0;
    virtual weir::detail::take_result<T> take(deadline until) = 0;
    virtual std::size_t len() = 0;
    virtual bool is_send_under_way() = 0;
    virtual bool is_closed_for_sending() = 0;
    virtual void close() = 0;
    virtual void drop_receiver() = 0;
    virtual void drop_sender() = 0;

    send_result try_send(T message) {
        auto from = source_of(message);
        return try_send(from);
    }
    // What is there now, if anything is.
    std::optional<T> try_receive() { return moved_out(try_take().message); }
    // Waits for a message until `until`.
    std::optional<T> receive(deadline until = deadline::never()) { return moved_out(take(until).message); }

private:
    std::optional<T> moved_out(T* message) {
        if (message == nullptr) {
            return std::nullopt;
        }
        std::optional<T> result(std::in_place, std::move(*message));
        release(message);
        return result;
    }
};

template <class Flavor>
using message_type = std::remove_pointer_t<decltype(std::declval<Flavor&>().acquire())>;

// Sender and receiver go with it at the latest.
template <class Flavor>
class held final : public any_channel<message_type<Flavor>> {
    using value_type = message_type<Flavor>;

public:
    using typename any_channel<value_type>::source;
    using any_channel<value_type>::try_send;

    explicit held(Flavor* made) noexcept : flavor_(made) {}
    ~held() override {
        held::drop_receiver();
        held::drop_sender();
    }

    Flavor& operator*() const noexcept { return *flavor_; }
    Flavor* operator->() const noexcept { return flavor_; }

    send_result try_send(source& from) override { return flavor_->try_send(from); }
    value_type* acquire() override { return flavor_->acquire(); }
    void release(value_type* message) override { flavor_->release(message); }
    weir::detail::take_result<value_type> try_take() override { return weir::detail::try_take(*flavor_); }
    weir::detail::take_result<value_type> take(deadline until) override {
        return weir::detail::take(*flavor_, until, weir::detail::no_stop());
    }
    std::size_t len() override { return flavor_->len(); }
    bool is_send_under_way() override { return flavor_->is_send_under_way(); }
    bool is_closed_for_sending() override { return flavor_->is_closed_for_sending(); }
    void close() override { flavor_->close(); }
    void drop_receiver() override {
        if (std::exchange(has_receiver_, false)) {
            flavor_->drop_receiver();
        }
    }
    void drop_sender() override {
        if (std::exchange(has_sender_, false)) {
            flavor_->drop_sender();
        }
    }

    // Of those flavors on which a send can wait.
    template <class Stop = weir::detail::no_stop>
    send_result send(source& from, deadline until, const Stop& stop = {}) {
        return flavor_->send(from, until, stop);
    }
    template <class Stop = weir::detail::no_stop>
    send_result send(value_type message, deadline until = deadline::never(), const Stop& stop = {}) {
        auto from = source_of(message);
        return send(static_cast<source&>(from), until, stop);
    }

private:
    Flavor* flavor_;
    bool has_receiver_ = true;
    bool has_sender_ = true;
};

} // namespace unit
