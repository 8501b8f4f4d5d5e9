// SPDX-License-Identifier: BSL-1.0
//
// What the compiler, the standard library and the system offer. This folder holds the only files of the library that
// ask.
#ifndef WEIR_DETAIL_PLATFORM_CONFIG_HPP
#define WEIR_DETAIL_PLATFORM_CONFIG_HPP

#include <version>

#if !defined(__cpp_lib_expected)
#error                                                                                                                 \
    "weir needs std::expected: use GCC 12 or later, Clang 19 or later with libstdc++, or Clang 16 or later with libc++, and compile as C++23"
#endif

// 1: two threads in one receiver at once end the program with a message. Changes no layout: translation units may
// differ.
#if !defined(WEIR_CHECKED)
#if defined(NDEBUG)
#define WEIR_CHECKED 0
#else
#define WEIR_CHECKED 1
#endif
#endif

// 1: threads park on a mutex and a condition variable. Must be the same in all translation units of a program.
#if !defined(WEIR_PORTABLE_PARKER)
#if defined(__linux__)
#define WEIR_PORTABLE_PARKER 0
#else
#define WEIR_PORTABLE_PARKER 1
#endif
#endif

// 1: the overloads that take a std::stop_token are there (libc++ before 20 has it behind -fexperimental-library only).
#if defined(__cpp_lib_jthread)
#define WEIR_HAS_STOP_TOKEN 1
#else
#define WEIR_HAS_STOP_TOKEN 0
#endif

#if defined(__cpp_exceptions)
#define WEIR_HAS_EXCEPTIONS 1
#else
#define WEIR_HAS_EXCEPTIONS 0
#endif

#if defined(__cpp_rtti)
#define WEIR_HAS_RTTI 1
#else
#define WEIR_HAS_RTTI 0
#endif

// The thread sanitizer does not know membarrier: under it both sides of the pair are full barriers.
#if defined(__SANITIZE_THREAD__)
#define WEIR_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_THREAD_SANITIZER 1
#endif
#endif
#if !defined(WEIR_THREAD_SANITIZER)
#define WEIR_THREAD_SANITIZER 0
#endif

// 1: membarrier(2) may be used where the running kernel has it. Must be the same in all translation units of a program.
#if !defined(WEIR_MEMBARRIER)
#if defined(__linux__) && !WEIR_THREAD_SANITIZER
#define WEIR_MEMBARRIER 1
#else
#define WEIR_MEMBARRIER 0
#endif
#endif

// Around conversions that a caller asked for: whether they narrow is the caller's own matter, as it is in the containers
// of the standard library.
#if defined(__clang__)
#define WEIR_CALLERS_CONVERSION_BEGIN                                                                                  \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wconversion\"")
#define WEIR_CALLERS_CONVERSION_END _Pragma("clang diagnostic pop")
#elif defined(__GNUC__)
#define WEIR_CALLERS_CONVERSION_BEGIN                                                                                  \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wconversion\"")                                  \
        _Pragma("GCC diagnostic ignored \"-Wfloat-conversion\"")                                                       \
            _Pragma("GCC diagnostic ignored \"-Wsign-conversion\"")
#define WEIR_CALLERS_CONVERSION_END _Pragma("GCC diagnostic pop")
#else
#define WEIR_CALLERS_CONVERSION_BEGIN
#define WEIR_CALLERS_CONVERSION_END
#endif

// Makes a function with checks another one than that without: translation units may differ in WEIR_CHECKED, and the
// linker must not take the one for the other.
#if WEIR_CHECKED && defined(__GNUC__)
#define WEIR_CHECKED_FUNCTION [[gnu::abi_tag("weir_checked")]]
#else
#define WEIR_CHECKED_FUNCTION
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define WEIR_NOINLINE __declspec(noinline)
#define WEIR_INLINE __forceinline
#define WEIR_INLINE_LAMBDA // behind its parameters
#define WEIR_NO_UNIQUE_ADDRESS [[msvc::no_unique_address]]
#else
#define WEIR_NOINLINE [[gnu::noinline]]
#define WEIR_INLINE [[gnu::always_inline]] inline
#define WEIR_INLINE_LAMBDA __attribute__((always_inline)) // behind its parameters
#define WEIR_NO_UNIQUE_ADDRESS [[no_unique_address]]
#endif

#endif
