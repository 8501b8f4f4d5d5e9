// SPDX-License-Identifier: BSL-1.0
//
// How a channel's sending side waits for room: in the order the senders came.
//
// Waiters get what they ask for, one for each place there is; watchers are only told that there is room where no waiter is.
// Flags: `waiting`, there are waiters; `watched`, there are watchers; raised and lowered under the lock, read by the
// receiver after it made room.
// No wake is lost: a sender enrols, then looks for room once more; the receiver publishes room, then reads the flag.
// Where the receiver's publishing is a plain store, barrier() comes between the two steps of the sender. A receiver
// that finds the lock held leaves a debt: its holder wakes as many waiters as there is room for. Who was woken that way
// and does not send after all passes it on.
#ifndef WEIR_DETAIL_WAIT_SENDER_WAIT_HPP
#define WEIR_DETAIL_WAIT_SENDER_WAIT_HPP

#include <weir/detail/message.hpp>
#include <weir/detail/platform/atomic.hpp>
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
#include <cstring>
#include <type_traits>

namespace weir::detail {

// Where there is room for no more than these at a time, a sender waits for about every one of them.
inline constexpr std::uint64_t few_messages = 8;

template <class Source>
concept copied_while_waiting = Source::any_thread_makes_it && std::is_trivially_copyable_v<typename Source::type> &&
                               sizeof(typename Source::type) <= 2 * sizeof(void*);

// The message of a thread that waits. A small one of bytes alone is copied, so that who serves it need not fetch one line of the
// thread's stack after the other on the way to it.
template <class Source>
class waiting_message {
public:
    explicit waiting_message(Source& source) noexcept : source_(&source) {}
    void make_at(void* place) noexcept { source_->make_at(place); }

private:
    Source* source_;
};
template <copied_while_waiting Source>
class waiting_message<Source> {
public:
    explicit waiting_message(Source& source) noexcept { source.make_at(copy_.raw()); }
    void make_at(void* place) noexcept { std::memcpy(place, copy_.raw(), sizeof copy_); }

private:
    message_place<typename Source::type> copy_;
};

// The answer to a waiter that is a thread, and where that sleeps until it comes.
class alignas(cache_line) awaited_answer {
public:
    // Who took the claim. The last touch.
    void tell(answer outcome) noexcept {
        WEIR_POINT("sender.finish");
        outcome_ = outcome; // read by the owner after it took the token
        parker_.unpark();
    }

    // The owner of `self`, once that is enrolled: waits for the answer. After `stopped` and `timeout` it must withdraw.
    template <class Stop>
    answer await(waiter& self, deadline until, const Stop& stop, spin_policy& spin, std::uint64_t progress) noexcept {
        [[maybe_unused]] const auto callback = on_stop(stop, [this, &self]() noexcept {
            if (self.take()) {
                tell(answer::stopped);
            }
        });
        const auto answered = [this]() noexcept { return parker_.has_token(); };
        spin.wait(progress, answered, answered);
        WEIR_POINT("sender.park");
        if (!spin.sleep(parker_, until)) {
            WEIR_POINT("sender.timeout");
            if (self.take()) {
                return answer::timeout;
            }
            parker_.park(deadline::never()); // somebody serves it: the answer is on its way
        }
        return outcome_;
    }

private:
    plain<answer> outcome_ = answer::retry;
    parker parker_;
};

// A thread that waits to send the message that `Source` makes. Its first line is for who serves it; at the second it looks
// itself, while it spins.
template <class Source>
class thread_waiter final : public waiter {
public:
    thread_waiter(Source& source, service asked) noexcept : waiter(claim_), message_(source), asked_(asked) {}

    service asks_for() const noexcept override { return asked_; }
    void make_at(void* place) noexcept override { message_.make_at(place); }
    void grant(std::uint64_t ticket) noexcept override { ticket_ = ticket; }
    std::uint64_t ticket() const noexcept { return ticket_; }

    void finish(answer outcome) noexcept override { answer_.tell(outcome); }

    // The owner, once enrolled (awaited_answer).
    template <class Stop>
    answer await(deadline until, const Stop& stop, spin_policy& spin, std::uint64_t progress) noexcept {
        return answer_.await(*this, until, stop, spin, progress);
    }

private:
    waiting_message<Source> message_;
    plain<std::uint64_t> ticket_ = 0;
    const service asked_;
    claim_word claim_;
    awaited_answer answer_;
};

class sender_wait {
public:
    // `most_batch`: for how many messages there can be room at a time, of so many `bytes` each. 0 where what tells of room is
    // ordered anyway, and no barrier() is needed.
    explicit sender_wait(std::uint64_t most_batch, std::size_t bytes = 1) noexcept
        : flags_(most_batch != 0 && most_batch <= few_messages), spin_(most_batch, bytes) {}

    // The receiver, after it published room: whether somebody waits for it.
    WEIR_INLINE bool is_waited_after_write() noexcept { return flags_.after_write() != 0; }

