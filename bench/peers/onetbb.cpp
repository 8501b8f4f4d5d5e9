// SPDX-License-Identifier: BSL-1.0
//
// tbb::concurrent_bounded_queue, which is unbounded until it is given a capacity. A capacity of 0 is no rendezvous: there,
// it would keep all senders waiting.

#include <cstddef>

#include <oneapi/tbb/concurrent_queue.h>
#include <oneapi/tbb/version.h>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"
#include "../scenarios/queue.hpp"

namespace {

template <class Channel, class T>
struct adapter : bench::loops<Channel> {
    using value_type = T;
    using queue = tbb::concurrent_bounded_queue<T>;
    static constexpr bool has_senders = false;

    static void send(auto& tx, bench::number n) { tx->push(bench::make_message<T>(n)); }

    static bench::number receive(auto& rx) {
        T value;
        bench::leave_blank(value);
        rx->pop(value);
        return bench::value_of(value);
    }
};

template <class T>
struct unbounded : adapter<unbounded<T>, T> {
    static auto make(std::size_t) { return bench::make_queue<typename unbounded::queue>(); }
};

template <class T>
struct bounded : adapter<bounded<T>, T> {
    static auto make(std::size_t capacity) {
        auto ends = bench::make_queue<typename bounded::queue>();
        ends.rx->set_capacity(static_cast<std::ptrdiff_t>(capacity));
        return ends;
    }
};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("onetbb", TBB_VERSION_STRING, "blocking");
    bench::offer<unbounded>(peer, "unbounded");
    for (const char* kind : {"boundedN", "bounded1024", "bounded64", "bounded1"}) {
        bench::offer<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
