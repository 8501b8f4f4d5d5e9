// SPDX-License-Identifier: BSL-1.0
//
// Resident memory: queued, idle, burst.
#ifndef BENCH_SCENARIOS_MEMORY_HPP
#define BENCH_SCENARIOS_MEMORY_HPP

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <unistd.h>

#include "result.hpp"

namespace bench {

inline std::int64_t resident_bytes() {
    std::int64_t size = 0;
    std::int64_t resident = 0;
    if (!(std::ifstream("/proc/self/statm") >> size >> resident)) {
        throw std::runtime_error("cannot read /proc/self/statm");
    }
    return resident * sysconf(_SC_PAGESIZE);
}

inline result bytes(std::int64_t all, number count) {
    return {{"bytes", static_cast<double>(all) / static_cast<double>(count)}};
}

template <class Channel>
result queued(const request& asked) {
    const std::int64_t before = resident_bytes();
    auto ends = Channel::make(asked.capacity);
    Channel::send_numbers(ends.tx, 0, asked.messages);
    const std::int64_t after = resident_bytes();
    check(Channel::receive_numbers(ends.rx, asked.messages), asked.messages);
    return bytes(after - before, asked.messages);
}

template <class Channel>
result idle(const request& asked) {
    // Made empty, and so resident, before the first look.
    std::vector<std::optional<decltype(Channel::make(asked.capacity))>> channels(asked.messages);
    const std::int64_t before = resident_bytes();
    for (auto& ends : channels) {
        ends.emplace(Channel::make(asked.capacity));
    }
    const std::int64_t after = resident_bytes();
    number sum = 0;
    for (number n = 0; n != asked.messages; ++n) {
        Channel::send_numbers(channels[n]->tx, n, n + 1);
        sum += Channel::receive_numbers(channels[n]->rx, 1);
    }
    check(sum, asked.messages);
    return bytes(after - before, asked.messages);
}

template <class Channel>
result burst(const request& asked) {
    const std::int64_t before = resident_bytes();
    auto ends = Channel::make(asked.capacity);
    Channel::send_numbers(ends.tx, 0, asked.messages);
    check(Channel::receive_numbers(ends.rx, asked.messages), asked.messages);
    std::this_thread::sleep_for(std::chrono::seconds(asked.seconds));
    const std::int64_t after = resident_bytes();
    Channel::send_numbers(ends.tx, 0, 2);
    check(Channel::receive_numbers(ends.rx, 2), 2);
    return bytes(after - before, 1);
}

} // namespace bench

#endif
