// SPDX-License-Identifier: BSL-1.0
//
// Hints to the processor and the scheduler: pause, yield, prefetch, and how many processors there are. How to copy
// many bytes.
#ifndef WEIR_DETAIL_PLATFORM_CPU_HPP
#define WEIR_DETAIL_PLATFORM_CPU_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/clock.hpp>
#include <weir/detail/platform/config.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace weir::detail {

// Tells the processor that this is a spin loop.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("isb" ::: "memory");
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
    _mm_pause();
#endif
}

inline void pause(int times) noexcept {
    for (int i = 0; i < times; ++i) {
        pause();
    }
}

inline void yield() noexcept { std::this_thread::yield(); }

// Asks for the line of `place` to be read soon. (Inlined always, as is the next: g++ leaves out the call of a function that
// does nothing but prefetch.)
WEIR_INLINE void prefetch_for_read([[maybe_unused]] const void* place) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(place);
#endif
}

// Asks for the line of `place` to be written to soon. (__builtin_prefetch(p, 1) gives a read prefetch on plain x86-64.)
WEIR_INLINE void prefetch_for_write([[maybe_unused]] const void* place) noexcept {
#if defined(__x86_64__) && !defined(_MSC_VER)
    asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(place)));
#elif defined(__GNUC__)
    __builtin_prefetch(place, 1);
#endif
}

// By the C library, which chooses by the processor. A compiler that knows the size may choose a string instruction
// (`rep movs`), which takes about as long to start as 500 bytes take to copy.
inline void copy_bytes(void* to, const void* from, std::size_t size) noexcept {
#if defined(__GNUC__)
    asm("" : "+r"(size));
#endif
    std::memcpy(to, from, size);
}

// The processors that this process may run on.
inline int usable_processors() noexcept {
#if defined(__linux__)
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
        return CPU_COUNT(&allowed);
    }
#endif
    return static_cast<int>(std::thread::hardware_concurrency());
}

// True where a spinning thread and the one it waits for can run at the same time.
inline bool can_spin() noexcept {
    static constinit atomic<int> processors{0};
    int known = processors.load(memory_order_relaxed);
    if (known == 0) {
        known = usable_processors();
        known = known > 0 ? known : 2; // 0: nobody knows
        processors.store(known, memory_order_relaxed);
    }
    return known > 1;
}

// How long `act()` takes where nothing comes between, of so many tries.
template <class Act>
std::chrono::nanoseconds shortest_time(int rounds, Act act) noexcept {
    auto best = std::chrono::nanoseconds::max();
    for (int round = 0; round < rounds; ++round) {
        const auto start = steady_clock::now();
        act();
        best = std::min<std::chrono::nanoseconds>(best, steady_clock::now() - start);
    }
    return best;
}

// The nanoseconds of a yield that finds nobody, at most: of two calls of the system that do next to nothing.
inline std::int64_t longest_idle_yield() noexcept {
#if defined(__linux__)
    return 2 * shortest_time(16, []() noexcept { (void)usable_processors(); }).count();
#else
    return std::numeric_limits<std::int32_t>::max(); // not known
#endif
}

// The same as yield(); true where another thread had the processor meanwhile, as far as time tells: a yield that finds nobody returns
// at once, and the way to another thread and back takes several times as long as the shortest yield so far. In a program with more
// threads than processors each may find somebody: so there is a bound to begin with.
inline bool yield_to_another() noexcept {
    static constinit atomic<std::int64_t> shortest{0};
    constexpr int factor = 3;
    constexpr std::int64_t least = 100; // nanoseconds; a coarse clock may show none
    std::int64_t known = shortest.load(memory_order_relaxed);
    if (known == 0) {
        known = std::max(longest_idle_yield(), least);
        shortest.store(known, memory_order_relaxed);
    }
    const auto start = steady_clock::now();
    yield();
    const std::chrono::nanoseconds elapsed = steady_clock::now() - start;
    const std::int64_t took = std::max<std::int64_t>(elapsed.count(), least);
    if (took < known) {
        shortest.store(took, memory_order_relaxed);
    }
    return took > factor * known;
}

// How many pauses last a microsecond: measured once, since they take from 4 to 40 ns each.
inline int pauses_per_microsecond() noexcept {
    static constinit atomic<int> measured{0};
    int known = measured.load(memory_order_relaxed);
    if (known == 0) {
        constexpr int sample = 64;
        constexpr int fewest = 8;
        constexpr int most = 250;
        const auto best = shortest_time(3, []() noexcept { pause(sample); });
        const auto rate = best.count() > 0 ? sample * 1000 / best.count() : most;
        known = rate < fewest ? fewest : rate > most ? most : static_cast<int>(rate);
        measured.store(known, memory_order_relaxed);
    }
    return known;
}

} // namespace weir::detail

#endif
