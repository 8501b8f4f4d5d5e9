// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: a clock that stands still until an hour that a thread waits
// for is over, at a moment of the checker's choice.
//
// Each thread has a clock of its own, since it asks only whether its own deadline has passed: so the deadlines pass in every
// order. The answer is open, and a choice is made, only between the look that a deadline is reckoned from and the first look,
// or sleep, that finds it passed. A choice at the former would put the deadline off with the clock: then it would never
// pass, and a sleep until it would end and begin again for ever. After the latter a deadline that has passed stays so.
#ifndef WEIR_DETAIL_PLATFORM_CLOCK_HPP
#define WEIR_DETAIL_PLATFORM_CLOCK_HPP

#include "checker/execution.hpp"

#include <array>
#include <chrono>

namespace weir::detail {

class steady_clock {
public:
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<steady_clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept {
        own_clock& own = own_clock::here();
        if (own.hour == state::begins) {
            own.hour = state::open;
        } else if (own.hour == state::open && model::choose(2) != 0) {
            pass();
        }
        return own.time;
    }

    // This thread will wait for an hour from its next look.
    static void begin_hour() noexcept { own_clock::here().hour = state::begins; }

    // This thread has slept until then.
    static void pass() noexcept {
        own_clock& own = own_clock::here();
        own.time += std::chrono::hours(1);
        own.hour = state::none;
    }

    // Whether this thread need not sleep until then.
    static bool has_passed(time_point time) noexcept { return own_clock::here().time >= time; }

    // For each execution.
    static void reset() noexcept { own_clock::all = {}; }

private:
    enum class state { none, begins, open };

    struct own_clock {
        time_point time{std::chrono::hours(24)};
        state hour = state::none;

        static own_clock& here() noexcept { return all[rl::thread_index()]; }
        static std::array<own_clock, 4> all;
    };
};

inline std::array<steady_clock::own_clock, 4> steady_clock::own_clock::all;

} // namespace weir::detail

#endif
