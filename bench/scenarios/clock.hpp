// SPDX-License-Identifier: BSL-1.0
//
// Wall and processor time, from the moment when all threads stand ready.
#ifndef BENCH_SCENARIOS_CLOCK_HPP
#define BENCH_SCENARIOS_CLOCK_HPP

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>

namespace bench {

using nanoseconds = std::int64_t;

inline nanoseconds now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return nanoseconds{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// What std::chrono::steady_clock shows.
inline nanoseconds wall_now() { return now(CLOCK_MONOTONIC); }

// Of all threads of the process.
inline nanoseconds cpu_now() { return now(CLOCK_PROCESS_CPUTIME_ID); }

struct spent {
    nanoseconds wall;
    nanoseconds cpu;
};

class stopwatch {
public:
    explicit stopwatch(std::ptrdiff_t threads = 1) : ready_(threads) {}

    // Each of the threads calls it. Time counts from the first that comes out, which need not be the receiver.
    void start() {
        ready_.arrive_and_wait();
        lower(wall_, wall_now());
        lower(cpu_, cpu_now());
    }

    // By the thread that has received the last message.
    spent stop() const {
        const nanoseconds wall = wall_now();
        const nanoseconds cpu = cpu_now();
        return {wall - wall_.load(std::memory_order_relaxed), cpu - cpu_.load(std::memory_order_relaxed)};
    }

private:
    // Relaxed will do: who stops the watch has received a message of the thread that was first.
    static void lower(std::atomic<nanoseconds>& earliest, nanoseconds time) {
        nanoseconds seen = earliest.load(std::memory_order_relaxed);
        while (time < seen && !earliest.compare_exchange_weak(seen, time, std::memory_order_relaxed)) {
        }
    }

    std::barrier<> ready_;
    std::atomic<nanoseconds> wall_{std::numeric_limits<nanoseconds>::max()};
    std::atomic<nanoseconds> cpu_{std::numeric_limits<nanoseconds>::max()};
};

} // namespace bench

#endif
