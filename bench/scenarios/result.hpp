// SPDX-License-Identifier: BSL-1.0
//
// What a run is asked for, and what comes out of it.
#ifndef BENCH_SCENARIOS_RESULT_HPP
#define BENCH_SCENARIOS_RESULT_HPP

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "message.hpp"

namespace bench {

struct request {
    number messages;
    std::size_t capacity; // In messages; an unbounded channel takes no notice of it.
    unsigned seconds;
};

using result = std::vector<std::pair<std::string_view, double>>;

inline result per_message(spent time, number messages) {
    const auto count = static_cast<double>(messages);
    return {{"ns", static_cast<double>(time.wall) / count}, {"cpu_ns", static_cast<double>(time.cpu) / count}};
}

inline void expect_sum(number sum, number expected) {
    if (sum != expected) {
        throw std::runtime_error("wrong sum: " + std::to_string(sum) + " instead of " + std::to_string(expected));
    }
}

// Of the numbers below `messages`, each in a message of type T.
template <class T = number>
void check(number sum, number messages) {
    // One of two neighbours is even, and 2^32 messages do not overflow the product.
    expect_sum(sum, messages * (messages - 1) / 2 * times_counted<T>);
}

// The part of the thread that receives: `receive_all()` gives the sum of the messages. Others may send meanwhile, and end then.
template <class Channel>
result measure(stopwatch& watch, number messages, auto receive_all, std::vector<std::jthread> others = {}) {
    watch.start();
    const number sum = receive_all();
    const spent time = watch.stop();
    others.clear();
    check<typename Channel::value_type>(sum, messages);
    return per_message(time, messages);
}

} // namespace bench

#endif
