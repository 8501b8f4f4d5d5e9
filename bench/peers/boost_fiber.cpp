// SPDX-License-Identifier: BSL-1.0
//
// Boost.Fiber's channels between threads, each of which runs one fiber.
//
// buffered_channel wants a power of two of slots, at least 2, one of which stays empty: with N slots N - 1 messages fit.
// A capacity that is a power of two gets as many slots, and so one message less; that is nearer to what was asked than
// twice the slots are. For a capacity of 1, and where all messages must fit, there are slots enough.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>

#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <boost/version.hpp>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"
#include "../scenarios/queue.hpp"

namespace {

template <class Channel, class T>
struct adapter : bench::loops<Channel> {
    using value_type = T;
    static constexpr bool has_senders = false;

    static void send(auto& tx, bench::number n) { tx->push(bench::make_message<T>(n)); }
    static bench::number receive(auto& rx) { return bench::value_of(rx->value_pop()); }
};

template <class T>
struct bounded : adapter<bounded<T>, T> {
    static auto make(std::size_t capacity) {
        return bench::make_queue<boost::fibers::buffered_channel<T>>(std::max<std::size_t>(std::bit_ceil(capacity), 2));
    }
};

template <class T>
struct bounded_by_all : adapter<bounded_by_all<T>, T> {
    static auto make(std::size_t capacity) {
        return bench::make_queue<boost::fibers::buffered_channel<T>>(std::bit_ceil(capacity + 1));
    }
};

template <class T>
struct rendezvous : adapter<rendezvous<T>, T> {
    static auto make(std::size_t) { return bench::make_queue<boost::fibers::unbuffered_channel<T>>(); }
};

std::string version() {
    return std::to_string(BOOST_VERSION / 100'000) + '.' + std::to_string(BOOST_VERSION / 100 % 1'000) + '.' +
           std::to_string(BOOST_VERSION % 100);
}

} // namespace

int main(int argc, char** argv) {
    bench::program peer("boost_fiber", version(), "tasks");
    bench::offer<bounded_by_all>(peer, "boundedN");
    for (const char* kind : {"bounded1024", "bounded64", "bounded1"}) {
        bench::offer<bounded>(peer, kind);
    }
    bench::offer<rendezvous>(peer, "bounded0");
    return peer.main(argc, argv);
}
