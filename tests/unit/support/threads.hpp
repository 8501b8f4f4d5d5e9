// SPDX-License-Identifier: BSL-1.0
//
// Threads that begin at the same moment, stay near one another, or on one processor.
#pragma once

#include <weir/detail/platform/cpu.hpp>

#include <array>
#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#if defined(__linux__)
#include <sched.h>
#endif

namespace unit {

// Runs body(0) to body(count - 1), each on a thread of its own, and returns when all have ended.
template <class Body>
void in_parallel(unsigned count, Body body) {
    std::barrier start(static_cast<std::ptrdiff_t>(count));
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (unsigned which = 0; which < count; ++which) {
        threads.emplace_back([&start, &body, which] {
            start.arrive_and_wait();
            body(which);
        });
    }
}

#if defined(__linux__)
// This thread, and those that it starts from now on.
inline void stay_on_this_processor() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
}
#endif

// A little time, so that threads meet at ever different points.
inline void pause_for(std::uint64_t times) {
    for (; times > 0; --times) {
        weir::detail::pause();
    }
}

// Keeps threads that go through the same rounds near one another. Nobody waits long: a thread that is not scheduled is left
// behind.
class pace {
public:
    explicit pace(unsigned threads) : threads_(threads) {}

    void keep(unsigned which, unsigned round) {
        constexpr int longest = 400;
        rounds_[which].store(round, std::memory_order_relaxed);
        for (unsigned other = 0; other < threads_; ++other) {
            for (int i = 0; i < longest && rounds_[other].load(std::memory_order_relaxed) < round; ++i) {
                weir::detail::pause();
            }
        }
    }

private:
    unsigned threads_;
    std::array<std::atomic<unsigned>, 8> rounds_{};
};

} // namespace unit
