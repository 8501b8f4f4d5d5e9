// SPDX-License-Identifier: BSL-1.0
//
// A receive that waits without a thread.
#ifndef WEIR_DETAIL_RECEIVING_WAIT_HPP
#define WEIR_DETAIL_RECEIVING_WAIT_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/stop_watch.hpp>
#include <weir/detail/wait/timer_thread.hpp>

#include <type_traits>
#include <utility>

namespace weir::detail {

// The message stays in the channel until its owner has gone on: that it waits no more means that a message is there, or
// that none will come, and nobody else may take it. Base: an async_wait, which says how the owner goes on.
template <class T, class Stop, class Base>
class receiving_wait : public Base {
public:
    void make_at(void*) noexcept final {}

protected:
    template <class... Arguments>
    explicit receiving_wait(const Stop& stop, Arguments&&... base)
        : Base(std::forward<Arguments>(base)...), stop_(stop) {}
    ~receiving_wait() = default;

    const Stop& stop() const noexcept { return stop_; }

    // Before the first look: whose messages these are. Null where it is an empty handle's.
    channel_base* channel() const noexcept { return channel_; }
    void set_channel(channel_base* channel) noexcept { channel_ = channel; }
    channel_core<T>& core() const noexcept { return static_cast<channel_core<T>&>(*channel_); }

    // Before it begins to wait. Throws where the timers' thread cannot be started.
    void prepare_wait() {
        if constexpr (can_be_timer) {
            if (is_timer()) {
                timer_thread::started();
            }
        }
    }

    // When the owner goes on: what is there now.
    take_result<T> take_answered() noexcept {
        keep_answered(); // so that it is taken by steps that go with a close on another thread
        return core().try_take(false);
    }

    // The owner goes without it: what was given to this wait is for the next receive.
    void keep_answered() noexcept {
        visit([](auto& flavor) noexcept {
            if constexpr (requires { flavor.keep(); }) {
                flavor.keep();
            }
        });
    }

    void end_watch() noexcept { watch_.end(); }

    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_flavor<T>(*channel_, look);
    }

private:
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

    bool is_timer() const noexcept { return channel_->kind() == flavor_kind::timer; }

    static constexpr bool can_be_timer = std::is_same_v<T, deadline::clock::time_point>;
    struct nothing {};

    WEIR_NO_UNIQUE_ADDRESS const Stop stop_;
    WEIR_NO_UNIQUE_ADDRESS stop_watch<Stop> watch_;
    WEIR_NO_UNIQUE_ADDRESS std::conditional_t<can_be_timer, timed_wait, nothing> timed_;
    channel_base* channel_ = nullptr;
};

} // namespace weir::detail

#endif
