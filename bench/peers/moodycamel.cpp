// SPDX-License-Identifier: BSL-1.0
//
// moodycamel::BlockingConcurrentQueue, which is unbounded. Each sender and the receiver have a token: that is the faster of
// its two ways.

#include <cstddef>
#include <memory>
#include <utility>

#include <blockingconcurrentqueue.h>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"

namespace {

template <class T>
using queue = moodycamel::BlockingConcurrentQueue<T>;

// The queue must outlive the tokens, so each end holds it.
template <class T>
struct sender {
    explicit sender(std::shared_ptr<queue<T>> of) : target(std::move(of)), token(*target) {}
    sender(const sender& other) : sender(other.target) {}
    sender(sender&&) = default;

    std::shared_ptr<queue<T>> target;
    moodycamel::ProducerToken token;
};

template <class T>
struct receiver {
    explicit receiver(std::shared_ptr<queue<T>> of) : source(std::move(of)), token(*source) {}

    std::shared_ptr<queue<T>> source;
    moodycamel::ConsumerToken token;
};

template <class T>
struct queue_ends {
    sender<T> tx;
    receiver<T> rx;
};

template <class T>
struct unbounded : bench::loops<unbounded<T>> {
    using value_type = T;
    static constexpr bool has_senders = false; // A token is a producer of its own, no handle to copy.

    static queue_ends<T> make(std::size_t) {
        auto made = std::make_shared<queue<T>>();
        return {sender<T>(made), receiver<T>(made)};
    }

    static void send(sender<T>& tx, bench::number n) { tx.target->enqueue(tx.token, bench::make_message<T>(n)); }

    static bench::number receive(receiver<T>& rx) {
        T value;
        bench::leave_blank(value);
        rx.source->wait_dequeue(rx.token, value);
        return bench::value_of(value);
    }
};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("moodycamel", PEER_VERSION, "blocking");
    bench::offer<unbounded>(peer, "unbounded");
    return peer.main(argc, argv);
}
