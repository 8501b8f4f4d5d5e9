// SPDX-License-Identifier: BSL-1.0
//
// Waits that are over, and whose owner goes on on the thread that ended them: but not in the middle of what it does there.
//
// Who takes a claim may be deep inside a channel. So it only puts the wait into a queue of its thread. The thread's
// outermost call runs the queue as its last step, and who parks runs it before it sleeps. What is run there may end
// further waits; these queue up behind it, so that a chain of any length takes no more stack than one.
//
// A program that has no such waits pays for one look at a flag of the thread, where a call has told somebody something.
//
// A wait may be taken out by any thread, when its owner goes. Therefore a queue has a lock. It is one of a few that are
// there for ever, since the thread of the queue may have ended when another still looks for its wait there.
#ifndef WEIR_DETAIL_WAIT_COMPLETIONS_HPP
#define WEIR_DETAIL_WAIT_COMPLETIONS_HPP

#include <weir/detail/nested_drop.hpp>
#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/storage.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/striped.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace weir::detail {

// A waiter whose wait is over when it is queued.
class completion : public waiter {
public:
    using waiter::waiter;

    // From the queue, in which it is no longer.
    virtual void run() noexcept = 0;

protected:
    ~completion() = default;

private:
    friend class completions;

    struct queue {
        completion* first = nullptr;
        completion* last = nullptr;
        // The thread's own.
        int runs = 0;            // and holds
        bool is_pending = false; // there may be something
    };

    queue* queue_ = nullptr; // where it is, or will be
    // Under that queue's lock.
    completion* previous_ = this; // where it is in no queue
    completion* next_ = nullptr;
};

class completions {
public:
    // The last step of a call that may have ended waits. Nothing inside another call: that one does it.
    WEIR_INLINE static void run() noexcept {
        if (here().is_pending) [[unlikely]] {
            run_outermost();
        }
    }

    // While one lives nothing is run but before a sleep.
    class hold {
    public:
        hold() noexcept { ++here().runs; }
        hold(const hold&) = delete;
        hold& operator=(const hold&) = delete;
        ~hold() { --here().runs; }
    };

    // A call with more than one step that may end waits.
    class call {
    public:
        call() noexcept = default;
        call(const call&) = delete;
        call& operator=(const call&) = delete;
        ~call() {
            held_.reset();
            run();
        }

    private:
        std::optional<hold> held_{std::in_place};
    };

    // Before this thread sleeps, wherever it is.
    WEIR_INLINE static void run_before_sleep() noexcept {
        if (here().is_pending) [[unlikely]] {
            run_all();
        }
    }

    // Which thread this is.
    static const void* thread() noexcept { return &here(); }

    // Before others can see that the wait is over: says where they will find it.
    static void aim(completion& over) noexcept { over.queue_ = &here(); }

    // After that. Unless is_gone(), which is asked under the lock: then false.
    template <class IsGone>
    static bool push(completion& over, IsGone is_gone) noexcept {
        queue& to = here();
        debt_lock& lock = lock_of(&to);
        lock.lock();
        const bool is_pushed = !is_gone();
        if (is_pushed) {
            over.previous_ = to.last;
            over.next_ = nullptr;
            (to.last != nullptr ? to.last->next_ : to.first) = &over;
            to.last = &over;
            to.is_pending = true;
        }
        lock.unlock();
        return is_pushed;
    }

    // Any thread, on a wait that was aimed. False: it is not in a queue, not yet or no longer.
    static bool remove(completion& over) noexcept {
        debt_lock& lock = lock_of(over.queue_);
        lock.lock();
        const bool is_queued = over.previous_ != &over;
        if (is_queued) {
            unlink(over);
        }
        lock.unlock();
        return is_queued;
    }

    // A few for all queues.
    using locks = striped<debt_lock>;

private:
    using queue = completion::queue;

    static queue& here() noexcept { return per_thread<queue>::here(); }

    // Reads nothing there: the thread may have ended.
    static debt_lock& lock_of(const queue* of) noexcept {
        constexpr std::size_t page = 4096; // threads' data lie as far apart as their stacks do
        return for_all<locks>::place().of<page>(of);
    }

    static void unlink(completion& over) noexcept {
        queue& from = *over.queue_;
        (over.previous_ != nullptr ? over.previous_->next_ : from.first) = over.next_;
        (over.next_ != nullptr ? over.next_->previous_ : from.last) = over.previous_;
        over.previous_ = &over;
    }

    static completion* pop() noexcept {
        queue& from = here();
        debt_lock& lock = lock_of(&from);
        lock.lock();
        completion* const first = from.first;
        if (first != nullptr) {
            unlink(*first);
        } else {
            from.is_pending = false;
        }
        lock.unlock();
        return first;
    }

    WEIR_NOINLINE static void run_outermost() noexcept {
        if (here().runs == 0 && !nested_drop::is_under_way()) {
            run_all();
        }
    }

    WEIR_NOINLINE static void run_all() noexcept {
        ++here().runs;
        while (completion* const next = pop()) {
            next->run();
        }
        --here().runs;
    }
};

} // namespace weir::detail

#endif
