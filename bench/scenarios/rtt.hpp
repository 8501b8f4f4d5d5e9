// SPDX-License-Identifier: BSL-1.0
//
// Ping-pong of two threads over two channels.
#ifndef BENCH_SCENARIOS_RTT_HPP
#define BENCH_SCENARIOS_RTT_HPP

#include <thread>
#include <utility>

#include "result.hpp"

namespace bench {

template <class Channel>
result rtt(const request& asked) {
    auto there = Channel::make(asked.capacity);
    auto back = Channel::make(asked.capacity);
    stopwatch watch(2);
    std::jthread other([&watch, rx = std::move(there.rx), tx = std::move(back.tx), count = asked.messages]() mutable {
        watch.start();
        Channel::echo(rx, tx, count);
    });
    watch.start();
    const number sum = Channel::send_and_receive(there.tx, back.rx, asked.messages);
    const spent time = watch.stop();
    other.join();
    check(sum, asked.messages);
    return per_message(time, asked.messages);
}

} // namespace bench

#endif
