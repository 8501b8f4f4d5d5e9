// SPDX-License-Identifier: BSL-1.0
//
// A point in time at which a wait gives up: always absolute, always on the steady clock, never overflowing.
#ifndef WEIR_DETAIL_WAIT_DEADLINE_HPP
#define WEIR_DETAIL_WAIT_DEADLINE_HPP

#include <weir/detail/platform/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <compare>
#include <cstdint>
#include <ratio>
#include <type_traits>

namespace weir::detail {

class deadline {
public:
    using clock = steady_clock;

    static constexpr deadline never() noexcept { return deadline(clock::time_point::max()); }
    static constexpr deadline passed() noexcept { return deadline(clock::time_point::min()); }

    // Zero, less, and NaN: already passed. Too far for the clock: never.
    template <class Rep, class Period>
    static deadline after(const std::chrono::duration<Rep, Period>& timeout) {
        return from(clock::now, to_span(timeout));
    }

    static constexpr deadline exactly(clock::time_point time) noexcept { return deadline(time); }

    template <class Duration>
    static deadline at(const std::chrono::time_point<clock, Duration>& time) {
        return from([] { return clock::time_point(); }, to_span(time.time_since_epoch()));
    }

    // What is left on another clock, put on the steady one. That clock may be set meanwhile: ask it again at the end.
    template <class Clock, class Duration>
        requires(!std::is_same_v<Clock, clock>)
    static deadline at(const std::chrono::time_point<Clock, Duration>& time) {
        return from(clock::now, until(time));
    }

    // A length of time as the clock counts, rounded up. Zero, less, and NaN: zero; too long: its longest.
    template <class Rep, class Period>
    static clock::duration length(const std::chrono::duration<Rep, Period>& length) {
        const span exact = to_span(length);
        if (!(exact > 0)) {
            return clock::duration::zero();
        }
        return exact < most ? std::chrono::duration_cast<clock::duration>(to_whole(exact)) : clock::duration::max();
    }

    // A time as the clock counts, rounded up. Before its first, and NaN: the first; after its last: the last.
    template <class Duration>
    static clock::time_point nearest(const std::chrono::time_point<clock, Duration>& time) {
        const span exact = to_span(time.time_since_epoch());
        if (!(exact > -most)) {
            return clock::time_point::min();
        }
        return exact < most ? clock::time_point(std::chrono::duration_cast<clock::duration>(to_whole(exact)))
                            : clock::time_point::max();
    }

    // Whether `time` has come on its own clock.
    template <class Clock, class Duration>
    static bool reached(const std::chrono::time_point<Clock, Duration>& time) {
        return !(until(time) > 0);
    }

    friend constexpr auto operator<=>(const deadline&, const deadline&) noexcept = default;

    constexpr bool is_never() const noexcept { return time_ == clock::time_point::max(); }
    bool has_passed() const noexcept {
        return time_ == clock::time_point::min() || (!is_never() && clock::now() >= time_);
    }
    constexpr clock::time_point time() const noexcept { return time_; }

    // As of the kinds below: the result of attempt(deadline).
    template <class Attempt, class TimedOut>
    auto wait(Attempt attempt, const TimedOut&) const {
        return attempt(*this);
    }

    // This one, but not sooner than `least` from now.
    deadline not_before(std::chrono::nanoseconds least) const noexcept {
        return deadline(std::max(time_, clock::now() + least));
    }

private:
    // A length of time in nanoseconds; NaN: not a time. Wide enough for every duration; where a long double has 64
    // bits of mantissa, exact for every one that matters.
    using span = long double;

    static constexpr span most = 9.2e18L;

    constexpr explicit deadline(clock::time_point time) noexcept : time_(time) {}

    template <class Rep, class Period>
    static span to_span(const std::chrono::duration<Rep, Period>& length) {
        if constexpr (requires { static_cast<span>(length.count()); }) {
            constexpr span nanoseconds_a_tick = span{1e9L} * Period::num / Period::den;
            return static_cast<span>(length.count()) * nanoseconds_a_tick;
        } else {
            return static_cast<span>(std::chrono::duration_cast<std::chrono::nanoseconds>(length).count());
        }
    }

    static std::chrono::nanoseconds to_whole(span length) {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(length))); // up: no wait ends early
    }

    // What is left; NaN where a clock's time is none.
    template <class Clock, class Duration>
    static span until(const std::chrono::time_point<Clock, Duration>& time) {
        return to_span(time.time_since_epoch()) - to_span(Clock::now().time_since_epoch());
    }

    template <class Now>
    static deadline from(Now now, span length) {
        if (!(length > 0)) {
            return passed();
        }
        if (length >= most) {
            return never();
        }
        const std::chrono::nanoseconds whole = to_whole(length);
        const clock::time_point start = now();
        if (whole > clock::time_point::max() - start) {
            return never();
        }
        return deadline(start + std::chrono::duration_cast<clock::duration>(whole));
    }

    clock::time_point time_;
};

// None: of no bytes, which a deadline that is never would have.
struct no_deadline {
    static constexpr bool has_passed() noexcept { return false; }

    // The result of attempt(deadline).
    template <class Attempt, class TimedOut>
    auto wait(Attempt attempt, const TimedOut&) const {
        return attempt(deadline::never());
    }
};

// So long after a wait begins: what need not wait asks no clock.
template <class Rep, class Period>
class relative_deadline {
public:
    explicit relative_deadline(const std::chrono::duration<Rep, Period>& length) : length_(length) {}

    bool has_passed() const { return deadline::length(length_) == deadline::clock::duration::zero(); }

    // The result of attempt(deadline).
    template <class Attempt, class TimedOut>
    auto wait(Attempt attempt, const TimedOut&) const {
        return attempt(deadline::after(length_));
    }

private:
    std::chrono::duration<Rep, Period> length_;
};

// One on a clock that may be set, or run at another pace, while somebody waits for it.
template <class Clock, class Duration>
class moving_deadline {
public:
    explicit moving_deadline(const std::chrono::time_point<Clock, Duration>& time) : time_(time) {}

    bool has_passed() const { return deadline::reached(time_); }

    // The result of attempt(deadline), which is made again while timed_out(result) and the clock says that there is
    // time. Then not sooner than after a millisecond: a clock that hardly moves is not to keep the processor busy.
    template <class Attempt, class TimedOut>
    auto wait(Attempt attempt, const TimedOut& timed_out) const {
        for (deadline until = deadline::at(time_);; until = deadline::at(time_).not_before(shortest_retry)) {
            auto result = attempt(until);
            if (!timed_out(result) || deadline::reached(time_)) {
                return result;
            }
        }
    }

private:
    static constexpr std::chrono::milliseconds shortest_retry{1};

    std::chrono::time_point<Clock, Duration> time_;
};

template <class Clock, class Duration>
auto clock_deadline(const std::chrono::time_point<Clock, Duration>& time) {
    static_assert(
        requires { Clock::now().time_since_epoch(); },
        "weir: a deadline must be a time on a clock that can be asked for the time");
    if constexpr (std::is_same_v<Clock, deadline::clock>) {
        return deadline::at(time);
    } else {
        return moving_deadline<Clock, Duration>(time);
    }
}

} // namespace weir::detail

#endif
