// SPDX-License-Identifier: BSL-1.0
//
// Numbers in one direction: seq, hot, spsc, mpsc.
#ifndef BENCH_SCENARIOS_STREAMS_HPP
#define BENCH_SCENARIOS_STREAMS_HPP

#include <thread>
#include <utility>
#include <vector>

#include "result.hpp"

namespace bench {

template <class Channel>
result seq(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    stopwatch watch;
    return measure<Channel>(watch, asked.messages, [&] {
        Channel::send_numbers(ends.tx, 0, asked.messages);
        return Channel::receive_numbers(ends.rx, asked.messages);
    });
}

template <class Channel>
result hot(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    stopwatch watch;
    return measure<Channel>(watch, asked.messages,
                            [&] { return Channel::send_and_receive(ends.tx, ends.rx, asked.messages); });
}

// One a producer, and none is left over: with one producer there is one sender.
template <class Sender>
std::vector<Sender> senders(Sender tx, unsigned producers) {
    std::vector<Sender> all;
    all.reserve(producers);
    while (all.size() + 1 < producers) {
        all.push_back(tx);
    }
    all.push_back(std::move(tx));
    return all;
}

template <class Channel, unsigned Producers>
result stream(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    auto tx = senders(std::move(ends.tx), Producers);
    stopwatch watch(Producers + 1);
    std::vector<std::jthread> threads;
    for (unsigned k = 0; k < Producers; ++k) {
        const number first = k * asked.messages / Producers;
        const number end = (k + 1) * asked.messages / Producers;
        threads.emplace_back([&watch, tx = std::move(tx[k]), first, end]() mutable {
            watch.start();
            Channel::send_numbers(tx, first, end);
        });
    }
    return measure<Channel>(
        watch, asked.messages, [&] { return Channel::receive_numbers(ends.rx, asked.messages); }, std::move(threads));
}

} // namespace bench

#endif
