// SPDX-License-Identifier: BSL-1.0
//
// Which shapes are run over which kinds of channel.
#ifndef BENCH_SCENARIOS_OFFER_HPP
#define BENCH_SCENARIOS_OFFER_HPP

#include <cstddef>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lifetime.hpp"
#include "main.hpp"
#include "memory.hpp"
#include "message.hpp"
#include "parked.hpp"
#include "relays.hpp"
#include "rtt.hpp"
#include "selects.hpp"
#include "streams.hpp"
#include "tasks.hpp"

namespace bench {

struct kind {
    std::string_view name;
    std::optional<std::size_t> capacity; // None: as many as there are messages.
    std::string shapes;
};

inline const kind kinds[] = {
    {"unbounded", 0,
     "seq hot spsc mpsc2 mpsc4 mpsc8 mpsc16 rtt oneshot clone parked queued idle burst spsc_64 spsc_512 spsc_4096 "
     "mpsc4_box select_rx select_both forkjoin4 ready10 ready100 ready1000 ready10000"},
    {"boundedN", {}, "seq spsc mpsc4 select_rx select_both"},
    {"bounded1024", 1024, "hot spsc mpsc2 mpsc4 mpsc8 mpsc16 rtt parked spsc_64 spsc_512 spsc_4096"},
    {"bounded64", 64, "spsc mpsc4 mpsc16_box pool4 task1 task2 to_task"},
    {"bounded1", 1, "spsc mpsc4 mpsc16 mpsc4_box rtt chain4 oneshot parked idle task1 task2 to_task waiting"},
    {"bounded0", 0, "spsc mpsc4 mpsc16 rtt parked select_rx select_both"},
};

template <class Channel>
workload find_task(std::string_view shape) {
    static const struct {
        std::string_view shape;
        workload run;
    } tasks[] = {
        {"task1", task1<Channel>},
        {"task2", receiving_task<Channel, true>},
        {"to_task", receiving_task<Channel, false>},
        {"waiting", waiting<Channel>},
    };
    for (const auto& known : tasks) {
        if (known.shape == shape) {
            return known.run;
        }
    }
    return nullptr;
}

template <template <class> class Channel>
workload find_workload(std::string_view shape) {
    using plain = Channel<number>;
    static const struct {
        std::string_view shape;
        workload run;
    } workloads[] = {
        {"seq", seq<plain>},
        {"hot", hot<plain>},
        {"spsc", stream<plain, 1>},
        {"mpsc2", stream<plain, 2>},
        {"mpsc4", stream<plain, 4>},
        {"mpsc8", stream<plain, 8>},
        {"mpsc16", stream<plain, 16>},
        {"rtt", rtt<plain>},
        {"chain4", chain<plain, 4>},
        {"oneshot", oneshot<plain>},
        {"parked", parked<plain>},
        {"queued", queued<plain>},
        {"idle", idle<plain>},
        {"burst", burst<plain>},
        {"spsc_64", stream<Channel<message<64>>, 1>},
        {"spsc_512", stream<Channel<message<512>>, 1>},
        {"spsc_4096", stream<Channel<message<4096>>, 1>},
    };
    for (const auto& known : workloads) {
        if (known.shape == shape) {
            return known.run;
        }
    }
    // Not where the channel for these is another one.
    if constexpr (requires { typename Channel<boxed>::value_type; }) {
        if (shape == "mpsc4_box") {
            return stream<Channel<boxed>, 4>;
        }
        if (shape == "mpsc16_box") {
            return stream<Channel<boxed>, 16>;
        }
    }
    if constexpr (plain::has_senders) {
        if (shape == "clone") {
            return clone<plain>;
        }
    }
    if constexpr (requires(decltype(plain::make(0)) ends) { plain::send(ends.tx, number()); }) {
        if (shape == "pool4") {
            return pool<plain, 4>;
        }
        if (shape == "forkjoin4") {
            return forkjoin<plain, 4>;
        }
    }
    if constexpr (requires { typename plain::set; }) {
        static const struct {
            std::string_view shape;
            workload run;
        } selects[] = {
            {"select_rx", select_stream<plain, false>},
            {"select_both", select_stream<plain, true>},
            {"ready10", ready<plain, 10>},
            {"ready100", ready<plain, 100>},
            {"ready1000", ready<plain, 1000>},
            {"ready10000", ready<plain, 10000>},
        };
        for (const auto& known : selects) {
            if (known.shape == shape) {
                return known.run;
            }
        }
    }
    if constexpr (requires { typename plain::has_tasks; }) {
        return find_task<plain>(shape);
    }
    return nullptr;
}

// All scenarios of one kind that are found.
inline void offer_found(program& peer, std::string_view name, workload (*find)(std::string_view shape)) {
    for (const kind& known : kinds) {
        if (known.name != name) {
            continue;
        }
        std::istringstream shapes(known.shapes);
        for (std::string shape; shapes >> shape;) {
            if (const workload run = find(shape)) {
                peer.add({std::string(name) + '_' + shape, run, known.capacity});
            }
        }
        return;
    }
    throw std::invalid_argument("no such kind: " + std::string(name));
}

// All that a channel can do.
template <template <class> class Channel>
void offer(program& peer, std::string_view name) {
    offer_found(peer, name, find_workload<Channel>);
}

// Only those where coroutines wait.
template <class Channel>
void offer_tasks(program& peer, std::string_view name) {
    offer_found(peer, name, find_task<Channel>);
}

} // namespace bench

#endif
