// SPDX-License-Identifier: BSL-1.0
//
// How a channel's receiving side waits, and how the others tell it that there is something.
//
// One receiver, so one thread at most sleeps in a blocking receive. Its place to sleep belongs to the channel's
// state, not to its stack: a notifier can never come too late, and a receive that times out need not wait for one
// that is stalled. Waiters of other kinds enrol in a list, and are told of each message; or, where a sender must meet
// one of them, as takers.
//
// Flags (flag_word; raised and lowered by whom):
//   sleeping      the receiver's thread sleeps or is about to          receiver
//   enrolled      the list is not empty                                under the list's lock
//   taking        there are takers                                     under the list's lock
//   no_senders    the last sender is gone                              the last sender, for ever
//   no_receiver   the receiver is gone                                 the receiver, for ever
//
// No wake is lost: the receiver raises `sleeping`, then looks once more, then parks; a sender makes its message
// visible, then reads the flags. Where a sender's claim is a sequentially consistent read-modify-write that the
// second look would have seen, raise() and the claim are ordered already; where a claim was seen but not its message,
// barrier() orders them.
//
// Nobody relies on a wake that another has begun, since that one may be stalled in the middle of it. Each sleep has a
// number, and `woken_` is the number of a sleep whose wake is complete: its token was put after that sleep got its
// number, so the park of that sleep takes it at the latest, and the system was asked to wake who lay there. Whoever
// finds `sleeping` raised, and not that the sleep's wake is complete, does all of it himself.
#ifndef WEIR_DETAIL_WAIT_RECEIVER_WAIT_HPP
#define WEIR_DETAIL_WAIT_RECEIVER_WAIT_HPP

#include <weir/detail/platform/injection.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/flag_word.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/spin.hpp>
#include <weir/detail/wait/stop.hpp>
#include <weir/detail/wait/wait_list.hpp>

#include <cstddef>
#include <cstdint>

namespace weir::detail {

// How a wait ended.
enum class wait_result : std::uint8_t { ready, timeout, stopped };

struct do_nothing {
    void operator()() const noexcept {}
};

class receiver_wait {
public:
    // `most_batch`: how many messages there can be at a time, of so many `bytes` each.
    explicit receiver_wait(std::uint64_t most_batch, std::size_t bytes = 1) noexcept : spin_(most_batch, bytes) {}

    static constexpr std::uint32_t sleeping = 1;
    static constexpr std::uint32_t enrolled = 2;
    static constexpr std::uint32_t no_senders = 4;
    static constexpr std::uint32_t no_receiver = 8;
    static constexpr std::uint32_t taking = 16;

    // Any thread, after it made a message visible: what is to be told to whom, 0 mostly.
    WEIR_INLINE std::uint32_t flags_after_write() noexcept { return flags_.after_write(); }

    // Any thread: wakes the receiving side as `flags` say.
    void notify(std::uint32_t flags) noexcept {
        if ((flags & sleeping) != 0) {
            wake();
        }
        if ((flags & enrolled) != 0) {
            notify_enrolled();
        }
    }

    // The last sender: nothing will be sent any more.
    WEIR_NOINLINE void senders_gone() noexcept {
        const std::uint32_t flags = flags_.raise(no_senders);
        notify(flags);
        if ((flags & taking) != 0) {
            notify_enrolled();
        }
    }
    bool has_senders() const noexcept { return (flags_.peek() & no_senders) == 0; }

    // The receiver closed the channel: waiters other than its own thread look again.
    void closed() noexcept {
        if ((flags_.peek() & (enrolled | taking)) == 0) {
            return;
        }
        wait_list claimed;
        lock_.lock();
        list_.pop_all_claimed(claimed);
        takers_.pop_all_claimed(claimed);
        unlock();
        claimed.finish_all(answer::retry);
    }

    // The receiver: nothing will be received any more. Senders that wrote a message before may not have seen the flag
    // until barrier() has returned.
    void receiver_gone() noexcept { flags_.raise(no_receiver); }
    void barrier() noexcept { flags_.barrier(); }

    // The three verbs, for waiters other than a thread in a blocking receive. After enrol the caller looks whether
    // the side is ready, as a blocking receive does: with a barrier() where a message is claimed but not there.
    void enrol(waiter& node) noexcept {
        lock_.lock();
        list_.push_back(node);
        flags_.raise(enrolled);
        unlock();
    }
    void withdraw(waiter& node) noexcept {
        lock_.lock();
        list_.remove(node);
        unlock();
    }

    // The same for takers.
    void enrol_taker(waiter& node) noexcept {
        lock_.lock();
        takers_.push_back(node);
        flags_.raise(taking);
        unlock();
    }
    void withdraw_taker(waiter& node) noexcept {
        lock_.lock();
        takers_.remove(node);
        unlock();
    }

