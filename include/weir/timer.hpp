// SPDX-License-Identifier: BSL-1.0
//
// Time as a channel: receivers of times, for select and for every other receive.
#ifndef WEIR_TIMER_HPP
#define WEIR_TIMER_HPP

#include <weir/detail/flavor/timer.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/receiver.hpp>

#include <chrono>

namespace weir {

namespace detail {

using timer_receiver = receiver<std::chrono::steady_clock::time_point>;

inline timer_receiver make_timer(std::chrono::steady_clock::time_point due,
                                 std::chrono::steady_clock::duration period) {
    return handle_access::make<timer_receiver>(timer<std::chrono::steady_clock::time_point>::make(due, period));
}

} // namespace detail

// Timers: the message is the time at which it was due. They have capacity 1, no senders to count, and take no thread
// and no descriptor; one that is dropped costs nothing later.

// One message, `timeout` from now, then `disconnected`. Zero, less, and NaN: at once; too long for the clock: never.
// Throws: std::bad_alloc.
//
//     weir::select(weir::on_recv(rx, …), weir::on_recv(weir::after(1s), …));
template <class Rep, class Period>
[[nodiscard]] receiver<std::chrono::steady_clock::time_point> after(std::chrono::duration<Rep, Period> timeout) {
    using time = detail::timer<std::chrono::steady_clock::time_point>;
    const auto now = std::chrono::steady_clock::now();
    return detail::make_timer(time::later(now, detail::deadline::length(timeout)), {});
}

// One message, at `time`, then `disconnected`. A time that has passed: at once; time_point::max(): never.
// Throws: std::bad_alloc.
[[nodiscard]] inline receiver<std::chrono::steady_clock::time_point> at(std::chrono::steady_clock::time_point time) {
    return detail::make_timer(time, {});
}
// The same for a time that is counted in other units, rounded up; NaN: at once.
template <class Duration>
[[nodiscard]] receiver<std::chrono::steady_clock::time_point>
at(std::chrono::time_point<std::chrono::steady_clock, Duration> time) {
    return detail::make_timer(detail::deadline::nearest(time), {});
}

// A message every `period`, the first one a period from now. A late receive gets the latest, and no backlog; the ticks
// stay where they are.
// Throws: std::invalid_argument where the period is zero, less or NaN; std::bad_alloc.
//
//     for (auto time : weir::tick(1s)) { … }
template <class Rep, class Period>
[[nodiscard]] receiver<std::chrono::steady_clock::time_point> tick(std::chrono::duration<Rep, Period> period) {
    using time = detail::timer<std::chrono::steady_clock::time_point>;
    const std::chrono::steady_clock::duration length = detail::deadline::length(period);
    if (length == length.zero()) {
        detail::throw_invalid_argument("tick: the period must be more than zero");
    }
    return detail::make_timer(time::later(std::chrono::steady_clock::now(), length), length);
}

// No message, ever, and never disconnected: an arm of a select that is switched off.
// Throws: std::bad_alloc.
template <class T>
[[nodiscard]] receiver<T> never() {
    static_assert(detail::check_message<T>());
    return detail::handle_access::make<receiver<T>>(
        detail::timer<T>::make(std::chrono::steady_clock::time_point::max(), {}));
}

} // namespace weir

#endif
