// SPDX-License-Identifier: BSL-1.0
//
// How the library ends the program, and how it throws where exceptions may be off.
#ifndef WEIR_DETAIL_PLATFORM_FATAL_HPP
#define WEIR_DETAIL_PLATFORM_FATAL_HPP

#include <weir/detail/platform/config.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>

namespace weir::detail {

// Writes `weir: <why>` to standard error and aborts.
[[noreturn]] WEIR_NOINLINE inline void fatal(const char* why) noexcept {
    std::fprintf(stderr, "weir: %s\n", why);
    std::abort();
}

[[noreturn]] inline void throw_bad_alloc() {
#if WEIR_HAS_EXCEPTIONS
    throw std::bad_alloc();
#else
    fatal("out of memory");
#endif
}

[[noreturn]] inline void throw_invalid_argument(const char* why) {
#if WEIR_HAS_EXCEPTIONS
    throw std::invalid_argument(why);
#else
    fatal(why);
#endif
}

[[noreturn]] inline void throw_length_error(const char* why) {
#if WEIR_HAS_EXCEPTIONS
    throw std::length_error(why);
#else
    fatal(why);
#endif
}

} // namespace weir::detail

#endif
