// SPDX-License-Identifier: BSL-1.0
//
// How long single messages take to a receiver that has gone to sleep.
#ifndef BENCH_SCENARIOS_PARKED_HPP
#define BENCH_SCENARIOS_PARKED_HPP

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "result.hpp"

namespace bench {

template <class Channel>
result parked(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    std::vector<nanoseconds> delays(asked.messages);
    number sent = 0;
    stopwatch watch(2);
    std::jthread sender([&watch, &sent, tx = std::move(ends.tx), count = asked.messages]() mutable {
        watch.start();
        sent = Channel::send_times(tx, count);
    });
    watch.start();
    const number received = Channel::receive_times(ends.rx, delays);
    const spent time = watch.stop();
    sender.join();
    expect_sum(received, sent);

    std::ranges::sort(delays);
    const auto quantile = [&](number thousandths) {
        return static_cast<double>(delays[asked.messages * thousandths / 1000]);
    };
    return {{"p50_ns", quantile(500)},
            {"p99_ns", quantile(990)},
            {"p999_ns", quantile(999)},
            {"cpu_ns", static_cast<double>(time.cpu) / static_cast<double>(asked.messages)}};
}

} // namespace bench

#endif
