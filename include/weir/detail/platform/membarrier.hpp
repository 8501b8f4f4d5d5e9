// SPDX-License-Identifier: BSL-1.0
//
// A full barrier on every running thread of the process, for the sake of threads that then need none of their own.
#ifndef WEIR_DETAIL_PLATFORM_MEMBARRIER_HPP
#define WEIR_DETAIL_PLATFORM_MEMBARRIER_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/fatal.hpp>

#if WEIR_MEMBARRIER
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace weir::detail {

// Keeps the compiler from moving memory operations across; costs nothing at run time.
inline void compiler_barrier() noexcept { std::atomic_signal_fence(memory_order_seq_cst); }

#if WEIR_MEMBARRIER

inline bool membarrier_command(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

// Registers the process, once. False where the kernel, or a sandbox, does not offer the call.
inline bool membarrier_available() noexcept {
    static constinit atomic<int> answer{0};
    int known = answer.load(memory_order_relaxed);
    if (known == 0) {
        known = membarrier_command(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) ? 1 : -1;
        answer.store(known, memory_order_relaxed);
    }
    return known > 0;
}

// On return every other thread of the process has passed a full barrier since the call began. Call only where
// membarrier_available() said yes.
inline void membarrier() noexcept {
    if (membarrier_command(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        return;
    }
    if (!membarrier_command(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) ||
        !membarrier_command(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        fatal("the membarrier system call was taken away from the running process");
    }
}

#else

constexpr bool membarrier_available() noexcept { return false; }
inline void membarrier() noexcept {}

#endif

// Whether to ask for it at all. A call takes the kernel 0.2 to 10 microseconds, the other side's read-modify-write some
// nanoseconds each time.
inline bool membarrier_pays(bool is_asked_often) noexcept { return !is_asked_often && membarrier_available(); }

} // namespace weir::detail

#endif
