// SPDX-License-Identifier: BSL-1.0
//
// What people write by hand: a deque, a mutex, a condition variable; a second one where there is a capacity. Nobody is
// notified under the lock. Handles share the state; nothing is said when the other side has gone.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"

namespace {

template <class T>
class unbounded_queue {
public:
    explicit unbounded_queue(std::size_t) {}

    void push(T value) {
        {
            const std::lock_guard lock(mutex_);
            values_.push_back(std::move(value));
        }
        filled_.notify_one();
    }

    T pop() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !values_.empty(); });
        T value = std::move(values_.front());
        values_.pop_front();
        return value;
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<T> values_;
};

template <class T>
class bounded_queue {
public:
    explicit bounded_queue(std::size_t capacity) : capacity_(capacity) {}

    void push(T value) {
        {
            std::unique_lock lock(mutex_);
            drained_.wait(lock, [this] { return values_.size() < capacity_; });
            values_.push_back(std::move(value));
        }
        filled_.notify_one();
    }

    T pop() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !values_.empty(); });
        T value = std::move(values_.front());
        values_.pop_front();
        lock.unlock();
        drained_.notify_one();
        return value;
    }

private:
    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable filled_;
    std::condition_variable drained_;
    std::deque<T> values_;
};

template <class Queue>
struct handles {
    std::shared_ptr<Queue> tx;
    std::shared_ptr<Queue> rx;
};

template <class Channel, template <class> class Queue, class T>
struct adapter : bench::loops<Channel> {
    using value_type = T;
    static constexpr bool has_senders = true;

    static handles<Queue<T>> make(std::size_t capacity) {
        auto queue = std::make_shared<Queue<T>>(capacity);
        return {queue, queue};
    }
    static void send(auto& tx, bench::number n) { tx->push(bench::make_message<T>(n)); }
    static bench::number receive(auto& rx) { return bench::value_of(rx->pop()); }
};

template <class T>
struct unbounded : adapter<unbounded<T>, unbounded_queue, T> {};

template <class T>
struct bounded : adapter<bounded<T>, bounded_queue, T> {};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("mutex_deque", PEER_VERSION, "blocking");
    bench::offer<unbounded>(peer, "unbounded");
    for (const char* kind : {"boundedN", "bounded1024", "bounded64", "bounded1"}) {
        bench::offer<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
