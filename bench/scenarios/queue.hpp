// SPDX-License-Identifier: BSL-1.0
//
// The two ends of a plain queue, which has no handles: the receiver owns it, and the threads that send outlive neither.
#ifndef BENCH_SCENARIOS_QUEUE_HPP
#define BENCH_SCENARIOS_QUEUE_HPP

#include <memory>
#include <utility>

namespace bench {

template <class Queue>
struct queue_ends {
    Queue* tx;
    std::unique_ptr<Queue> rx;
};

template <class Queue, class... Args>
queue_ends<Queue> make_queue(Args&&... args) {
    auto made = std::make_unique<Queue>(std::forward<Args>(args)...);
    return {made.get(), std::move(made)};
}

} // namespace bench

#endif
