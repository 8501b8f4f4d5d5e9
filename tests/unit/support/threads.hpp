// SPDX-License-Identifier: BSL-1.0
//
// Several threads that begin at the same moment.
#pragma once

#include <weir/detail/platform/cpu.hpp>

#include <array>
#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

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
