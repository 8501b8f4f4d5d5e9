// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: Relacy's own.
#ifndef WEIR_DETAIL_PLATFORM_MUTEX_HPP
#define WEIR_DETAIL_PLATFORM_MUTEX_HPP

#include <weir/detail/platform/clock.hpp>

#include <mutex>

namespace weir::detail {

class mutex {
public:
    void lock() noexcept { mutex_.lock(model::execution::info(model::where::current())); }
    void unlock() noexcept { mutex_.unlock(model::execution::info(model::where::current())); }

private:
    friend class condition_variable;
    rl::mutex mutex_;
};

class condition_variable {
public:
    condition_variable() noexcept { variable_.init(rl::ctx().is_random_sched(), here()); }
    ~condition_variable() { variable_.deinit(here()); }
    condition_variable(const condition_variable&) = delete;
    condition_variable& operator=(const condition_variable&) = delete;

    void wait(std::unique_lock<mutex>& lock) noexcept { sleep(lock, false); }
    void wait_until(std::unique_lock<mutex>& lock, steady_clock::time_point) noexcept { sleep(lock, true); }
    void notify_one() noexcept { variable_.notify_one(here()); }

private:
    struct tag;

    static rl::debug_info here() noexcept { return model::execution::info(model::where::current()); }

    void sleep(std::unique_lock<mutex>& lock, bool timed) noexcept {
        ++model::seen.parked;
        const rl::sema_wakeup_reason why = variable_.wait(lock.mutex()->mutex_, timed, here());
        model::seen.woken += why == rl::sema_wakeup_reason_success ? 1 : 0;
        if (why == rl::sema_wakeup_reason_timeout) {
            ++model::seen.timed_out;
            steady_clock::pass();
        }
    }

    rl::condvar<tag> variable_;
};

} // namespace weir::detail

#endif
