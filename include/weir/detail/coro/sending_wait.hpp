// SPDX-License-Identifier: BSL-1.0
//
// A coroutine that sends.
#ifndef WEIR_DETAIL_CORO_SENDING_WAIT_HPP
#define WEIR_DETAIL_CORO_SENDING_WAIT_HPP

#include <weir/detail/coro/resuming.hpp>
#include <weir/detail/coro/stop_watch.hpp>
#include <weir/detail/flavor/blocking_send.hpp>
#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/offered_value.hpp>
#include <weir/error.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <expected>
#include <memory>
#include <optional>
#include <utility>

namespace weir::detail {

// On an unbounded channel: never waits.
template <class T, class E, class Value>
class [[nodiscard("weir: an awaitable does nothing unless it is awaited")]] unbounded_send_awaitable final {
    using result = std::expected<void, E>;

public:
    unbounded_send_awaitable(const sender<T>& tx, Value&& value) noexcept
        : tx_(std::addressof(tx)), value_(std::forward<Value>(value)) {}
    unbounded_send_awaitable(const unbounded_send_awaitable&) = delete;
    unbounded_send_awaitable& operator=(const unbounded_send_awaitable&) = delete;

    static constexpr bool await_ready() noexcept { return true; }
    static constexpr void await_suspend(std::coroutine_handle<>) noexcept {}
    result await_resume() {
        if (!tx_->send(std::forward<Value>(value_))) {
            return std::unexpected(E::disconnected);
        }
        return {};
    }

    template <class Other>
    auto with(const Other&) const {
        return unbounded_send_awaitable(*tx_, std::forward<Value>(value_));
    }

private:
    const sender<T>* const tx_;
    Value&& value_;
};

// While it waits it is a sender of its own: the handle may go.
template <class T, class E, class Value, class Stop, class Scheduler>
class [[nodiscard("weir: an awaitable does nothing unless it is awaited")]] send_awaitable final
    : public coroutine_wait<Scheduler> {
    using result = std::expected<void, E>;

public:
    send_awaitable(const sync_sender<T>& tx, Value&& value, const Stop& stop, Scheduler scheduler)
        : send_awaitable::coroutine_wait(std::move(scheduler)), tx_(std::addressof(tx)),
          value_(std::forward<Value>(value)), stop_(stop) {}
    ~send_awaitable() {
        if (this->end_wait()) {
            const completions::run_at_end completed;
            const std::optional<answer> unsettled = this->leave();
            watch_.end();
            if (unsettled == answer::retry) {
                visit([](auto& flavor) noexcept { flavor.pass_on(); });
            }
            channel_->drop_sender();
        }
    }

    bool await_ready() {
        channel_ = handle_access::channel_of(*tx_);
        if (channel_ == nullptr) {
            result_ = send_result::disconnected;
            return true;
        }
        return prepare_or_refuse() || attempt() || refuse_if_stopped();
    }
    bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
        const completions::run_at_end completed;
        channel_->add_sender();
        return this->suspend(coroutine);
    }
    result await_resume() noexcept {
        if (this->end_wait()) {
            channel_->drop_sender();
        }
        if (result_ != send_result::sent) {
            return std::unexpected(static_cast<E>(result_));
        }
        return {};
    }

    void make_at(void* place) noexcept override { value_.make_at(place); }

    template <class Other>
    auto with(Other scheduler) const {
        return send_awaitable<T, E, Value, Stop, Other>(*tx_, value_.get(), stop_, std::move(scheduler));
    }

private:
    // Makes what may throw, unless that it is not needed is clear already.
    bool prepare_or_refuse() {
        if constexpr (offered_value<T, Value>::needs_preparation) {
            if (visit([](auto& flavor) noexcept { return flavor.is_closed_for_sending(); })) {
                result_ = send_result::disconnected;
                return true;
            }
            if (visit([](auto& flavor) noexcept { return flavor.is_full(); }) && refuse_if_stopped()) {
                return true;
            }
            value_.prepare();
        }
        return false;
    }
    bool attempt() noexcept {
        result_ = visit([this](auto& flavor) noexcept { return flavor.try_send(value_); });
        return result_ != send_result::full;
    }
    bool refuse_if_stopped() noexcept {
        if (!stop_.stop_requested()) {
            return false;
        }
        result_ = send_result::stopped;
        return true;
    }

    enrolment enrol(bool keeps_turn) noexcept override {
        const enrolment entered = visit([&](auto& flavor) noexcept { return flavor.enrol_sender(*this, keeps_turn); });
        if (entered == enrolment::waits) {
            watch_.begin(stop_, *this);
        }
        return entered;
    }
    void withdraw() noexcept override {
        visit([this](auto& flavor) noexcept { flavor.withdraw_sender(*this); });
    }
    bool settle(answer outcome) noexcept override {
        watch_.end();
        if (outcome == answer::served) {
            result_ = send_result::sent;
            return true;
        }
        if (outcome == answer::stopped) {
            withdraw();
            if (!attempt()) {
                result_ = send_result::stopped;
            }
            return true;
        }
        return attempt();
    }

    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_sync_flavor<T>(*channel_, look);
    }

    const sync_sender<T>* const tx_;
    offered_value<T, Value> value_;
    WEIR_NO_UNIQUE_ADDRESS const Stop stop_;
    WEIR_NO_UNIQUE_ADDRESS stop_watch<Stop> watch_;
    channel_base* channel_ = nullptr;
    send_result result_{};
};

} // namespace weir::detail

#endif
