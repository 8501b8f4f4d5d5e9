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
    watch.start();
    Channel::send_numbers(ends.tx, 0, asked.messages);
    const number sum = Channel::receive_numbers(ends.rx, asked.messages);
    const spent time = watch.stop();
    check(sum, asked.messages);
    return per_message(time, asked.messages);
}

template <class Channel>
result hot(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    stopwatch watch;
    watch.start();
    const number sum = Channel::send_and_receive(ends.tx, ends.rx, asked.messages);
    const spent time = watch.stop();
    check(sum, asked.messages);
    return per_message(time, asked.messages);
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

// What the receiver does while the other threads send, until they have ended.
template <class Channel>
result receive_from_threads(auto& rx, stopwatch& watch, std::vector<std::jthread>& threads, number messages) {
    watch.start();
    const number sum = Channel::receive_numbers(rx, messages);
    const spent time = watch.stop();
    threads.clear();
    check<typename Channel::value_type>(sum, messages);
    return per_message(time, messages);
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
    return receive_from_threads<Channel>(ends.rx, watch, threads, asked.messages);
}

} // namespace bench

#endif
