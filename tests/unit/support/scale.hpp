// SPDX-License-Identifier: BSL-1.0
//
// How much a test does: less where a sanitizer makes everything slower.
#pragma once

#include <chrono>
#include <cstdint>

namespace unit {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr unsigned slowdown = 10;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
inline constexpr unsigned slowdown = 10;
#else
inline constexpr unsigned slowdown = 1;
#endif
#else
inline constexpr unsigned slowdown = 1;
#endif

constexpr unsigned scaled(unsigned native) { return native / slowdown + 1; }

// The longest that anything which must happen may take before a test gives up.
inline constexpr std::chrono::seconds patience{30};

} // namespace unit
