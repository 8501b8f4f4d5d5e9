// SPDX-License-Identifier: BSL-1.0
//
// A select's state machine: exactly one of several arms takes effect.
//
// The passes
//  1  Try each arm, in random order or as written. The first that is ready takes effect.
//  2  Look for a while, as every wait does; but where an arm is hidden, after 3.
//  3  Enrol all arms, with one claim. Enrolling an arm includes a look whether it is ready. The first is that where this
//     thread's last select took effect, if there is a choice; where it helped lately, wait there for a moment before
//     the others are enrolled, which all have to be withdrawn again.
//  4  Park, until somebody took the claim and tells, or until the deadline.
//  5  Withdraw all arms; what another has served, granted or met has taken effect. Else go to 1 with a new claim.
//
// What must hold
//  I1  While the claim is open the select's thread takes nothing out of a channel and puts nothing in.
//  I2  While it is not enrolled nobody can serve it. So of several selects that find one another each either serves or
//      can be served, never both at once; a meeting of two that are both enrolled takes both claims (wait_list::meet).
//  I3  Who was told of room or of a receiver and then took another arm passes it on: somebody else may wait for it.
//  I4  Nobody touches an arm after its withdrawal.
#ifndef WEIR_DETAIL_SELECT_SELECT_CORE_HPP
#define WEIR_DETAIL_SELECT_SELECT_CORE_HPP

#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/select/arm.hpp>
#include <weir/detail/select/random.hpp>
#include <weir/detail/wait/effort.hpp>
#include <weir/detail/wait/spin.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace weir::detail {

// What a thread has learnt from its selects.
struct select_lessons {
    spin_policy spin{1};
    std::uint64_t selects = 0;
    const channel_base* last = nullptr; // where one took effect; only compared
    effort first;                       // to wait there before the other arms are enrolled
};

class select_core {
public:
    // `arms` will be permuted.
    select_core(std::span<select_arm*> arms, bool is_biased) noexcept : arms_(arms), is_biased_(is_biased) {}

    // The arm that took effect; null where the deadline came first. What trying an arm throws passes through, with
    // nothing done.
    select_arm* run(deadline until) {
        ++learnt_.selects;
        if (select_arm* const ready = try_all()) {
            return ready;
        }
        if (until.has_passed()) {
            return until == deadline::passed() ? nullptr : try_all(); // one may have become ready in time meanwhile
        }
        if (!std::exchange(has_joined_, true)) {
            for (select_arm* const arm : arms_) {
                arm->join(wait_);
            }
        }
        for (select_arm* const arm : arms_) {
            arm->prepare(); // from here on nothing throws
        }
        select_arm* const chosen = wait_for_one(until);
        learnt_.last = chosen != nullptr ? chosen->end_of() : nullptr;
        return chosen;
    }

private:
    WEIR_NOINLINE select_arm* wait_for_one(deadline until) noexcept {
        select_arm* ready = nullptr;
        const auto seems_ready = [this]() noexcept {
            return std::any_of(arms_.begin(), arms_.end(), [](select_arm* arm) { return arm->seems_ready(); });
        };
        if (!is_hidden() &&
            learnt_.spin.look(learnt_.selects, seems_ready,
                              [&]() noexcept { return (ready = try_all()) != nullptr; })) {
            return ready;
        }
        for (;;) {
            select_arm* told = nullptr;
            if ((ready = enrolled_wait(until, told)) != nullptr) {
                return ready;
            }
            const bool in_time = !until.has_passed(); // before the look, which finds all that came before
            ready = try_all();
            if (ready != nullptr) {
                if (told != nullptr && told != ready) {
                    told->pass_on();
                }
                return ready;
            }
            if (!in_time) {
                return nullptr;
            }
        }
    }

    bool is_hidden() const noexcept {
        return std::any_of(arms_.begin(), arms_.end(), [](select_arm* arm) { return arm->is_hidden(); });
    }

    select_arm* try_all() {
        for (std::size_t i = 0; i < arms_.size(); ++i) {
            if (!is_biased_) {
                std::swap(arms_[i], arms_[i + fair_choice::below(arms_.size() - i)]);
            }
            if (arms_[i]->attempt()) {
                return arms_[i];
            }
        }
        return nullptr;
    }

