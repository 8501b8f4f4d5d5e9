// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: membarrier and the compiler barrier as the two halves of
// an asymmetric fence. WEIR_MEMBARRIER=0 leaves them away, as the library does.
#ifndef WEIR_DETAIL_PLATFORM_MEMBARRIER_HPP
#define WEIR_DETAIL_PLATFORM_MEMBARRIER_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/fatal.hpp>

namespace weir::detail {

inline void compiler_barrier() noexcept { model::now_running.light_fence(); }
constexpr bool membarrier_available() noexcept { return WEIR_MEMBARRIER != 0; }
// Unless MODEL_FEW is defined the models' small channels do as large ones.
#ifdef MODEL_FEW
constexpr bool membarrier_pays(bool is_asked_often) noexcept { return !is_asked_often && membarrier_available(); }
#else
constexpr bool membarrier_pays(bool) noexcept { return membarrier_available(); }
#endif
inline void membarrier(const model::where& at = model::where::current()) noexcept {
    model::now_running.heavy_fence(at);
}

} // namespace weir::detail

#endif
