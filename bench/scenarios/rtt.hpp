// SPDX-License-Identifier: BSL-1.0
//
// Ping-pong of two threads over two channels.
#ifndef BENCH_SCENARIOS_RTT_HPP
#define BENCH_SCENARIOS_RTT_HPP

#include <thread>
#include <utility>
#include <vector>

#include "result.hpp"

namespace bench {

template <class Channel>
result rtt(const request& asked) {
    auto there = Channel::make(asked.capacity);
    auto back = Channel::make(asked.capacity);
    stopwatch watch(2);
    std::vector<std::jthread> other;
    other.emplace_back([&watch, rx = std::move(there.rx), tx = std::move(back.tx), count = asked.messages]() mutable {
        watch.start();
        Channel::echo(rx, tx, count);
    });
    return measure<Channel>(
        watch, asked.messages, [&] { return Channel::send_and_receive(there.tx, back.rx, asked.messages); },
        std::move(other));
}

} // namespace bench

#endif
