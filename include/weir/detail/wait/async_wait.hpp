// SPDX-License-Identifier: BSL-1.0
//
// A waiter without a thread of its own: who ends the wait goes on for it.
//
// Whoever took the claim calls finish() as for any waiter, and that puts the wait into the thread's queue
// (completions.hpp). From there it is *settled*: either it is over, and handed on to its owner, or what it was told of has
// gone, and it enrols again. The owner may go at any moment; cancel() makes the wait its own again.
//
// state_
//   held     a thread has the wait to itself: it enrols or settles it
//   told     the claim was taken, and finish() was called: the answer is there, and has not been settled
//   leaving  the owner goes, and waits to be told that nobody touches the wait any more
//   handed   the wait is over and was handed on
//
// Who goes on, by what it finds when it sets its bit:
//   finish    held: nothing, the holder will see the answer.  leaving: it tells the owner.  Else it queues the wait.
//   holder    when it lets go: told: it settles.  leaving: see below.  Else the wait goes on.
//   owner     handed: nothing to do.  held: the holder tells it.  told: it takes the wait out of the queue; if it is not there,
//             who is on the way to put it there, or has taken it out, will see `leaving` and tell it. Else the claim decides:
//             the owner takes it, or who took it tells it in finish(). Then it withdraws.
// A holder that finds the owner leaving does the same: if there is an answer it tells the owner; else it takes the claim
// and tells; or somebody else took the claim, and tells in finish(). So the owner is told exactly once.
#ifndef WEIR_DETAIL_WAIT_ASYNC_WAIT_HPP
#define WEIR_DETAIL_WAIT_ASYNC_WAIT_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <cstdint>
#include <optional>

namespace weir::detail {

class async_wait : public completion {
public:
    // Its message is made where it is served. A slot claimed for it would stay empty until its owner goes on, which may
    // be late, or never.
    service asks_for() const noexcept final { return service::make; }

    void finish(answer outcome) noexcept final {
        WEIR_POINT("async.finish");
        outcome_ = outcome; // read by who settles it
        completions::aim(*this);
        // acq_rel: pairs with let_go, cancel, run
        const std::uint32_t seen = state_.fetch_or(told, memory_order_acq_rel);
        WEIR_POINT("async.told");
        if ((seen & held) != 0) {
            return;
        }
        const auto is_leaving = [this]() noexcept {
            return (state_.load(memory_order_acquire) & leaving) != 0; // pairs with cancel
        };
        if ((seen & leaving) != 0 || !completions::push(*this, is_leaving)) {
            tell_owner();
        }
    }

protected:
    async_wait() noexcept : completion(claim_) {}
    ~async_wait() = default;

    // The owner. Begins to wait; from now on the wait may be handed on at any moment, by any thread, and be gone when this
    // returns true. False: it is over already, and not handed on.
    bool begin() noexcept {
        state_.store(held, memory_order_relaxed); // published by the lock of the list it enters
        return goes_on(false);
    }

    // The owner goes, though it was not handed on. Afterwards nobody touches the wait any more. The answer that it was given
    // and that has not been settled, if any.
    std::optional<answer> cancel() noexcept {
        parker place;
        leaver_ = &place; // read by who sees `leaving`
        // acq_rel: pairs with finish, let_go, run, hand_over
        const std::uint32_t seen = state_.fetch_or(leaving, memory_order_acq_rel);
        WEIR_POINT("async.leaving");
        if ((seen & handed) != 0) {
            return std::nullopt;
        }
        const bool is_mine = (seen & held) == 0 && ((seen & told) != 0 ? completions::remove(*this) : take());
        if (!is_mine) {
            place.park(deadline::never());
        }
        withdraw();
        // relaxed: who told this thread did so after it, through the parker
        const bool is_answered = (state_.load(memory_order_relaxed) & told) != 0;
        if (!is_answered) {
            return std::nullopt;
        }
        const answer unsettled = outcome_;
        return unsettled;
    }

    // The owner, after cancel().
    bool was_handed_on() const noexcept { return (state_.load(memory_order_relaxed) & handed) != 0; }

    // Who settled the wait, before it hands it on and where the owner may go meanwhile. False: it goes, the wait must not be
    // touched any more.
    bool hand_over() noexcept {
        std::uint32_t seen = held;
        // release, on failure acquire: pairs with cancel. It succeeds from what this thread wrote itself
        if (state_.compare_exchange_strong(seen, handed, memory_order_release, memory_order_acquire)) {
            return true;
        }
        tell_owner();
        return false;
    }

    // What a wait is: called by one thread at a time, which has it to itself.

    // `keeps_turn`: it was told to look again, from the front.
    virtual enrolment enrol(bool keeps_turn) noexcept = 0;
    virtual void withdraw() noexcept = 0;
    // After an answer, and with `retry` where enrolling found the side ready, `served` where it met a peer. Whether the wait is
    // over; else it enrols again. A server has unlinked it; whoever else took the claim has not.
    virtual bool settle(answer outcome) noexcept = 0;
    // It is over: the owner is to go on. The last touch.
    virtual void hand_on() noexcept = 0;

private:
    static constexpr std::uint32_t held = 1;
    static constexpr std::uint32_t told = 2;
    static constexpr std::uint32_t leaving = 4;
    static constexpr std::uint32_t handed = 8;

    // Of a wait that is held. True: nothing of it may be touched any more, since it goes on or its owner has gone.
    bool goes_on(bool is_answered) noexcept {
        for (;; is_answered = false) {
            answer outcome = answer::retry;
            if (!is_answered) {
                claim_.reopen();
                const enrolment entered = enrol(keeps_turn_);
                WEIR_POINT("async.enrolled");
                if (entered == enrolment::waits) {
                    if (let_go()) {
                        return true;
                    }
                    is_answered = true;
                } else {
                    withdraw();
                    outcome = entered == enrolment::met ? answer::served : answer::retry;
                }
            }
            if (is_answered) {
                state_.fetch_and(~told, memory_order_relaxed); // of this thread's own
                outcome = outcome_;
                keeps_turn_ = true;
            }
            if (settle(outcome)) {
                return false;
            }
        }
    }

    // After enrolling. False: the answer is there already.
    bool let_go() noexcept {
        for (std::uint32_t seen = held;;) {
            if ((seen & told) != 0 && (seen & leaving) == 0) {
                return false;
            }
            if ((seen & told) != 0 || ((seen & leaving) != 0 && take())) {
                tell_owner();
                return true;
            }
            // release, on failure acquire: pairs with finish and cancel. After it nothing is touched
            if (state_.compare_exchange_weak(seen, seen & ~held, memory_order_release, memory_order_acquire)) {
                return true;
            }
        }
    }

    void run() noexcept final {
        WEIR_POINT("async.run");
        // acquire: pairs with cancel. Who sees `held` waits to be told, by the holder, through the parker
        if ((state_.fetch_or(held, memory_order_acquire) & leaving) != 0) {
            tell_owner();
        } else if (!goes_on(true)) {
            hand_on();
        }
    }

    void tell_owner() noexcept {
        WEIR_POINT("async.tell");
        leaver_->unpark();
    }

    plain<parker*> leaver_ = nullptr;
    atomic<std::uint32_t> state_{0};
    claim_word claim_;
    plain<answer> outcome_ = answer::retry;
    plain<bool> keeps_turn_ = false;
};

} // namespace weir::detail

#endif
