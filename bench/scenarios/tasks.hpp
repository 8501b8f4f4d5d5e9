// SPDX-License-Identifier: BSL-1.0
//
// Coroutines at the channel's ends instead of threads: task1, task2, to_task, waiting. An adapter for them has, besides what
// loops.hpp asks for:
//
//   using has_tasks = void;
//   static void send_in_task(auto& tx, number first, number end);     // in one coroutine, on this thread, to its end
//   static number receive_in_task(auto& rx, number count);            // likewise
//   static number exchange_in_tasks(auto& tx, auto& rx, number count);  // two, both on this thread
//   // `count` coroutines, each of which sends its number and waits, since nobody receives; then calls all_wait(), then
//   // receives all
//   static number wait_in_tasks(auto& tx, auto& rx, number count, auto all_wait);
#ifndef BENCH_SCENARIOS_TASKS_HPP
#define BENCH_SCENARIOS_TASKS_HPP

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "memory.hpp"
#include "result.hpp"

namespace bench {

template <class Channel>
result task1(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    stopwatch watch;
    return measure<Channel>(watch, asked.messages,
                            [&] { return Channel::exchange_in_tasks(ends.tx, ends.rx, asked.messages); });
}

// The sending side is a coroutine on a thread of its own, or a thread.
template <class Channel, bool SendsInTask>
result receiving_task(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    stopwatch watch(2);
    std::vector<std::jthread> sender;
    sender.emplace_back([&watch, tx = std::move(ends.tx), count = asked.messages]() mutable {
        watch.start();
        if constexpr (SendsInTask) {
            Channel::send_in_task(tx, 0, count);
        } else {
            Channel::send_numbers(tx, 0, count);
        }
    });
    return measure<Channel>(
        watch, asked.messages, [&] { return Channel::receive_in_task(ends.rx, asked.messages); }, std::move(sender));
}

template <class Channel>
result waiting(const request& asked) {
    auto ends = Channel::make(asked.capacity);
    const std::int64_t before = resident_bytes();
    std::int64_t after = before;
    const auto all_wait = [&after] { after = resident_bytes(); };
    check(Channel::wait_in_tasks(ends.tx, ends.rx, asked.messages, all_wait), asked.messages);
    return bytes(after - before, asked.messages);
}

} // namespace bench

#endif
