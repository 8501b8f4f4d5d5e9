// SPDX-License-Identifier: BSL-1.0
//
// What every channel's state has, whatever its flavor: who holds it, who may receive, and how it ends.
//
// senders_  sending handles. When it falls to 0 the channel is disconnected, for ever.
// holders_  what keeps the memory: 1 for all the senders together, 1 for the receiver, 1 for each weak handle and each
//           iterator. Who brings it to 0 frees the state. Who holds it alone has nobody to tell of anything, and nobody
//           can come: new holders are made from old ones.
// consumer_ the right to take messages out. The receiver has it from the start. If it goes while sends are under way it
//           gives the right back, after it emptied the channel. A sender whose message came in after that takes it, or
//           leaves a debt to who has it, so that each message is destroyed as soon as its send has ended, whoever is
//           stalled meanwhile.
#ifndef WEIR_DETAIL_CHANNEL_BASE_HPP
#define WEIR_DETAIL_CHANNEL_BASE_HPP

#include <weir/detail/nested_drop.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/wait/close_watch.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/receiver_wait.hpp>

#include <cstddef>
#include <cstdint>

namespace weir::detail {

enum class flavor_kind : std::uint8_t { list, ring, rendezvous, timer };

class channel_base : public droppable {
public:
    channel_base(const channel_base&) = delete;
    channel_base& operator=(const channel_base&) = delete;

    flavor_kind kind() const noexcept { return kind_; }

    void retain() noexcept { holders_.fetch_add(1, memory_order_relaxed); }
    void release() noexcept {
        // acq_rel: pairs with itself; all that any holder did is done before the state is freed
        if (is_last_holder() || holders_.fetch_sub(1, memory_order_acq_rel) == 1) {
            destroy();
        }
    }

    void add_sender() noexcept { senders_.fetch_add(1, memory_order_relaxed); }

