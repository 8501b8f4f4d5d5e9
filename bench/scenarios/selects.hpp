// SPDX-License-Identifier: BSL-1.0
//
// Several channels at once: select_rx, select_both, ready.
//
// A channel that can do it has, beside what loops.hpp asks for:
//   static void send_any(auto& senders, number n);        // to whichever of four channels takes it first
//   static number receive_any(auto& receivers);           // from whichever of four has a message first
//   class set;                                            // add(receiver), ready(): the index of one that is ready
#ifndef BENCH_SCENARIOS_SELECTS_HPP
#define BENCH_SCENARIOS_SELECTS_HPP

#include <array>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include "result.hpp"

namespace bench {

constexpr std::size_t selected_channels = 4;

// Each channel has its producer (`Both`: or each producer any channel); one thread receives from whichever is ready.
template <class Channel, bool Both>
result select_stream(const request& asked) {
    using ends = decltype(Channel::make(0));
    std::array<decltype(ends::tx), selected_channels> tx;
    std::array<decltype(ends::rx), selected_channels> rx;
    for (std::size_t k = 0; k < selected_channels; ++k) {
        ends made = Channel::make(asked.capacity);
        tx[k] = std::move(made.tx);
        rx[k] = std::move(made.rx);
    }
    stopwatch watch(selected_channels + 1);
    std::vector<std::jthread> threads;
    for (std::size_t k = 0; k < selected_channels; ++k) {
        const number first = k * asked.messages / selected_channels;
        const number end = (k + 1) * asked.messages / selected_channels;
        if constexpr (Both) {
            threads.emplace_back([&watch, out = tx, first, end]() mutable {
                watch.start();
                for (number n = first; n != end; ++n) {
                    Channel::send_any(out, n);
                }
            });
        } else {
            threads.emplace_back([&watch, out = tx[k], first, end]() mutable {
                watch.start();
                Channel::send_numbers(out, first, end);
            });
        }
    }
    const auto from_any = [&] {
        number sum = 0;
        for (number i = 0; i != asked.messages; ++i) {
            sum += Channel::receive_any(rx);
        }
        return sum;
    };
    return measure<Channel>(watch, asked.messages, from_any, std::move(threads));
}

// One thread: a message to one of so many channels, the question which is ready, and its receive.
template <class Channel, std::size_t Channels>
result ready(const request& asked) {
    using ends = decltype(Channel::make(0));
    std::vector<ends> all;
    typename Channel::set any;
    for (std::size_t k = 0; k < Channels; ++k) {
        all.push_back(Channel::make(asked.capacity));
        any.add(all.back().rx);
    }
    const auto exchange = [&](number n) {
        Channel::send(all[n * 7919 % Channels].tx, n); // a prime: ever another one
        return Channel::receive(all[any.ready()].rx);
    };
    for (number n = 0; n != Channels; ++n) {
        exchange(n); // so that what only the first wait costs is not counted
    }
    stopwatch watch;
    return measure<Channel>(watch, asked.messages, [&] {
        number sum = 0;
        for (number n = 0; n != asked.messages; ++n) {
            sum += exchange(n);
        }
        return sum;
    });
}

} // namespace bench

#endif
