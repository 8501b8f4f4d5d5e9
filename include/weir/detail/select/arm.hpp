// SPDX-License-Identifier: BSL-1.0
//
// An arm of a select, as the select's state machine (select_core.hpp) sees it, and the one wait that arms share.
#ifndef WEIR_DETAIL_SELECT_ARM_HPP
#define WEIR_DETAIL_SELECT_ARM_HPP

#include <weir/detail/channel_base.hpp>
#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/spin.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <cstddef>

namespace weir::detail {

class select_arm;

// What all arms of one select share. Whoever takes the claim and is not the select's own thread tells which arm it is
// about, once.
class select_wait {
public:
    claim_word& claim() noexcept { return claim_; }

    // The select's thread, while no arm is enrolled.
    void reopen() noexcept {
        claim_.reopen();
        answered_ = nullptr;
    }

    // Who took the claim. The last touch.
    void tell(select_arm& which, answer outcome) noexcept {
        answered_ = &which; // both read by the select's thread after it took the token
        outcome_ = outcome;
        parker_.unpark();
    }

    // The select's thread.
    bool is_answered() const noexcept { return parker_.has_token(); }
    // False: the deadline came, and the claim is the select's own.
    bool await(deadline until, spin_policy& spin) noexcept {
        if (!spin.sleep(parker_, until)) {
            if (claim_.take()) {
                return false;
            }
            parker_.park(deadline::never()); // somebody serves an arm: the answer is on its way
        }
        return true;
    }
    select_arm* answered() const noexcept { return answered_; }
    answer outcome() const noexcept { return outcome_; }

private:
    claim_word claim_;
    plain<answer> outcome_ = answer::retry;
    plain<select_arm*> answered_ = nullptr;
    parker parker_;
};

class select_arm : public waiter {
public:
    // Completes the arm if that needs no wait: then its result is there. May throw until prepare() was called, with
    // nothing done.
    virtual bool attempt() = 0;
    // A cheap guess whether attempt() would succeed.
    virtual bool seems_ready() noexcept = 0;
    // Whether who looks at the other side does not see this arm before it is enrolled: the two could look in vain.
    virtual bool is_hidden() const noexcept { return false; }
    // Before the first wait: what may throw and can be done early.
    virtual void prepare() {}
    virtual enrolment enrol() noexcept = 0;
    virtual void withdraw() noexcept = 0;
    // After another's answer `served` or `granted`, or after meeting one: the arm has taken effect.
    virtual void complete(answer outcome) noexcept = 0;
    // It was told to look again, and another arm was chosen.
    virtual void pass_on() noexcept {}
    // When it becomes ready without being told.
    virtual deadline due() noexcept { return deadline::never(); }
    // The channel it receives from, if any.
    virtual channel_base* received() const noexcept { return nullptr; }
    // The channel whose end it is, if any.
    virtual const channel_base* end_of() const noexcept { return received(); }

    // Once a select, before the first enrol(). An arm may have been one of another select before.
    void join(select_wait& wait) noexcept {
        share(wait.claim());
        wait_ = &wait;
        keeps_turn_ = false;
    }
    // Somebody told it to look again, from the front.
    void keep_turn() noexcept { keeps_turn_ = true; }

    service asks_for() const noexcept override { return service::tell; }
    void make_at(void*) noexcept override {}
    void finish(answer outcome) noexcept final { wait_->tell(*this, outcome); }

protected:
    select_arm() noexcept = default;
    ~select_arm() = default;

    bool keeps_turn() const noexcept { return keeps_turn_; }

private:
    select_wait* wait_ = nullptr;
    bool keeps_turn_ = false;
};

} // namespace weir::detail

#endif
