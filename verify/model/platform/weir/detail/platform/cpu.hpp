// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: one processor, so that nobody spins.
#ifndef WEIR_DETAIL_PLATFORM_CPU_HPP
#define WEIR_DETAIL_PLATFORM_CPU_HPP

#include "checker/execution.hpp"

namespace weir::detail {

inline void pause() noexcept {}
inline void pause(int) noexcept {}
inline void yield() noexcept { rl::ctx().yield(1, model::execution::info(model::where::current())); }
inline bool yield_to_another() noexcept {
    yield();
    return true;
}
inline void prefetch_for_read(const void*) noexcept {}
inline void prefetch_for_write(const void*) noexcept {}
inline int usable_processors() noexcept { return 1; }
inline bool can_spin() noexcept { return false; }
inline int pauses_per_microsecond() noexcept { return 1; }

} // namespace weir::detail

#endif
