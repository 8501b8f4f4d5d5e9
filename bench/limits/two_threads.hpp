// SPDX-License-Identifier: BSL-1.0
//
// What the primitives and the bare programs are made of: words on lines of their own, and two threads that have a processor each,
// as long as the process may use two.
#ifndef BENCH_LIMITS_TWO_THREADS_HPP
#define BENCH_LIMITS_TWO_THREADS_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <thread>

#include <sched.h>

#include "../scenarios/clock.hpp"
#include "../scenarios/message.hpp"

namespace limits {

// Two lines: the hardware fetches them in pairs.
constexpr std::size_t apart = 128;

struct alignas(apart) lone_word {
    std::atomic<bench::number> value{0};
};

[[noreturn]] inline void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("isb" ::: "memory");
#endif
}

// The calling thread, for good. Else the system may leave two threads on one processor for the whole of a run.
inline void stay_on_processor(int nth) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        fail("sched_getaffinity");
    }
    nth %= CPU_COUNT(&allowed);
    for (std::size_t processor = 0; processor != CPU_SETSIZE; ++processor) {
        if (CPU_ISSET(processor, &allowed) && nth-- == 0) {
            cpu_set_t chosen;
            CPU_ZERO(&chosen);
            CPU_SET(processor, &chosen);
            if (sched_setaffinity(0, sizeof chosen, &chosen) != 0) {
                fail("sched_setaffinity");
            }
            return;
        }
    }
}

// Two threads that run `here` and `there` at once, once each; the time until both have ended.
template <class Here, class There>
bench::spent together(Here here, There there) {
    bench::stopwatch watch(2);
    std::atomic<bool> ended{false};
    std::jthread other([&] {
        stay_on_processor(1);
        watch.start();
        there();
        ended.store(true, std::memory_order_release);
    });
    stay_on_processor(0);
    watch.start();
    here();
    while (!ended.load(std::memory_order_acquire)) {
    }
    return watch.stop();
}

} // namespace limits

#endif
