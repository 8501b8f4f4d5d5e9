// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header.
#ifndef WEIR_DETAIL_PLATFORM_FUTEX_HPP
#define WEIR_DETAIL_PLATFORM_FUTEX_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/clock.hpp>

#include <cstdint>

#define WEIR_HAS_FUTEX 1

namespace weir::detail {

inline void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, steady_clock::time_point until,
                       const model::where& at = model::where::current()) noexcept {
    const bool is_timed = until != steady_clock::time_point::max();
    if (is_timed && steady_clock::has_passed(until)) {
        return;
    }
    if (!model::now_running.sleep(&word, expected, is_timed, at)) {
        steady_clock::pass();
    }
}

inline void futex_wake_one(const atomic<std::uint32_t>* word,
                           const model::where& at = model::where::current()) noexcept {
    model::now_running.wake(word, false, at);
}

} // namespace weir::detail

#endif
