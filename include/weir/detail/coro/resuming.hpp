// SPDX-License-Identifier: BSL-1.0
//
// How a coroutine goes on when its wait is over: on the thread that ended the wait, or through a scheduler.
#ifndef WEIR_DETAIL_CORO_RESUMING_HPP
#define WEIR_DETAIL_CORO_RESUMING_HPP

#include <weir/detail/platform/storage.hpp>
#include <weir/detail/wait/async_wait.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/striped.hpp>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::detail {

// A call of a scheduler that is in progress. The coroutine that it is about may go on meanwhile, elsewhere, and so the
// wait may be gone: who destroys the coroutine finds the call here.
class scheduler_call {
public:
    explicit scheduler_call(void* coroutine) noexcept : coroutine_(coroutine), bucket_(bucket_of(coroutine)) {
        bucket_.lock.lock();
        next_ = bucket_.first;
        if (next_ != nullptr) {
            next_->previous_ = this;
        }
        bucket_.first = this;
        bucket_.lock.unlock();
    }
    scheduler_call(const scheduler_call&) = delete;
    scheduler_call& operator=(const scheduler_call&) = delete;
    ~scheduler_call() {
        bucket_.lock.lock();
        (previous_ != nullptr ? previous_->next_ : bucket_.first) = next_;
        if (next_ != nullptr) {
            next_->previous_ = previous_;
        }
        parker* const waiting = waiting_;
        bucket_.lock.unlock();
        if (waiting != nullptr) {
            waiting->unpark();
        }
    }

    // Returns when no other thread is in a call about that coroutine.
    static void await_end(void* coroutine) noexcept {
        bucket& in = bucket_of(coroutine);
        for (;;) {
            parker place;
            in.lock.lock();
            scheduler_call* call = in.first;
            while (call != nullptr && (call->coroutine_ != coroutine || call->thread_ == completions::thread())) {
                call = call->next_;
            }
            if (call != nullptr) {
                call->waiting_ = &place;
            }
            in.lock.unlock();
            if (call == nullptr) {
                return;
            }
            place.park(deadline::never());
        }
    }

private:
    struct bucket {
        debt_lock lock;
        scheduler_call* first = nullptr;
    };

    static bucket& bucket_of(void* coroutine) noexcept {
        constexpr std::size_t frame = 64; // coroutines lie about so far apart, at least
        return for_all<striped<bucket>>::place().of<frame>(coroutine);
    }

    void* const coroutine_;
    bucket& bucket_;
    const void* const thread_ = completions::thread();
    parker* waiting_ = nullptr;
    scheduler_call* next_ = nullptr;
    scheduler_call* previous_ = nullptr;
};

// In the place of a scheduler: the coroutine goes on where its wait ended.
struct resume_here {};

// The wait of a coroutine. Who derives from it calls leave() first in its destructor.
template <class Scheduler>
class coroutine_wait : public async_wait {
protected:
    explicit coroutine_wait(Scheduler scheduler) : scheduler_(std::move(scheduler)) {}
    ~coroutine_wait() = default;

    // False: it need not. From a true return on nothing of this may be touched, nor anything else in the coroutine's frame:
    // where the caller is made inline, some compilers put its locals there.
    bool suspend(std::coroutine_handle<> coroutine) noexcept {
        coroutine_ = coroutine;
        is_suspended_ = true;
        return this->begin();
    }
    // It goes on. Whether it has waited.
    bool end_wait() noexcept { return std::exchange(is_suspended_, false); }

    // It is destroyed while it waits: afterwards nobody touches the wait, or calls the scheduler. The answer that has not
    // been settled, if any.
    std::optional<answer> leave() noexcept {
        const std::optional<answer> unsettled = this->cancel();
        if constexpr (has_scheduler) {
            scheduler_call::await_end(coroutine_.address());
        }
        return unsettled;
    }

private:
    static constexpr bool has_scheduler = !std::is_same_v<Scheduler, resume_here>;

    void hand_on() noexcept final {
        // The coroutine may go on before this returns, and the wait be gone.
        const std::coroutine_handle<> coroutine = coroutine_;
        if constexpr (has_scheduler) {
            const scheduler_call call(coroutine.address());
            const Scheduler scheduler(std::move(scheduler_));
            if (this->hand_over()) {
                WEIR_POINT("coro.schedule");
                scheduler(coroutine);
            }
        } else {
            coroutine.resume();
        }
    }

    std::coroutine_handle<> coroutine_;
    bool is_suspended_ = false;
    WEIR_NO_UNIQUE_ADDRESS Scheduler scheduler_;
};

} // namespace weir::detail

#endif
