// SPDX-License-Identifier: BSL-1.0
//
// Named points in the protocols, where a test can stop the thread that comes by, delay it, or have it interrupted by a
// signal: WEIR_POINT("list.claimed"). They are nothing at all unless WEIR_INJECTION is 1.
#ifndef WEIR_DETAIL_PLATFORM_INJECTION_HPP
#define WEIR_DETAIL_PLATFORM_INJECTION_HPP

// 1: a thread at a point calls the hook. Must be the same in all translation units of a program.
#if !defined(WEIR_INJECTION)
#define WEIR_INJECTION 0
#endif

#if WEIR_INJECTION

#include <atomic>

namespace weir::detail {

using injection_hook = void (*)(const char* point) noexcept;

// What a test has installed, or null.
inline constinit std::atomic<injection_hook> injected{nullptr};

inline void reach_point(const char* point) noexcept {
    if (const injection_hook hook = injected.load(std::memory_order_acquire)) { // pairs with the test's store
        hook(point);
    }
}

} // namespace weir::detail

#define WEIR_POINT(name) ::weir::detail::reach_point(name)
#else
#define WEIR_POINT(name) static_cast<void>(0)
#endif

#endif
