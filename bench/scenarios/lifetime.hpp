// SPDX-License-Identifier: BSL-1.0
//
// What it costs that channels and senders come and go: oneshot, clone.
#ifndef BENCH_SCENARIOS_LIFETIME_HPP
#define BENCH_SCENARIOS_LIFETIME_HPP

#include "result.hpp"

namespace bench {

template <class Channel>
result oneshot(const request& asked) {
    check(Channel::use_once(asked.capacity, 1), 1); // what only the first channel of a process costs
    stopwatch watch;
    return measure<Channel>(watch, asked.messages,
                            [&] { return Channel::use_once(asked.capacity, asked.messages); });
}

template <class Channel>
result clone(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    stopwatch watch;
    watch.start();
    for (number i = 0; i != asked.messages; ++i) {
        const auto copy = ends.tx;
        // Anyone might use it: the compiler must make it.
        asm volatile("" : : "g"(&copy) : "memory");
    }
    const spent time = watch.stop();
    Channel::send_numbers(ends.tx, 0, 2);
    check(Channel::receive_numbers(ends.rx, 2), 2);
    return per_message(time, asked.messages);
}

} // namespace bench

#endif
