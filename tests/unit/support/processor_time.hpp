// SPDX-License-Identifier: BSL-1.0
//
// How much processor time the calling thread has used.
#pragma once

#include <chrono>
#include <ctime>

namespace unit {

inline std::chrono::nanoseconds own_processor_time() {
    std::timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

} // namespace unit
