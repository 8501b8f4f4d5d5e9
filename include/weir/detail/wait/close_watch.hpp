// SPDX-License-Identifier: BSL-1.0
//
// Who wants to be told that a channel was closed, and of nothing else.
//
// No wake is lost: a watcher raises `watched` and then looks whether the channel is closed; who closed it then raises
// `told`. Both are read-modify-writes of one word. A watcher that comes second sees the closed channel; who closed it and
// comes second sees the flag, and finds the watcher by the lock.
#ifndef WEIR_DETAIL_WAIT_CLOSE_WATCH_HPP
#define WEIR_DETAIL_WAIT_CLOSE_WATCH_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/wait_list.hpp>

#include <cstdint>

namespace weir::detail {

class close_watch {
public:
    void enrol(waiter& node) noexcept {
        lock_.lock();
        list_.push_back(node);
        lock_.unlock();
        state_.fetch_or(watched, memory_order_acquire); // pairs with tell()
    }
    void withdraw(waiter& node) noexcept {
        lock_.lock();
        list_.remove(node);
        lock_.unlock();
    }

    // Who closed the channel, once that is visible.
    void tell() noexcept {
        if ((state_.fetch_or(told, memory_order_release) & watched) == 0) { // pairs with enrol()
            return;
        }
        wait_list claimed;
        lock_.lock();
        list_.pop_all_claimed(claimed);
        lock_.unlock();
        claimed.finish_all(answer::retry);
    }

private:
    static constexpr std::uint32_t watched = 1;
    static constexpr std::uint32_t told = 2;

    atomic<std::uint32_t> state_{0};
    debt_lock lock_;
    wait_list list_;
};

} // namespace weir::detail

#endif
