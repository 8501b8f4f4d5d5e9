// SPDX-License-Identifier: BSL-1.0
//
// A place where one thread sleeps until another puts a token there: on a mutex and a condition variable.
#ifndef WEIR_DETAIL_WAIT_PORTABLE_PARKER_HPP
#define WEIR_DETAIL_WAIT_PORTABLE_PARKER_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/platform/mutex.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/deadline.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>

namespace weir::detail {

class portable_parker {
public:
    // Owner only. Sleeps until there is a token, and takes it; false when the deadline came first.
    bool park(deadline until) noexcept {
        completions::run_before_sleep();
        std::unique_lock lock(mutex_);
        while (!token_.load(memory_order_relaxed)) {
            WEIR_POINT("parker.sleep");
            if (until.is_never()) {
                put_.wait(lock);
            } else if (until.has_passed()) {
                return false;
            } else {
                // In steps, since a far time does not fit the system's own everywhere.
                put_.wait_until(lock, std::min(until.time(), deadline::clock::now() + longest_step));
            }
        }
        token_.store(false, memory_order_relaxed);
        return true;
    }

    // Owner only. Whether a park would return at once; what came before the unpark is then visible.
    bool has_token() const noexcept { return token_.load(memory_order_acquire); }

    // Any thread. Puts a token and wakes the sleeper. The owner must not let the parker go before it has parked once
    // more and taken that token: it does so under the mutex, that is after this call has let go of everything.
    void unpark() noexcept {
        const std::lock_guard lock(mutex_);
        token_.store(true, memory_order_release); // release, pairs with has_token
        WEIR_POINT("parker.wake");
        put_.notify_one();
    }

    // The same where others put tokens too.
    void unpark_beside_others() noexcept { unpark(); }

private:
    static constexpr std::chrono::hours longest_step{1};

    mutex mutex_;
    condition_variable put_;
    atomic<bool> token_{false};
};

} // namespace weir::detail

#endif
