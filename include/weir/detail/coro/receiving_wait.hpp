// SPDX-License-Identifier: BSL-1.0
//
// A coroutine that receives.
#ifndef WEIR_DETAIL_CORO_RECEIVING_WAIT_HPP
#define WEIR_DETAIL_CORO_RECEIVING_WAIT_HPP

#include <weir/detail/coro/resuming.hpp>
#include <weir/detail/coro/stop_watch.hpp>
#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/timer_thread.hpp>
#include <weir/error.hpp>
#include <weir/receiver.hpp>

#include <cstddef>
#include <expected>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::detail {

// The message stays in the channel until the coroutine has gone on: that it waits no more means that a message is there, or
// that none will come, and nobody else may take it.
template <class T, class Stop, class Scheduler, bool Checked>
class receiving_wait : public coroutine_wait<Scheduler> {
public:
    void make_at(void*) noexcept final {}

protected:
    receiving_wait(receiver<T>& rx, const Stop& stop, Scheduler scheduler)
        : coroutine_wait<Scheduler>(std::move(scheduler)), rx_(std::addressof(rx)), stop_(stop) {}
    ~receiving_wait() = default;

    receiver<T>& rx() const noexcept { return *rx_; }
    const Stop& stop() const noexcept { return stop_; }

    // Whether there is something to go on with. Throws where the timers' thread cannot be started.
    bool is_ready() {
        channel_ = handle_access::channel_received_by(*rx_);
        if (channel_ == nullptr) {
            taken_.error = channel_errc::disconnected;
            return true;
        }
        enter();
        taken_ = visit([](auto& flavor) noexcept { return detail::try_take(flavor); });
        if (taken_.message == nullptr && taken_.error == channel_errc::empty && stop_.stop_requested()) {
            taken_.error = channel_errc::stopped;
        }
        const bool waits = taken_.message == nullptr && taken_.error == channel_errc::empty;
        if (waits && is_timer()) {
            timer_thread::started();
        }
        return !waits;
    }

    // use(flavor, message) when the coroutine goes on, with a message; else refuse(error). Then the receiver is free again.
    template <class Use, class Refuse>
    auto go_on(Use use, Refuse refuse) -> decltype(refuse(channel_errc())) {
        const completions::run_at_end completed;
        const ending ends{*this};
        if (channel_ == nullptr) {
            return refuse(taken_.error);
        }
        const bool has_waited = this->end_wait();
        return visit([&](auto& flavor) -> decltype(refuse(channel_errc())) {
            if (has_waited) {
                take_answered(flavor);
            }
            return taken_.message != nullptr ? use(flavor, taken_.message) : refuse(taken_.error);
        });
    }

    // The coroutine is destroyed, or has gone on.
    void end() noexcept {
        if (this->end_wait()) {
            (void)this->leave();
            watch_.end();
            visit([](auto& flavor) noexcept {
                if constexpr (requires { flavor.keep(); }) {
                    flavor.keep();
                }
            });
            leave_receiver();
            completions::run();
        } else {
            leave_receiver(); // something was thrown before it waited
        }
    }

private:
    struct ending {
        receiving_wait& wait;
        ~ending() { wait.leave_receiver(); }
    };

    enrolment enrol(bool) noexcept final {
        const enrolment entered = visit([this](auto& flavor) noexcept { return flavor.enrol_receiver(*this); });
        if (entered == enrolment::waits) {
            if constexpr (can_be_timer) {
                if (is_timer()) {
                    timer_thread::started().add(timed_, static_cast<timer<T>&>(*channel_).due(), *this);
                }
            }
            watch_.begin(stop_, *this);
        }
        return entered;
    }

    void withdraw() noexcept final {
        visit([this](auto& flavor) noexcept { flavor.withdraw_receiver(*this); });
        if constexpr (can_be_timer) {
            if (is_timer()) {
                timer_thread::started().remove(timed_);
            }
        }
    }

    bool settle(answer outcome) noexcept final {
        watch_.end();
        if (outcome == answer::stopped || is_timer()) {
            withdraw();
            return true;
        }
        return visit([](auto& flavor) noexcept {
            if constexpr (requires { flavor.is_met(); }) {
                return flavor.is_met() || !flavor.has_senders() || flavor.is_closed();
            } else {
                return detail::can_take(flavor);
            }
        });
    }

