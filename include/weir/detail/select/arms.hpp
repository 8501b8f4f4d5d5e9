// SPDX-License-Identifier: BSL-1.0
//
// The arms of a select, with their handlers.
#ifndef WEIR_DETAIL_SELECT_ARMS_HPP
#define WEIR_DETAIL_SELECT_ARMS_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/detail/offered_value.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/select/arm.hpp>
#include <weir/detail/wait/stop.hpp>
#include <weir/error.hpp>
#include <weir/receiver.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::detail {

// What a handler returns, and how it is called. Where it cannot be called the arm says so in a sentence of its own, once.
template <class Handler, class... Args>
class arm_handler {
public:
    static constexpr bool is_callable = std::is_invocable_v<Handler&, Args...>;

    template <class From>
    explicit arm_handler(From&& handler) : handler_(std::forward<From>(handler)) {}

    template <class... Actual>
    decltype(auto) operator()(Actual&&... args) {
        if constexpr (is_callable) {
            return std::invoke(handler_, std::forward<Actual>(args)...);
        }
    }

private:
    WEIR_NO_UNIQUE_ADDRESS Handler handler_;
};

// Receiver: a reference to one, or one of the arm's own.
template <class T, class Receiver, class Handler>
class recv_arm final : public select_arm {
    using result = std::expected<T, recv_error>;
    using handler_type = arm_handler<Handler, result>;
    static_assert(handler_type::is_callable,
                  "weir: the handler of on_recv must take a std::expected<T, weir::recv_error>");

public:
    template <class From>
    recv_arm(Receiver&& rx, From&& handler) : rx_(std::forward<Receiver>(rx)), handler_(std::forward<From>(handler)) {}

    decltype(auto) run() { return handler_(std::move(*result_)); }

    bool attempt() override {
        result_.reset();
        channel_base* const channel = received();
        if (channel == nullptr) {
            result_.emplace(std::unexpected(recv_error::disconnected));
            return true;
        }
        return visit_flavor<T>(*channel, [this](auto& flavor) WEIR_INLINE_LAMBDA {
            T* const message = flavor.acquire_at_once();
            if (message == nullptr) {
                return attempt_slowly(flavor);
            }
            const taken_at_once taken(flavor, message);
            result_.emplace(std::in_place, std::move(*message));
            return true;
        });
    }
    bool seems_ready() noexcept override {
        return visit_flavor<T>(*received(), [](auto& flavor) noexcept { return flavor.seems_to_have_message(); });
    }
    enrolment enrol() noexcept override {
        return visit_flavor<T>(*received(), [this](auto& flavor) noexcept { return flavor.enrol_receiver(*this); });
    }
    void withdraw() noexcept override {
        visit_flavor<T>(*received(), [this](auto& flavor) noexcept { flavor.withdraw_receiver(*this); });
    }
    void complete(answer) noexcept override { (void)attempt(); }
    deadline due() noexcept override {
        const channel_base& channel = *received();
        return channel.kind() == flavor_kind::timer ? static_cast<const timer<T>&>(channel).due() : deadline::never();
    }
    bool is_hidden() const noexcept override { return received()->kind() == flavor_kind::rendezvous; }
    channel_base* received() const noexcept override { return handle_access::channel_received_by(rx_); }

private:
    WEIR_NOINLINE bool attempt_slowly(channel_core<T>& channel) noexcept {
        const auto [message, error] = channel.try_take(false);
        if (message != nullptr) {
            const taken_message taken(channel, message);
            result_.emplace(std::in_place, std::move(*message));
        } else if (error != channel_errc::empty) {
            result_.emplace(std::unexpected(static_cast<recv_error>(error)));
        }
        return result_.has_value();
    }

    Receiver rx_;
    handler_type handler_;
    std::optional<result> result_;
};

template <class T, class Value, class Handler>
class send_arm_base : public select_arm {
protected:
    using result = std::expected<void, send_error>;

private:
    using handler_type = arm_handler<Handler, result>;
    static_assert(handler_type::is_callable,
                  "weir: the handler of on_send must take a std::expected<void, weir::send_error>");

public:
    decltype(auto) run() { return handler_(result(result_)); }

    void prepare() override { value_.prepare(); }
    service asks_for() const noexcept override {
        return offered_value<T, Value>::any_thread_makes_it ? service::make : service::grant;
    }
    void make_at(void* place) noexcept override { value_.make_at(place); }
    const channel_base* end_of() const noexcept override { return channel_; }

protected:
    template <class From>
    send_arm_base(channel_base* channel, Value&& value, From&& handler)
        : channel_(channel), value_(std::forward<Value>(value)), handler_(std::forward<From>(handler)) {}
    ~send_arm_base() = default;

    channel_base* channel() const noexcept { return channel_; }
    void set_result(bool sent) noexcept {
        result_ = sent ? result() : result(std::unexpected(send_error::disconnected));
    }

private:
    channel_base* const channel_;
    offered_value<T, Value> value_;
    handler_type handler_;
    result result_;
};

// On an unbounded channel: always ready.
template <class T, class Value, class Handler>
class unbounded_send_arm final : public send_arm_base<T, Value, Handler> {
public:
    template <class From>
    unbounded_send_arm(const sender<T>& tx, Value&& value, From&& handler)
        : unbounded_send_arm::send_arm_base(handle_access::channel_of(tx), std::forward<Value>(value),
                                            std::forward<From>(handler)) {}

