// SPDX-License-Identifier: BSL-1.0
//
// atomic_queue's blocking push and pop, which spin. Where the capacity is known when the program runs, the queue has no
// fewer than 64 slots for numbers and 4096 for anything else, so bounded1 is left out, and structures go through the queue
// whose capacity is known to the compiler: 1024, so bounded64 has numbers only.

#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>

#include <atomic_queue/atomic_queue.h>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"
#include "../scenarios/queue.hpp"

namespace {

// The value that marks an empty slot; nobody sends it.
constexpr bench::number nil = std::numeric_limits<bench::number>::max();

using queue_of_numbers = atomic_queue::AtomicQueueB<bench::number, std::allocator<bench::number>, nil>;

template <class T>
struct bounded : bench::loops<bounded<T>> {
    using value_type = T;
    static constexpr bool has_senders = false;

    static auto make(std::size_t capacity) {
        if constexpr (std::is_same_v<T, bench::number>) {
            return bench::make_queue<queue_of_numbers>(static_cast<unsigned>(capacity));
        } else {
            return bench::make_queue<atomic_queue::AtomicQueue2<T, 1024>>();
        }
    }

    static void send(auto& tx, bench::number n) { tx->push(bench::make_message<T>(n)); }
    static bench::number receive(auto& rx) { return bench::value_of(rx->pop()); }
};

// Never defined.
template <>
struct bounded<bench::boxed>;

} // namespace

int main(int argc, char** argv) {
    bench::program peer("atomic_queue", PEER_VERSION, "spin");
    for (const char* kind : {"boundedN", "bounded1024", "bounded64"}) {
        bench::offer<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
