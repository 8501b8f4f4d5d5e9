// SPDX-License-Identifier: BSL-1.0
//
// The channel whose messages are times: nobody sends, the receiver looks at the clock.
//
// There is no thread, no descriptor and no registration anywhere: who waits for a timer sleeps until its time, and a
// timer that is dropped leaves nothing behind.
//
//   due_        when the next message is there; time_point::max(): never. Changed by who receives, read by observers, too.
//   period_     zero: there is one message, and then the channel is disconnected. Else a message skips all ticks but the
//               latest, and the next one is due a period later: the phase stays what it was.
//   closed_at_  what was due by then can still be received, nothing else will come. Written before the channel is closed,
//               read once it is: another thread may close it while a wait without a thread is inside the receiver.
// A channel of anything but times has no messages, ever.
#ifndef WEIR_DETAIL_FLAVOR_TIMER_HPP
#define WEIR_DETAIL_FLAVOR_TIMER_HPP

#include <weir/detail/channel_core.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/parker.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace weir::detail {

template <class T>
class timer final : public channel_core<T> {
    using channel_base::receiving_;
    using clock = deadline::clock;

public:
    // Throws std::bad_alloc.
    static timer* make(clock::time_point due, clock::duration period) {
        return ::new (allocate(sizeof(timer), alignment)) timer(due, period);
    }

    static constexpr std::size_t capacity() noexcept { return 1; }
    std::size_t len() const noexcept { return has_message() ? 1 : 0; }

    // In its place until release().
    T* acquire() noexcept {
        if constexpr (std::is_same_v<T, clock::time_point>) {
            const clock::time_point first = due_.load(memory_order_relaxed);
            const clock::time_point last = std::min(clock::now(), end());
            if (first <= last) {
                const bool is_tick = period_ != clock::duration::zero();
                const clock::time_point latest = is_tick ? first + (last - first) / period_ * period_ : first;
                due_.store(latest, memory_order_relaxed);
                return ::new (place_.raw()) T(latest);
            }
        }
        return nullptr;
    }
    T* acquire_head() noexcept override { return acquire(); }

    void release(T* message) noexcept override {
        std::destroy_at(message);
        if (period_ != clock::duration::zero()) {
            due_.store(later(due_.load(memory_order_relaxed), period_), memory_order_relaxed);
        } else {
            due_.store(clock::time_point::max(), memory_order_relaxed);
            receiving_.senders_gone();
        }
    }

    take_result<T> try_take(bool again) noexcept override {
        return again ? detail::poll(*this) : detail::try_take(*this);
    }
    take_result<T> take(deadline until) noexcept override { return detail::take_slowly(*this, until, no_stop()); }

    static constexpr bool is_send_under_way() noexcept { return false; }
    bool has_message() const noexcept { return due().has_passed(); }
    bool seems_to_have_message() const noexcept { return has_message(); }

    // When there is a message, unless it is there.
    deadline due() const noexcept {
        const clock::time_point time = due_.load(memory_order_relaxed);
        return time <= end() ? deadline::exactly(time) : deadline::never();
    }

    // Waits until poll() is true: acquire() gave a message, or none will come.
    template <class Poll, class Stop>
    wait_result wait(deadline until, const Stop& stop, Poll poll) noexcept {
        parker place;
        [[maybe_unused]] const auto callback = on_stop(stop, [&place]() noexcept { place.unpark(); });
        for (;;) {
            const bool stopped = stop.stop_requested(); // before the look, which finds what was due before the stop
            if (poll()) {
                return wait_result::ready;
            }
            if (stopped) {
                return wait_result::stopped;
            }
            if (until.has_passed()) {
                return poll() ? wait_result::ready : wait_result::timeout;
            }
            place.park(std::min(until, due()));
        }
    }

    // Who enrols asks for due() itself, and is told of nothing but a close.
    enrolment enrol_receiver(waiter& node) noexcept { return detail::watch_for_message(*this, node); }
    void withdraw_receiver(waiter& node) noexcept { this->unwatch_receiving(node); }

    // The time after `time` by a length that is not negative.
    static clock::time_point later(clock::time_point time, clock::duration length) noexcept {
        return length < clock::time_point::max() - time ? time + length : clock::time_point::max();
    }

private:
    static constexpr std::size_t alignment = alignof(T) > cache_line ? alignof(T) : cache_line;

    timer(clock::time_point due, clock::duration period) noexcept
        : channel_core<T>(flavor_kind::timer, 1, 0), due_(due), period_(period) {}
    ~timer() = default;

    // After which no message becomes due.
    clock::time_point end() const noexcept { return this->is_closed() ? closed_at_ : clock::time_point::max(); }

    void close_sending() noexcept override {
        if (!this->is_closed()) {
            closed_at_ = clock::now();
            this->set_closed();
        }
    }

    bool drain() noexcept override { return false; }

    void destroy() noexcept override {
        this->~timer();
        detail::deallocate(this);
    }

    struct nothing {};

    atomic<clock::time_point> due_;
    const clock::duration period_;
    clock::time_point closed_at_;
    WEIR_NO_UNIQUE_ADDRESS std::conditional_t<std::is_same_v<T, clock::time_point>, message_place<T>, nothing> place_;
};

} // namespace weir::detail

#endif