    static bool is_last(const select_arm* arm) noexcept {
        return learnt_.last != nullptr && arm->end_of() == learnt_.last;
    }

    void put_last_first() noexcept {
        if (is_biased_ || !can_spin()) {
            return;
        }
        if (const auto found = std::find_if(arms_.begin(), arms_.end(), is_last); found != arms_.end()) {
            std::iter_swap(arms_.begin(), found);
        }
    }

    // For half a microsecond.
    void wait_at_first() noexcept {
        if (!learnt_.first.is_due()) {
            return;
        }
        for (int left = pauses_per_microsecond() / 2; left > 0 && !wait_.is_answered(); --left) {
            pause();
        }
        wait_.is_answered() ? learnt_.first.help() : learnt_.first.fail();
    }

    // Passes 3 to 5. Null where all are to be tried again; `told`: the arm that somebody said so of.
    select_arm* enrolled_wait(deadline until, select_arm*& told) noexcept {
        wait_.reopen();
        put_last_first();
        std::size_t count = 0;
        enrolment last = enrolment::waits;
        for (; count < arms_.size() && last == enrolment::waits && !wait_.is_answered(); ++count) {
            until = std::min(until, arms_[count]->due());
            last = arms_[count]->enrol();
            if (count == 0 && last == enrolment::waits && is_last(arms_[0]) && can_spin()) {
                wait_at_first();
            }
        }
        select_arm* chosen = last == enrolment::met ? arms_[count - 1] : nullptr;
        answer outcome = answer::served;
        if (last == enrolment::waits) {
            const auto is_answered = [this]() noexcept { return wait_.is_answered(); };
            (void)(is_hidden() ? learnt_.spin.wait(learnt_.selects, is_answered, is_answered)
                               : learnt_.spin.give_way(learnt_.selects, is_answered));
            if (wait_.await(until, learnt_.spin)) {
                chosen = wait_.answered();
                outcome = wait_.outcome();
            }
        }
        if (chosen != nullptr && outcome != answer::served && outcome != answer::granted) {
            told = std::exchange(chosen, nullptr);
            told->keep_turn();
        }
        for (select_arm* const arm : arms_.first(count)) {
            if (arm != chosen || last == enrolment::met) { // else its server has unlinked it
                arm->withdraw();
            }
        }
        if (chosen != nullptr) {
            chosen->complete(outcome);
        }
        return chosen;
    }

    const std::span<select_arm*> arms_;
    const bool is_biased_;
    bool has_joined_ = false; // the arms are told of wait_ when it is first needed
    select_wait wait_;

    static constinit inline thread_local select_lessons learnt_{};
};

// With WEIR_CHECKED: the thread's stay in all receivers of a select, each once.
template <bool Checked = WEIR_CHECKED != 0>
class select_use {
public:
    explicit select_use(std::span<select_arm* const> arms) noexcept : arms_(arms) {
        for_each_channel([](channel_base& channel) {
            if (!channel.enter_receiver()) {
                fatal("select was called while another call was inside one of its receivers");
            }
        });
    }
    ~select_use() {
        for_each_channel([](channel_base& channel) { channel.leave_receiver(); });
    }

    select_use(const select_use&) = delete;
    select_use& operator=(const select_use&) = delete;

private:
    template <class Visit>
    void for_each_channel(Visit visit) noexcept {
        for (auto arm = arms_.begin(); arm != arms_.end(); ++arm) {
            channel_base* const channel = (*arm)->received();
            const auto is_same = [channel](select_arm* other) { return other->received() == channel; };
            if (channel != nullptr && std::none_of(arms_.begin(), arm, is_same)) {
                visit(*channel);
            }
        }
    }

    std::span<select_arm* const> arms_;
};

template <>
class select_use<false> {
public:
    explicit select_use(std::span<select_arm* const>) noexcept {}
    ~select_use() {}

    select_use(const select_use&) = delete;
    select_use& operator=(const select_use&) = delete;
};

} // namespace weir::detail

#endif