    // Whether a waiter is there, in no order with anything.
    bool is_waited() const noexcept { return (flags_.peek() & waiting) != 0; }

    // A server: the first waiter, claimed; null where there is none. `owe`: the room is there for all to see. Then
    // watchers are told where there is no waiter; and where the lock is held its holder wakes waiters itself. Else who
    // asks to be told of room is not popped yet, nor who waits behind it.
    template <class Room>
    waiter* pop(bool owe, Room room) noexcept {
        if (!(owe ? lock_.try_lock_or_owe() : lock_.try_lock())) {
            return nullptr;
        }
        wait_list told;
        waiter* const node = list_.pop_claimed_while(
            [owe](const waiter& first) noexcept { return owe || first.asks_for() != service::tell; });
        WEIR_POINT("sender.popped");
        if (node == nullptr && owe) {
            watchers_.pop_all_claimed(told);
        }
        unlock(room);
        told.finish_all(answer::retry);
        return node;
    }

    // Who waits at the other side itself: wait_list::meet.
    template <class Room>
    wait_list::meeting meet(waiter& self, Room room) noexcept {
        lock_.lock();
        const wait_list::meeting met = list_.meet(self);
        unlock(room);
        return met;
    }

    // A sender, before it looks for room once more and then awaits the answer. room(): for how many waiters there is
    // room. `first`: it was woken from the front before, and keeps its turn.
    template <class Room>
    void enrol(waiter& node, bool first, Room room) noexcept {
        lock_.lock();
        WEIR_POINT("sender.locked");
        first ? list_.push_front(node) : list_.push_back(node);
        flags_.raise(waiting);
        unlock(room);
    }

    // A sender, after enrol: what it reads from here on is in order with what a receiver wrote that missed the flag.
    void barrier() noexcept { flags_.barrier(); }

    // Who took the claim of its own waiter.
    template <class Room>
    void withdraw(waiter& node, Room room) noexcept {
        WEIR_POINT("sender.withdraw");
        lock_.lock();
        list_.remove(node);
        unlock(room);
    }

    // Who was told to look again, and did not send.
    template <class Room>
    void pass_on(Room room) noexcept {
        if (flags_.peek() != 0 && lock_.try_lock_or_owe()) {
            wait_list claimed;
            wake(claimed, room());
            unlock(room);
            claimed.finish_all(answer::retry);
        }
    }

    // The same three verbs for a watcher.
    template <class Room>
    void watch(waiter& node, Room room) noexcept {
        lock_.lock();
        watchers_.push_back(node);
        flags_.raise(watched);
        unlock(room);
    }
    template <class Room>
    void unwatch(waiter& node, Room room) noexcept {
        lock_.lock();
        watchers_.remove(node);
        unlock(room);
    }

    // There is a receiver that waiters need not be told of.
    template <class Room>
    void tell_watchers(Room room) noexcept {
        if ((flags_.peek() & watched) != 0) {
            wait_list told;
            lock_.lock();
            watchers_.pop_all_claimed(told);
            unlock(room);
            told.finish_all(answer::retry);
        }
    }

    // The channel is closed, and whoever enrols from now on sees it when it looks once more: all look again.
    void wake_all() noexcept {
        if (!is_waited_after_write()) {
            return;
        }
        lock_.lock();
        wait_list claimed;
        wake(claimed, ~std::uint64_t{0});
        unlock([]() noexcept { return ~std::uint64_t{0}; });
        claimed.finish_all(answer::retry);
    }

    spin_policy& spin() noexcept { return spin_; }

private:
    static constexpr std::uint32_t waiting = 1;
    static constexpr std::uint32_t watched = 2;

    void update_flags() noexcept {
        const std::uint32_t unused = (list_.is_empty() ? waiting : 0) | (watchers_.is_empty() ? watched : 0);
        if ((flags_.peek() & unused) != 0) {
            flags_.lower(unused);
        }
    }

    // Under the lock: claims as many waiters as there is room for, and the watchers where there is any.
    void wake(wait_list& claimed, std::uint64_t room) noexcept {
        if (room != 0) {
            watchers_.pop_all_claimed(claimed);
        }
        for (; room > 0; --room) {
            waiter* const node = list_.pop_claimed();
            if (node == nullptr) {
                break;
            }
            claimed.append_claimed(*node);
        }
    }

    // Gives the lock back; settles what is owed first.
    template <class Room>
    void unlock(Room room) noexcept {
        wait_list claimed;
        for (update_flags(); !lock_.unlock_unless_owed(); update_flags()) {
            wake(claimed, room());
        }
        claimed.finish_all(answer::retry);
    }

    // The receiver reads the first line for every message; the second is the senders' own.
    alignas(cache_line) flag_word flags_;
    debt_lock lock_;
    wait_list list_;
    wait_list watchers_;
    alignas(cache_line) spin_policy spin_;
};

} // namespace weir::detail

#endif