    // Whether a taker is there, in no order with anything.
    bool has_takers() const noexcept { return (flags_.peek() & taking) != 0; }

    // A sender: the first taker, claimed. Null where there is none, and where the lock is held.
    waiter* pop_taker() noexcept {
        if (!lock_.try_lock()) {
            return nullptr;
        }
        waiter* const node = takers_.pop_claimed();
        unlock();
        return node;
    }

    // A sender that waits itself: wait_list::meet.
    wait_list::meeting meet_taker(waiter& self) noexcept {
        lock_.lock();
        const wait_list::meeting met = takers_.meet(self);
        unlock();
        return met;
    }

    // The receiver's thread, behind a look that found nothing, and does not wait (spin_policy).
    void hold_back(std::uint64_t progress) noexcept { spin_.hold_back(progress); }

    // The receiver's thread: waits until poll() is true, which wins over the stop and the deadline. glance(): a cheap
    // look that may miss what poll() sees. under_way(): whether a message is claimed but was not found by poll().
    // before_sleep(): called where the thread does not only look. `progress` counts the messages received.
    template <class Glance, class Poll, class UnderWay, class Stop, class BeforeSleep = do_nothing>
    wait_result wait(std::uint64_t progress, deadline until, const Stop& stop, Glance glance, Poll poll,
                     UnderWay under_way, BeforeSleep before_sleep = {}) noexcept {
        const bool stopped = stop.stop_requested();
        if (stopped || until.has_passed()) {
            return poll() ? wait_result::ready : stopped ? wait_result::stopped : wait_result::timeout;
        }
        if (spin_.wait(progress, glance, poll)) {
            return wait_result::ready;
        }
        before_sleep();
        return sleep(until, stop, poll, under_way);
    }

private:
    template <class Poll, class UnderWay, class Stop>
    WEIR_NOINLINE wait_result sleep(deadline until, const Stop& stop, Poll& poll, UnderWay& under_way) noexcept {
        [[maybe_unused]] const auto callback = on_stop(stop, [this]() noexcept { parker_.unpark_beside_others(); });
        for (bool in_time = true;;) {
            // [number] release, pairs with wake(): this thread takes no token any more that it was given before
            sleep_.store(sleep_.load(memory_order_relaxed) + 1, memory_order_release);
            flags_.raise(sleeping);
            WEIR_POINT("receiver.raised");
            const bool stopped = stop.stop_requested(); // before the look, which finds all that came before the stop
            bool ready = poll();
            if (!ready && under_way()) {
                flags_.barrier();
                ready = poll();
            }
            WEIR_POINT("receiver.looked");
            if (!ready && in_time && !stopped) {
                WEIR_POINT("receiver.park");
                in_time = spin_.sleep(parker_, until);
                WEIR_POINT("receiver.woken");
                ready = poll();
            } else if (!ready) {
                flags_.lower(sleeping);
                return in_time ? wait_result::stopped : wait_result::timeout;
            }
            flags_.lower(sleeping);
            if (ready) {
                return wait_result::ready;
            }
        }
    }

    void wake() noexcept {
        const std::uint64_t sleep = sleep_.load(memory_order_acquire); // pairs with [number]
        if (woken_.load(memory_order_acquire) != sleep) {              // pairs with [woken]
            WEIR_POINT("receiver.unpark");
            parker_.unpark_beside_others();
            woken_.store(sleep, memory_order_release); // [woken] release, pairs with itself: the wake is complete
        }
    }

    void notify_enrolled() noexcept {
        if (lock_.try_lock_or_owe()) {
            wait_list claimed;
            tell(claimed);
            unlock();
            claimed.finish_all(answer::retry);
        }
    }

    // Under the lock: claims all who are to be told.
    void tell(wait_list& claimed) noexcept {
        list_.pop_all_claimed(claimed);
        if (!has_senders()) {
            takers_.pop_all_claimed(claimed);
        }
    }

    // Gives the lock back; if a notifier came meanwhile, does its work first.
    void unlock() noexcept {
        wait_list claimed;
        for (update_flags(); !lock_.unlock_unless_owed(); update_flags()) {
            tell(claimed);
        }
        claimed.finish_all(answer::retry);
    }

    void update_flags() noexcept {
        const std::uint32_t unused = (list_.is_empty() ? enrolled : 0) | (takers_.is_empty() ? taking : 0);
        if ((flags_.peek() & unused) != 0) {
            flags_.lower(unused);
        }
    }

    // Senders read the first line for every message, and it changes only around a sleep; the second is the receiver's own.
    alignas(cache_line) flag_word flags_;
    debt_lock lock_;
    wait_list list_;
    wait_list takers_;
    atomic<std::uint64_t> sleep_{0}; // which sleep it is; the receiver's
    atomic<std::uint64_t> woken_{0};
    alignas(cache_line) spin_policy spin_;
    parker parker_;
};

} // namespace weir::detail

#endif