    // For a weak handle: false once the last sender is gone.
    bool try_add_sender() noexcept {
        std::size_t count = senders_.load(memory_order_relaxed);
        while (count != 0) {
            if (senders_.compare_exchange_weak(count, count + 1, memory_order_relaxed, memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    void drop_sender() noexcept {
        // acq_rel: pairs with itself; the last sender passes on what all of them did (through senders_gone)
        if (senders_.fetch_sub(1, memory_order_acq_rel) == 1) {
            WEIR_POINT("channel.last_sender");
            if (!is_last_holder()) {
                receiving_.senders_gone();
            }
            WEIR_POINT("channel.senders_gone");
            release();
            completions::run();
        }
    }

    // The receiving handle goes: senders fail from now on, what is queued is destroyed, on a deeply nested channel
    // later. Where an operation is inside the receiver that is told of the close, and all else is left to it.
    void drop_receiver() noexcept {
        WEIR_POINT("channel.drop_receiver");
        if (is_operated()) {
            close();
            has_receiver_ = false;
            WEIR_POINT("channel.drop_operated");
            receiver_state seen = receiver_state::operated;
            // release, on failure acquire: pairs with leave_operation. Where it succeeds the receiver is that one's
            if (receiver_state_.compare_exchange_strong(seen, receiver_state::left, memory_order_release,
                                                        memory_order_acquire)) {
                completions::run();
                return;
            }
        } else {
            has_receiver_ = false;
            if (!is_last_holder()) {
                close();
            }
        }
        nested_drop::run(*this);
        completions::run();
    }

    // Senders fail from now on, those that wait too. The receiver's thread.
    WEIR_NOINLINE void close() noexcept {
        close_sending();
        receiving_.closed();
        closing_.tell();
    }

    // Waiters that are told when that happens. After enrolling they look whether it has.
    void watch_closing(waiter& node) noexcept { closing_.enrol(node); }
    void unwatch_closing(waiter& node) noexcept { closing_.withdraw(node); }

    // Waiters that are told when a receive may be ready. After enrolling they look whether it is (receiving.hpp).
    void watch_receiving(waiter& node) noexcept { receiving_.enrol(node); }
    void unwatch_receiving(waiter& node) noexcept { receiving_.withdraw(node); }
    void receiving_barrier() noexcept { receiving_.barrier(); }

    // For the receiver's iterators, which may outlive it.
    bool has_receiver() const noexcept { return has_receiver_; }

    std::size_t sender_count() const noexcept { return senders_.load(memory_order_relaxed); }

    // Who is inside the receiver
    //   free      nobody, or that is not noted
    //   called    a call
    //   awaited   a wait of a coroutine: any thread may close the receiver meanwhile
    //   operated  an operation that is not the receiving thread's, from its beginning to its end: likewise, and the receiving
    //             handle may go
    //   left      the same, and the handle has gone: what that leaves to do is the operation's
    // An operation is always noted, the others with WEIR_CHECKED. The receiver is its alone; who goes second, of its end and
    // the handle, drops the receiver.
    enum class receiver_state : std::uint8_t { free, called, awaited, operated, left };
    // False where somebody is inside the receiver already.
    bool enter_receiver(receiver_state how = receiver_state::called) noexcept {
        return receiver_state_.exchange(how, memory_order_relaxed) == receiver_state::free;
    }
    void leave_receiver() noexcept { receiver_state_.store(receiver_state::free, memory_order_relaxed); }
    // acquire: pairs with leave_operation; what it did inside the receiver has been done
    bool is_operated() const noexcept { return receiver_state_.load(memory_order_acquire) == receiver_state::operated; }
    // The end of an operation, any thread. The last touch, as far as the receiver's share goes.
    void leave_operation() noexcept {
        WEIR_POINT("channel.leave_operation");
        // acq_rel: pairs with drop_receiver
        if (receiver_state_.exchange(receiver_state::free, memory_order_acq_rel) == receiver_state::left) {
            nested_drop::run(*this);
        }
    }
    bool is_receiver_called() const noexcept {
        return receiver_state_.load(memory_order_relaxed) == receiver_state::called;
    }

    // The last step of a receive that may have ended waits of others. Where a use of the receiver is noted, what is run
    // here might want to use it, too: it is run when that has ended.
    void run_completions() noexcept {
        if (receiver_state_.load(memory_order_relaxed) == receiver_state::free) {
            completions::run();
        }
    }

protected:
    // `most_messages`: how many can be in the channel at a time, of so many `bytes` each. `senders`: 1, or 0 where there are
    // none, ever.
    channel_base(flavor_kind kind, std::uint64_t most_messages, std::size_t bytes, std::size_t senders) noexcept
        : kind_(kind), consumer_(debt_lock::held()), senders_(senders), holders_(senders + 1),
          receiving_(most_messages, bytes) {}
    ~channel_base() = default;

    // The flavor's part of close().
    virtual void close_sending() noexcept = 0;
    // With the consumer's right: destroys all messages that are there. True: one may still come in, though the channel is
    // closed.
    virtual bool drain() noexcept = 0;
    // Frees the state. The last call.
    virtual void destroy() noexcept = 0;

    // A sender that stored a message and then read these flags: tells who is to be told. If the receiver is gone, sees to
    // it that the message is destroyed.
    WEIR_NOINLINE void after_write(std::uint32_t flags) noexcept {
        if ((flags & receiver_wait::no_receiver) == 0) {
            receiving_.notify(flags);
        } else if (consumer_.try_lock_or_owe()) {
            drain_and_leave();
        }
        completions::run();
    }

private:
    void drop() noexcept final {
        const bool more_may_come = drain();
        WEIR_POINT("channel.drained");
        if (more_may_come) {
            // After these two, who stores a message sees that the receiver is gone, and sees to its message.
            receiving_.receiver_gone();
            WEIR_POINT("channel.receiver_gone");
            receiving_.barrier();
            drain_and_leave();
        }
        WEIR_POINT("channel.receiver_out");
        release();
    }

    bool is_last_holder() const noexcept { return holders_.load(memory_order_acquire) == 1; } // pairs with release()

    void drain_and_leave() noexcept {
        do {
            drain();
            WEIR_POINT("channel.give_back");
        } while (!consumer_.unlock_unless_owed());
    }

    const flavor_kind kind_;
    debt_lock consumer_;
    atomic<std::size_t> senders_;
    atomic<std::size_t> holders_;
    close_watch closing_;

protected:
    receiver_wait receiving_;

private:
    // The receiver's own, as is what flavors put behind.
    bool has_receiver_ = true;
    atomic<receiver_state> receiver_state_{receiver_state::free};
};

} // namespace weir::detail

#endif
