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
#include <weir/detail/wait/debt_lock.hpp>

#include <cstddef>
#include <cstdint>

namespace weir::detail {

// A wait that is over.
class completion {
public:
    completion() noexcept = default;
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;

    // From the queue, in which it is no longer.
    virtual void run() noexcept = 0;

protected:
    ~completion() = default;

private:
    friend class completions;

    struct queue {
        completion* first;
        completion* last;
        // The thread's own.
        int runs;
        bool is_pending; // there may be something
    };

    // All under the lock, but for the choice of the lock.
    debt_lock* lock_ = nullptr;
    queue* queue_ = nullptr; // where it is, if anywhere
    completion* previous_ = nullptr;
    completion* next_ = nullptr;
};

class completions {
public:
    // The last step of a call that may have ended waits. Nothing inside another call: that one does it.
    WEIR_INLINE static void run() noexcept {
        if (here_.is_pending) [[unlikely]] {
            run_outermost();
        }
    }

    // The same for a call with more than one end.
    class run_at_end {
    public:
        run_at_end() noexcept = default;
        run_at_end(const run_at_end&) = delete;
        run_at_end& operator=(const run_at_end&) = delete;
        ~run_at_end() { run(); }
    };

    // Before this thread sleeps, wherever it is.
    WEIR_INLINE static void run_before_sleep() noexcept {
        if (here_.is_pending) [[unlikely]] {
            run_all();
        }
    }

    // Which thread this is.
    static const void* thread() noexcept { return &here_; }

    // Before others can see that the wait is over: says where they will find it.
    static void aim(completion& over) noexcept { over.lock_ = &lock_of(here_); }

    // After that. Unless is_gone(), which is asked under the lock: then false.
    template <class IsGone>
    static bool push(completion& over, IsGone is_gone) noexcept {
        over.lock_->lock();
        if (is_gone()) {
            unlock(*over.lock_);
            return false;
        }
        over.queue_ = &here_;
        over.previous_ = here_.last;
        over.next_ = nullptr;
        (here_.last != nullptr ? here_.last->next_ : here_.first) = &over;
        here_.last = &over;
        unlock(lock_of(here_));
        here_.is_pending = true;
        return true;
    }

    // Any thread, on a wait that was aimed. False: it is not in a queue, not yet or no longer.
    static bool remove(completion& over) noexcept {
        debt_lock& lock = *over.lock_;
        lock.lock();
        const bool is_queued = over.queue_ != nullptr;
        if (is_queued) {
            unlink(over);
        }
        unlock(lock);
        return is_queued;
    }

private:
    using queue = completion::queue;

    static constexpr std::size_t lock_count = 16;

    static debt_lock& lock_of(const queue& of) noexcept {
        static debt_lock locks[lock_count];  // constant initialised
        constexpr unsigned bits_shared = 12; // places of one thread's data lie as far apart as stacks do
        const auto address = reinterpret_cast<std::uintptr_t>(&of) >> bits_shared;
        return locks[(address ^ address / lock_count) % lock_count];
    }
    static void unlock(debt_lock& lock) noexcept { (void)lock.unlock_unless_owed(); } // nobody owes here

    static void unlink(completion& over) noexcept {
        queue& from = *over.queue_;
        (over.previous_ != nullptr ? over.previous_->next_ : from.first) = over.next_;
        (over.next_ != nullptr ? over.next_->previous_ : from.last) = over.previous_;
        over.queue_ = nullptr;
    }

    static completion* pop() noexcept {
        debt_lock& lock = lock_of(here_);
        lock.lock();
        completion* const first = here_.first;
        if (first != nullptr) {
            unlink(*first);
        } else {
            here_.is_pending = false;
        }
        unlock(lock);
        return first;
    }

    WEIR_NOINLINE static void run_outermost() noexcept {
        if (here_.runs == 0 && !nested_drop::is_under_way()) {
            run_all();
        }
    }

    WEIR_NOINLINE static void run_all() noexcept {
        ++here_.runs;
        while (completion* const next = pop()) {
            next->run();
        }
        --here_.runs;
    }

    // Constant initialised and trivially destroyed: usable at any time of a thread's life.
    static constinit inline thread_local queue here_{nullptr, nullptr, 0, false};
};

} // namespace weir::detail

#endif
