// SPDX-License-Identifier: BSL-1.0
//
// Who wants to be told that a channel was closed, and of nothing else.
//
// No wake is lost: a watcher raises `is_watched_` and then looks whether the channel is closed; who closes it marks it closed,
// and then looks at that. All four are seq_cst: one of the two sees what the other did. Who closed it and sees the flag
// finds the watcher by the lock.
#ifndef WEIR_DETAIL_WAIT_CLOSE_WATCH_HPP
#define WEIR_DETAIL_WAIT_CLOSE_WATCH_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/wait_list.hpp>

namespace weir::detail {

class close_watch {
public:
    void enrol(waiter& node) noexcept {
        lock_.lock();
        list_.push_back(node);
        lock_.unlock();
        is_watched_.store(true, memory_order_seq_cst); // pairs with tell()
    }
    void withdraw(waiter& node) noexcept {
        lock_.lock();
        list_.remove(node);
        lock_.unlock();
    }

    // Who closed the channel, by a seq_cst operation that a watcher's look pairs with.
    void tell() noexcept {
        if (!is_watched_.load(memory_order_seq_cst)) { // pairs with enrol()
            return;
        }
        wait_list claimed;
        lock_.lock();
        list_.pop_all_claimed(claimed);
        lock_.unlock();
        claimed.finish_all(answer::retry);
    }

private:
    atomic<bool> is_watched_{false};
    debt_lock lock_;
    wait_list list_;
};

} // namespace weir::detail

#endif
