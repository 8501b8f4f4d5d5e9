// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: a clock that stands still until, at a moment of the
// checker's choice, it is late.
#ifndef WEIR_DETAIL_PLATFORM_CLOCK_HPP
#define WEIR_DETAIL_PLATFORM_CLOCK_HPP

#include "checker/execution.hpp"

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
        if (may_be_late && !is_late) {
            is_late = model::choose(2) != 0;
        }
        return time_point(std::chrono::hours(is_late ? 48 : 24));
    }

    static inline bool may_be_late = false; // for models with a time-out: of an hour
    static inline bool is_late = false;
};

} // namespace weir::detail

#endif
