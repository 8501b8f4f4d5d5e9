// SPDX-License-Identifier: BSL-1.0
//
// A coroutine that receives.
#ifndef WEIR_DETAIL_CORO_RECEIVE_AWAITABLES_HPP
#define WEIR_DETAIL_CORO_RECEIVE_AWAITABLES_HPP

#include <weir/detail/coro/resuming.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/receiving_wait.hpp>
#include <weir/error.hpp>
#include <weir/receiver.hpp>

#include <cstddef>
#include <expected>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::detail {

// The wait of a coroutine.
template <class T, class Stop, class Scheduler, bool Checked>
class receiving_coroutine : public receiving_wait<T, Stop, coroutine_wait<Scheduler>> {
protected:
    receiving_coroutine(receiver<T>* rx, const Stop& stop, Scheduler scheduler)
        : receiving_coroutine::receiving_wait(stop, std::move(scheduler)) {
        this->set_channel(handle_access::channel_received_by(*rx));
    }
    ~receiving_coroutine() = default;

    // Whether there is something to go on with. Throws where the timers' thread cannot be started.
    bool is_ready() {
        if (this->channel() == nullptr) {
            taken_.error = channel_errc::disconnected;
            return true;
        }
        enter();
        const bool stopped = this->stop().stop_requested(); // before the look, which finds all that came before the stop
        taken_ = this->visit([](auto& flavor) noexcept { return detail::try_take(flavor); });
        if (is_missing() && stopped) {
            taken_.error = channel_errc::stopped;
        }
        if (!is_missing()) {
            return true;
        }
        this->prepare_wait();
        return false;
    }

    // use(flavor, message) when the coroutine goes on, with a message; else refuse(error). Then the receiver is free again.
    template <class Use, class Refuse>
    auto go_on(Use use, Refuse refuse) -> decltype(refuse(channel_errc())) {
        const completions::call here;
        const ending ends{*this};
        if (this->channel() == nullptr) {
            return refuse(taken_.error);
        }
        const bool has_waited = this->end_wait();
        return this->visit([&](auto& flavor) -> decltype(refuse(channel_errc())) {
            if (has_waited) {
                take_what_it_waited_for(flavor);
            }
            return taken_.message != nullptr ? use(flavor, taken_.message) : refuse(taken_.error);
        });
    }

    // The coroutine is destroyed, or has gone on.
    void end() noexcept {
        if (this->end_wait()) {
            (void)this->leave();
            this->end_watch();
            this->keep_answered();
            leave_receiver();
            completions::run();
        } else {
            leave_receiver(); // something was thrown before it waited
        }
    }

private:
    struct ending {
        receiving_coroutine& wait;
        ~ending() { wait.leave_receiver(); }
    };

    bool is_missing() const noexcept { return taken_.message == nullptr && taken_.error == channel_errc::empty; }

    template <class Flavor>
    void take_what_it_waited_for(Flavor& flavor) noexcept {
        const bool stopped = this->stop().stop_requested();
        taken_ = this->take_answered();
        if (!is_missing()) {
            return;
        }
        if (stopped) {
            taken_.error = channel_errc::stopped;
        } else {
            taken_ = detail::take(flavor, deadline::never(), no_stop()); // a clock that goes back a little
        }
    }

    // With WEIR_CHECKED: the wait is inside the receiver, from its first look on.
    void enter() noexcept {
        if constexpr (Checked) {
            if (!this->channel()->enter_receiver(channel_base::receiver_state::awaited)) {
                fatal("async_recv was called while another call was inside the same receiver");
            }
            is_inside_ = true;
        }
    }
    void leave_receiver() noexcept {
        if (std::exchange(is_inside_, false)) {
            this->channel()->leave_receiver();
        }
    }

    take_result<T> taken_;
    bool is_inside_ = false;
};

template <class T, class Stop>
struct recv_description {
    receiver<T>* rx;
    WEIR_NO_UNIQUE_ADDRESS Stop stop;
};

// E: the errors of the operation.
template <class T, class E, class Stop, class Scheduler, bool Checked>
class recv_awaiter final : public receiving_coroutine<T, Stop, Scheduler, Checked> {
    using result = std::expected<T, E>;

public:
    using description = recv_description<T, Stop>;
    using scheduler = Scheduler;
    template <class Other>
    using on = recv_awaiter<T, E, Stop, Other, Checked>;

    recv_awaiter(const description& what, Scheduler how)
        : recv_awaiter::receiving_coroutine(what.rx, what.stop, std::move(how)) {}
    ~recv_awaiter() { this->end(); }

    bool await_ready() { return this->is_ready(); }
    WEIR_NOINLINE bool await_suspend(std::coroutine_handle<> coroutine) noexcept { // see coroutine_wait::suspend
        const completions::call here;
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
};

template <class T, class Output>
struct recv_many_description {
    receiver<T>* rx;
    Output out;
    std::size_t max;
};

template <class T, class Output, class Scheduler, bool Checked>
class recv_many_awaiter final : public receiving_coroutine<T, no_stop, Scheduler, Checked> {
    using result = std::expected<std::size_t, recv_error>;

public:
    using description = recv_many_description<T, Output>;
    using scheduler = Scheduler;
    template <class Other>
    using on = recv_many_awaiter<T, Output, Other, Checked>;

    recv_many_awaiter(description what, Scheduler how)
        : recv_many_awaiter::receiving_coroutine(what.rx, no_stop(), std::move(how)), out_(std::move(what.out)),
          max_(what.max) {}
    ~recv_many_awaiter() { this->end(); }

    bool await_ready() { return max_ == 0 || this->is_ready(); }
    WEIR_NOINLINE bool await_suspend(std::coroutine_handle<> coroutine) noexcept { // see coroutine_wait::suspend
        const completions::call here;
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

private:
    Output out_;
    const std::size_t max_;
};

} // namespace weir::detail

#endif