    // What it waited for.
    template <class Flavor>
    void take_answered(Flavor& flavor) noexcept {
        if constexpr (requires { flavor.keep(); }) {
            flavor.keep(); // so that it is taken by steps that go with a close on another thread
        }
        taken_ = detail::try_take(flavor);
        if (taken_.message != nullptr || taken_.error != channel_errc::empty) {
            return;
        }
        if (stop_.stop_requested()) {
            taken_.error = channel_errc::stopped;
        } else {
            taken_ = detail::take(flavor, deadline::never(), no_stop()); // a clock that goes back a little
        }
    }

    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_flavor<T>(*channel_, look);
    }
    bool is_timer() const noexcept { return channel_->kind() == flavor_kind::timer; }

    // With WEIR_CHECKED: the wait is inside the receiver, from its first look on.
    void enter() noexcept {
        if constexpr (Checked) {
            if (!channel_->enter_receiver(channel_base::receiver_state::awaited)) {
                fatal("async_recv was called while another call was inside the same receiver");
            }
            is_inside_ = true;
        }
    }
    void leave_receiver() noexcept {
        if (std::exchange(is_inside_, false)) {
            channel_->leave_receiver();
        }
    }

    static constexpr bool can_be_timer = std::is_same_v<T, deadline::clock::time_point>;
    struct nothing {};

    receiver<T>* const rx_;
    WEIR_NO_UNIQUE_ADDRESS const Stop stop_;
    WEIR_NO_UNIQUE_ADDRESS stop_watch<Stop> watch_;
    WEIR_NO_UNIQUE_ADDRESS std::conditional_t<can_be_timer, timed_wait, nothing> timed_;
    channel_base* channel_ = nullptr;
    take_result<T> taken_;
    bool is_inside_ = false;
};

// E: the errors of the operation.
template <class T, class E, class Stop, class Scheduler, bool Checked>
class [[nodiscard("weir: an awaitable does nothing unless it is awaited")]] recv_awaitable final
    : public receiving_wait<T, Stop, Scheduler, Checked> {
    using result = std::expected<T, E>;

public:
    recv_awaitable(receiver<T>& rx, const Stop& stop, Scheduler scheduler)
        : recv_awaitable::receiving_wait(rx, stop, std::move(scheduler)) {}
    ~recv_awaitable() { this->end(); }

    bool await_ready() { return this->is_ready(); }
    bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
        const completions::run_at_end completed;
        return this->suspend(coroutine);
    }
    result await_resume() {
        return this->go_on(
            [](auto& flavor, T* message) -> result {
                const taken_message taken(flavor, message);
                return result(std::in_place, detail::passed_on<T>(std::move(*message)));
            },
            [](channel_errc error) -> result { return std::unexpected(static_cast<E>(error)); });
    }

    template <class Other>
    auto with(Other scheduler) const {
        return recv_awaitable<T, E, Stop, Other, Checked>(this->rx(), this->stop(), std::move(scheduler));
    }
};

template <class T, class Output, class Scheduler, bool Checked>
class [[nodiscard("weir: an awaitable does nothing unless it is awaited")]] recv_many_awaitable final
    : public receiving_wait<T, no_stop, Scheduler, Checked> {
    using result = std::expected<std::size_t, recv_error>;

public:
    recv_many_awaitable(receiver<T>& rx, Output out, std::size_t max, Scheduler scheduler)
        : recv_many_awaitable::receiving_wait(rx, no_stop(), std::move(scheduler)), out_(std::move(out)), max_(max) {}
    ~recv_many_awaitable() { this->end(); }

    bool await_ready() { return max_ == 0 || this->is_ready(); }
    bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
        const completions::run_at_end completed;
        return this->suspend(coroutine);
    }
    result await_resume() {
        if (max_ == 0) {
            return std::size_t{0};
        }
        return this->go_on(
            [this](auto& flavor, T* message) -> result {
                return detail::take_many(flavor, message, std::move(out_), max_);
            },
            [](channel_errc error) -> result { return std::unexpected(static_cast<recv_error>(error)); });
    }

    template <class Other>
    auto with(Other scheduler) {
        return recv_many_awaitable<T, Output, Other, Checked>(this->rx(), std::move(out_), max_, std::move(scheduler));
    }

private:
    Output out_;
    const std::size_t max_;
};

} // namespace weir::detail

#endif