    bool attempt() override {
        auto* const flavor = static_cast<list<T>*>(this->channel());
        bool is_open = flavor != nullptr && !flavor->is_closed_for_sending();
        if (is_open && offered_value<T, Value>::needs_preparation) {
            flavor->make_room();
            this->prepare();
        }
        waiter& source = *this;
        this->set_result(is_open && flavor->try_send(source) == send_result::sent);
        return true;
    }
    bool seems_ready() noexcept override { return true; }
    enrolment enrol() noexcept override { return enrolment::waits; }
    void withdraw() noexcept override {}
    void complete(answer) noexcept override {}
};

template <class T, class Value, class Handler>
class sync_send_arm final : public send_arm_base<T, Value, Handler> {
public:
    template <class From>
    sync_send_arm(const sync_sender<T>& tx, Value&& value, From&& handler)
        : sync_send_arm::send_arm_base(handle_access::channel_of(tx), std::forward<Value>(value),
                                       std::forward<From>(handler)) {}

    bool attempt() override {
        if (this->channel() == nullptr) {
            this->set_result(false);
            return true;
        }
        return visit([this](auto& flavor) {
            if constexpr (offered_value<T, Value>::needs_preparation) {
                if (flavor.is_closed_for_sending()) {
                    this->set_result(false);
                    return true;
                }
                if (flavor.is_full()) {
                    return false;
                }
                this->prepare();
            }
            waiter& source = *this;
            const send_result ended = flavor.try_send(source);
            this->set_result(ended == send_result::sent);
            return ended != send_result::full;
        });
    }
    bool seems_ready() noexcept override {
        return visit([](auto& flavor) noexcept { return flavor.seems_to_have_room(); });
    }
    enrolment enrol() noexcept override {
        return visit([this](auto& flavor) noexcept { return flavor.enrol_sender(*this, this->keeps_turn()); });
    }
    void withdraw() noexcept override {
        visit([this](auto& flavor) noexcept { flavor.withdraw_sender(*this); });
    }
    void complete(answer outcome) noexcept override {
        this->set_result(true);
        if (outcome == answer::granted) {
            waiter& source = *this;
            visit([&](auto& flavor) noexcept { flavor.send_granted(ticket_, source); });
        }
    }
    bool is_hidden() const noexcept override { return this->channel()->kind() == flavor_kind::rendezvous; }
    void pass_on() noexcept override {
        visit([](auto& flavor) noexcept { flavor.pass_on(); });
    }
    void grant(std::uint64_t ticket) noexcept override { ticket_ = ticket; }

private:
    template <class Visit>
    decltype(auto) visit(Visit visit) {
        return visit_sync_flavor<T>(*this->channel(), visit);
    }

    std::uint64_t ticket_ = 0;
};

// A channel whose receiver goes or closes it.
template <class Handler, class IsClosed>
class closing_arm final : public select_arm {
    using handler_type = arm_handler<Handler>;
    static_assert(handler_type::is_callable, "weir: the handler of on_disconnected must take no argument");

public:
    template <class From>
    closing_arm(channel_base* channel, IsClosed is_closed, From&& handler)
        : channel_(channel), is_closed_(is_closed), handler_(std::forward<From>(handler)) {}

    decltype(auto) run() { return handler_(); }

    bool attempt() override { return is_closed_(); }
    bool seems_ready() noexcept override { return is_closed_(); }
    enrolment enrol() noexcept override {
        channel_->watch_closing(*this);
        return is_closed_() && take() ? enrolment::ready : enrolment::waits;
    }
    void withdraw() noexcept override { channel_->unwatch_closing(*this); }
    void complete(answer) noexcept override {}

private:
    channel_base* const channel_;
    WEIR_NO_UNIQUE_ADDRESS IsClosed is_closed_;
    handler_type handler_;
};

#if WEIR_HAS_STOP_TOKEN
template <class Handler>
class stop_arm final : public select_arm {
    using handler_type = arm_handler<Handler>;
    static_assert(handler_type::is_callable, "weir: the handler of on_stop must take no argument");

public:
    template <class From>
    stop_arm(std::stop_token token, From&& handler) : token_(std::move(token)), handler_(std::forward<From>(handler)) {}

    decltype(auto) run() { return handler_(); }

    bool attempt() override { return token_.stop_requested(); }
    bool seems_ready() noexcept override { return token_.stop_requested(); }
    enrolment enrol() noexcept override {
        callback_.emplace(token_, stop_call{this});
        return enrolment::waits;
    }
    void withdraw() noexcept override { callback_.reset(); }
    void complete(answer) noexcept override {}

private:
    struct stop_call {
        stop_arm* arm;
        void operator()() const noexcept {
            if (arm->take()) {
                arm->finish(answer::stopped);
            }
        }
    };

    std::stop_token token_;
    handler_type handler_;
    std::optional<std::stop_callback<stop_call>> callback_;
};
#endif

// What ends a select in which no arm becomes ready. Deadline: deadline, or moving_deadline.
template <class Deadline, class Handler>
class limit_arm {
    using handler_type = arm_handler<Handler>;
    static_assert(handler_type::is_callable,
                  "weir: the handler of on_timeout, on_deadline or on_idle must take no argument");

public:
    template <class From>
    limit_arm(const Deadline& until, From&& handler) : until_(until), handler_(std::forward<From>(handler)) {}

    const Deadline& until() const noexcept { return until_; }
    decltype(auto) run() { return handler_(); }

private:
    Deadline until_;
    handler_type handler_;
};

} // namespace weir::detail

#endif
