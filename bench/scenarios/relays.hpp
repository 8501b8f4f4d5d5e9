// SPDX-License-Identifier: BSL-1.0
//
// Threads that pass messages on, more of them than processors: chain, pool, forkjoin.
#ifndef BENCH_SCENARIOS_RELAYS_HPP
#define BENCH_SCENARIOS_RELAYS_HPP

#include <algorithm>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include "result.hpp"
#include "streams.hpp"

namespace bench {

// They stay with the thread that calls, so that each is there as long as any other thread.
template <class Channel>
auto channels(std::size_t count, std::size_t capacity) {
    std::vector<decltype(Channel::make(capacity))> all;
    for (std::size_t k = 0; k < count; ++k) {
        all.push_back(Channel::make(capacity));
    }
    return all;
}

// Of so many messages, dealt out in turn, those of worker `k`.
inline number part_of(number messages, number workers, number k) { return (messages + workers - 1 - k) / workers; }

// Starts a thread a worker, which sends on what it receives.
template <class Channel>
void start_workers(std::vector<std::jthread>& threads, stopwatch& watch, auto& tasks, auto& tx, number messages) {
    for (std::size_t k = 0; k < tasks.size(); ++k) {
        const number part = part_of(messages, tasks.size(), k);
        threads.emplace_back([&watch, &rx = tasks[k].rx, &out = tx[k], part] {
            watch.start();
            Channel::echo(rx, out, part);
        });
    }
}

// One thread sends, so many pass each message on, and one receives.
template <class Channel, unsigned Stages>
result chain(const request& asked) {
    auto all = channels<Channel>(Stages + 1, asked.capacity);
    stopwatch watch(Stages + 2);
    std::vector<std::jthread> threads;
    for (unsigned k = 0; k < Stages; ++k) {
        threads.emplace_back([&watch, &rx = all[k].rx, &tx = all[k + 1].tx, count = asked.messages] {
            watch.start();
            Channel::echo(rx, tx, count);
        });
    }
    threads.emplace_back([&watch, &tx = all[0].tx, count = asked.messages] {
        watch.start();
        Channel::send_numbers(tx, 0, count);
    });
    return measure<Channel>(
        watch, asked.messages, [&] { return Channel::receive_numbers(all[Stages].rx, asked.messages); },
        std::move(threads));
}

// One thread deals out to the workers, each of which has its channel, and these send to one that receives.
template <class Channel, unsigned Workers>
result pool(const request& asked) {
    auto tasks = channels<Channel>(Workers, asked.capacity);
    auto results = Channel::make(asked.capacity);
    auto tx = senders(std::move(results.tx), Workers);
    stopwatch watch(Workers + 2);
    std::vector<std::jthread> threads;
    start_workers<Channel>(threads, watch, tasks, tx, asked.messages);
    threads.emplace_back([&watch, &tasks, count = asked.messages] {
        watch.start();
        for (number n = 0; n != count; ++n) {
            Channel::send(tasks[n % Workers].tx, n);
        }
    });
    return measure<Channel>(
        watch, asked.messages, [&] { return Channel::receive_numbers(results.rx, asked.messages); },
        std::move(threads));
}

// One thread sends a message to each of the workers, then receives as many answers, and begins anew.
template <class Channel, unsigned Workers>
result forkjoin(const request& asked) {
    auto tasks = channels<Channel>(Workers, asked.capacity);
    auto results = Channel::make(asked.capacity);
    auto tx = senders(std::move(results.tx), Workers);
    stopwatch watch(Workers + 1);
    std::vector<std::jthread> threads;
    start_workers<Channel>(threads, watch, tasks, tx, asked.messages);
    const auto in_rounds = [&] {
        number sum = 0;
        for (number n = 0; n != asked.messages;) {
            const number round = std::min<number>(Workers, asked.messages - n);
            for (number k = 0; k != round; ++k, ++n) {
                Channel::send(tasks[k].tx, n);
            }
            sum += Channel::receive_numbers(results.rx, round);
        }
        return sum;
    };
    return measure<Channel>(watch, asked.messages, in_rounds, std::move(threads));
}

} // namespace bench

#endif
