// SPDX-License-Identifier: BSL-1.0
//
// What the threads do, in terms of a channel's blocking operations. An adapter is a class template over the message:
//
//   template <class T>
//   struct bounded : bench::loops<bounded<T>> {
//       using value_type = T;
//       static constexpr bool has_senders;                  // handles that can be copied, for `clone`
//       static auto make(std::size_t capacity);             // {tx, rx}
//       static void send(auto& tx, bench::number n);        // sends make_message<T>(n)
//       static bench::number receive(auto& rx);             // value_of the message received
//   };
//
// Where an operation cannot block a thread, the adapter has loops of its own.
#ifndef BENCH_SCENARIOS_LOOPS_HPP
#define BENCH_SCENARIOS_LOOPS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "clock.hpp"
#include "message.hpp"

namespace bench {

constexpr nanoseconds send_period = 100'000;

// A late sender must not catch up with a burst: that would find the receiver awake.
inline nanoseconds next_due(nanoseconds due) { return std::max(due + send_period, wall_now()); }

inline std::chrono::steady_clock::time_point time_point(nanoseconds time) {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(time));
}

template <class Channel>
struct loops {
    static void send_numbers(auto& tx, number first, number end) {
        for (number n = first; n != end; ++n) {
            Channel::send(tx, n);
        }
    }

    static number receive_numbers(auto& rx, number count) {
        number sum = 0;
        for (number i = 0; i != count; ++i) {
            sum += Channel::receive(rx);
        }
        return sum;
    }

    static number send_and_receive(auto& tx, auto& rx, number count) {
        number sum = 0;
        for (number n = 0; n != count; ++n) {
            Channel::send(tx, n);
            sum += Channel::receive(rx);
        }
        return sum;
    }

    static void echo(auto& rx, auto& tx, number count) {
        for (number i = 0; i != count; ++i) {
            Channel::send(tx, Channel::receive(rx));
        }
    }

    static number use_once(std::size_t capacity, number count) {
        number sum = 0;
        for (number n = 0; n != count; ++n) {
            auto ends = Channel::make(capacity);
            Channel::send(ends.tx, n);
            sum += Channel::receive(ends.rx);
        }
        return sum;
    }

    // Sends the time, once a period; their sum.
    static number send_times(auto& tx, number count) {
        number sum = 0;
        nanoseconds due = wall_now();
        for (number i = 0; i != count; ++i) {
            std::this_thread::sleep_until(time_point(due));
            const auto sent = static_cast<number>(wall_now());
            Channel::send(tx, sent);
            sum += sent;
            due = next_due(due);
        }
        return sum;
    }

    // How long each was under way; the sum of the times sent.
    static number receive_times(auto& rx, std::vector<nanoseconds>& delays) {
        number sum = 0;
        for (nanoseconds& delay : delays) {
            const number sent = Channel::receive(rx);
            delay = wall_now() - static_cast<nanoseconds>(sent);
            sum += sent;
        }
        return sum;
    }
};

} // namespace bench

#endif
