// SPDX-License-Identifier: BSL-1.0
//
// Linux futexes on a 32-bit word, with absolute time-outs on the steady clock.
#ifndef WEIR_DETAIL_PLATFORM_FUTEX_HPP
#define WEIR_DETAIL_PLATFORM_FUTEX_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/clock.hpp>

#if defined(__linux__)
#define WEIR_HAS_FUTEX 1

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weir::detail {

// The kernel's 64-bit time, whatever the C library's time_t is.
struct futex_time {
    std::int64_t seconds;
    std::int64_t nanoseconds;
};

inline long futex_wait_until(const atomic<std::uint32_t>* word, std::uint32_t expected,
                             const futex_time* until) noexcept {
    constexpr int operation = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
#if defined(SYS_futex_time64)
    const long result = ::syscall(SYS_futex_time64, word, operation, expected, until, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result == 0 || errno != ENOSYS) {
        return result;
    }
#endif
#if defined(SYS_futex)
    std::timespec time{};
    if (until != nullptr) {
        using seconds = decltype(time.tv_sec);
        constexpr std::int64_t latest = sizeof(seconds) < sizeof(std::int64_t) ? INT_MAX : INT64_MAX;
        time.tv_sec = static_cast<seconds>(until->seconds < latest ? until->seconds : latest);
        time.tv_nsec = static_cast<decltype(time.tv_nsec)>(until->nanoseconds);
    }
    return ::syscall(SYS_futex, word, operation, expected, until != nullptr ? &time : nullptr, nullptr,
                     FUTEX_BITSET_MATCH_ANY);
#else
    return result;
#endif
}

// Sleeps while *word == expected, until woken or until the steady clock reaches `until` (time_point::max(): for ever).
// May return early for no reason.
inline void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected,
                       steady_clock::time_point until) noexcept {
    if (until == steady_clock::time_point::max()) {
        (void)futex_wait_until(&word, expected, nullptr);
        return;
    }
    const auto since_boot = until.time_since_epoch();
    if (since_boot < since_boot.zero()) {
        return;
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
    const futex_time time{seconds.count(), std::chrono::nanoseconds(since_boot - seconds).count()};
    (void)futex_wait_until(&word, expected, &time);
}

// Wakes one sleeper at that address. The word itself is not read: it may be gone already.
inline void futex_wake_one(const atomic<std::uint32_t>* word) noexcept {
    (void)::syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
}

} // namespace weir::detail

#else
#define WEIR_HAS_FUTEX 0
#endif

#endif
