// SPDX-License-Identifier: BSL-1.0
//
// The channel without room: a send and a receive meet, or neither happens.
//
// The receiver's side has one landing place, where a message is made straight from what its sender gave. Who comes
// second makes it: a sender that finds the receiver waiting, or the receiver that finds a sender waiting.
//
// word_: a phase, and the closed bit
//   idle      nobody receives, or the receiver is about to look for waiting senders
//   armed     the receiver waits                         idle -> armed: the receiver; armed -> idle: the receiver gives up
//   claimed   a sender makes its message in the landing  armed -> claimed: that sender
//   written   it is there                                claimed -> written: that sender; written -> idle: the receiver
//   kept      it is there, and the receive that it was made for is over without it     written -> kept: the receiver
//   closed    a bit beside them: nobody will receive any more     the receiver, for ever; not while armed or claimed
// The compare-exchange away from `armed` settles a sender's time-out against the receiver's: both succeed or both
// fail. For a sender that waits, its claim does (waiter.hpp).
//
// A receiver that waits for several things at once does not arm, since it could not say no any more; it enrols a taker.
// A sender that wins the taker's claim makes its message in the landing and goes idle -> written. A taker that gives up after
// that leaves its message behind, as kept; the next receive takes it, and until then no taker enrols. The channel may be
// closed while a taker is served, by another thread; so both change the word by read-modify-writes.
//
// No meeting is missed: a sender enrols, then looks at word_ and for a taker; the receiver arms, or enrols a taker, then
// looks whether a sender waits. All these steps are seq_cst, so one of them sees the other. A receiver that armed and
// sees a waiting sender takes it out, disarms and serves it; if another sender was quicker, the one taken out tries
// again and keeps its turn. Of a taker and a waiting sender, whoever sees the other takes both claims (wait_list::meet).
// No wake is lost (receiver_wait.hpp): a receiver that is about to sleep looks for a claim, and where there is one for its
// message again, behind a barrier.
#ifndef WEIR_DETAIL_FLAVOR_RENDEZVOUS_HPP
#define WEIR_DETAIL_FLAVOR_RENDEZVOUS_HPP

#include <weir/detail/channel_core.hpp>
#include <weir/detail/flavor/blocking_send.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/receiving.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace weir::detail {

template <class T>
class rendezvous final : public channel_core<T> {
    using channel_base::receiving_;

public:
    // Throws std::bad_alloc.
    static rendezvous* make() { return ::new (allocate(sizeof(rendezvous), alignment)) rendezvous(); }

    static constexpr std::size_t capacity() noexcept { return 0; }

    // ---- Senders: any thread ----

    // Meets a receiver that waits, else `full`. `source` is untouched unless the result is `sent`.
    template <class Source>
    send_result try_send(Source& source) noexcept {
        std::uint32_t word = word_.load(memory_order_acquire);
        do {
            if ((word & closed_bit) != 0) {
                return send_result::disconnected;
            }
            if (word != armed) {
                return receiving_.has_takers() ? serve_taker(source) : send_result::full;
            }
            // seq_cst, pairs with [armed]: the landing is free; with [sleep]. On failure acquire, with close_sending
        } while (!word_.compare_exchange_weak(word, claimed, memory_order_seq_cst, memory_order_acquire));
        WEIR_POINT("rendezvous.claimed");
        source.make_at(landing_.raw());
        WEIR_POINT("rendezvous.made");
        word_.store(written, memory_order_release); // [written] pairs with acquire()
        WEIR_POINT("rendezvous.written");
        if (const std::uint32_t flags = receiving_.flags_after_write(); flags != 0) {
            receiving_.notify(flags);
            completions::run();
        }
        return send_result::sent;
    }

    template <class Source, class Deadline, class Stop>
    send_result send(Source& source, const Deadline& until, const Stop& stop) {
        return send_out_of_line<Source>(source, until, stop);
    }

    // ---- For waiting senders ----

    enrolment enrol_sender(waiter& self, bool first) noexcept {
        sending_.enrol(self, first, to_wake());
        WEIR_POINT("sender.enrolled");
        const std::uint32_t flags = receiving_.flags_after_write(); // seq_cst, pairs with enrol_receiver
        if ((flags & receiver_wait::taking) != 0) {
            const wait_list::meeting met = receiving_.meet_taker(self);
            if (met.peer != nullptr && met.is_own) {
                self.make_at(landing_.raw());
                word_.fetch_or(written, memory_order_relaxed); // the answer tells of it
                met.peer->finish(answer::served);
                return enrolment::met;
            }
            if (met.peer != nullptr) {
                met.peer->finish(answer::retry);
            }
            if (met.is_own) {
                return enrolment::ready;
            }
        }
        receiving_.notify(flags & receiver_wait::enrolled);
        return waiters_to_wake() != 0 && self.take() ? enrolment::ready : enrolment::waits;
    }
    void withdraw_sender(waiter& self) noexcept { sending_.withdraw(self, to_wake()); }
    void pass_on() noexcept { sending_.pass_on(to_wake()); }

    // A watcher is told when a receiver waits; it looks whether one does after enrolling.
    void watch_sending(waiter& node) noexcept { sending_.watch(node, to_wake()); }
    void unwatch_sending(waiter& node) noexcept { sending_.unwatch(node, to_wake()); }

    bool may_send() const noexcept { return waiters_to_wake() != 0 || receiving_.has_takers(); }
    // Takers look for waiting senders themselves.
    std::uint64_t waiters_to_wake() const noexcept {
        const std::uint32_t word = word_.load(memory_order_seq_cst); // pairs with [armed], close_sending
        return (word & closed_bit) != 0 ? ~std::uint64_t{0} : word == armed ? 1 : 0;
    }
    template <class Source>
    static constexpr bool leaves_to_sender = false;
    // Never called, therefore.
    template <class Source>
    void send_granted(std::uint64_t, Source&) noexcept {}

    bool seems_to_have_room() const noexcept {
        return word_.load(memory_order_relaxed) == armed || receiving_.has_takers();
    }
    static constexpr std::uint64_t send_progress() noexcept { return 0; }
    // A receiver that does not arm finds those senders only that are enrolled: one that polls, or waits for several things.
    bool is_worth_looking() const noexcept { return !stays_idle_.load(memory_order_relaxed); }

    // ---- Observers: any thread ----

    bool is_closed_for_sending() const noexcept {
        return (word_.load(memory_order_seq_cst) & closed_bit) != 0; // pairs with close_sending
    }
    bool is_full() const noexcept { return !may_send(); }
    // What was sent and is not being received.
    std::size_t len() const noexcept { return phase_of(word_.load(memory_order_relaxed)) == kept ? 1 : 0; }

    // ---- The receiver: one thread ----

    // The message of a sender that waits, or of one that met this receiver while it waited; null where there is none.
    // In the landing place until release().
    T* acquire() noexcept {
        if (T* const message = acquire_head()) {
            return message;
        }
        if (word_.load(memory_order_relaxed) != idle) {
            return nullptr;
        }
        return acquire_waiting();
    }

    // Only of a sender that met this receiver, or one before it, while it waited.
    T* acquire_head() noexcept override {
        const std::uint32_t word = word_.load(memory_order_acquire); // pairs with [written]
        if (word == written) {
            word_.store(idle, memory_order_relaxed); // the next [armed] publishes that the landing is free
            return landing_.get();
        }
        if (is_there(word)) {
            word_.fetch_and(closed_bit, memory_order_relaxed); // likewise
            return landing_.get();
        }
        return nullptr;
    }

    // Whether that is so, for who is not inside wait(): only a taker may have met a sender then, and was told of it before.
    // The same until it is taken.
    bool is_met() const noexcept { return is_there(word_.load(memory_order_relaxed)); }

    // Leaves a message that is there for the next receive. Whether there is one.
    bool keep() noexcept {
        if (!is_met()) {
            return false;
        }
        // a read-modify-write: a close may come at any time
        word_.fetch_or(kept, memory_order_relaxed);
        return true;
    }

    void release(T* message) noexcept override {
        std::destroy_at(message);
        if (may_have_woken_) [[unlikely]] {
            may_have_woken_ = false;
            this->run_completions();
        }
    }

    take_result<T> try_take(bool again) noexcept override {
        return again ? detail::poll(*this) : detail::try_take(*this);
    }
    take_result<T> take(deadline until) noexcept override { return detail::take_slowly(*this, until, no_stop()); }

    // A receive found nothing, and is over.
    void found_empty() noexcept { note_idle(true); }

    static constexpr bool is_send_under_way() noexcept { return false; }

    // Whether acquire() may find a message: a sender that waits may give up.
    bool has_message() const noexcept { return is_met() || sending_.is_waited(); }
    bool seems_to_have_message() const noexcept { return sending_.is_waited(); }

    enrolment enrol_receiver(waiter& self) noexcept {
        receiving_.enrol_taker(self);
        if (sending_.is_waited_after_write()) { // seq_cst, pairs with enrol_sender
            may_have_woken_ = true;
            const wait_list::meeting met = sending_.meet(self, to_wake());
            if (met.peer != nullptr && met.is_own) {
                serve(*met.peer);
                word_.fetch_or(written, memory_order_relaxed); // read by this side
                return enrolment::met;
            }
            if (met.peer != nullptr) {
                met.peer->finish(answer::retry);
            }
            if (met.is_own) {
                return enrolment::ready;
            }
            sending_.tell_watchers(to_wake());
        }
        return (!receiving_.has_senders() || this->is_closed()) && self.take() ? enrolment::ready : enrolment::waits;
    }
    void withdraw_receiver(waiter& self) noexcept { receiving_.withdraw_taker(self); }

    // Waits until poll() is true: acquire() gave a message, or none will come.
    template <class Poll, class Stop>
    wait_result wait(deadline until, const Stop& stop, Poll poll) noexcept {
        const auto look = [&]() noexcept { return is_worth_a_poll() && poll(); };
        const bool stopped = stop.stop_requested(); // before the look, which finds who came before the stop
        if (look()) {
            return wait_result::ready; // a closed channel among others: `armed` must not take the place of `closed`
        }
        if (stopped) {
            return wait_result::stopped;
        }
        if (until.has_passed()) {
            return look() ? wait_result::ready : wait_result::timeout;
        }
        note_idle(false);
        word_.exchange(armed, memory_order_seq_cst); // [armed] release, pairs with try_send
        WEIR_POINT("rendezvous.armed");
        if (sending_.is_waited_after_write() && serve_though_armed()) {
            poll();
            return wait_result::ready;
        }
        const auto is_written = [this]() noexcept { return word_.load(memory_order_acquire) == written; };
        // Claimed, or written since poll() looked: that sender may have read the flags before they were raised.
        const auto is_under_way = [this]() noexcept {
            return word_.load(memory_order_seq_cst) != armed; // [sleep] pairs with the claim
        };
        const wait_result result = receiving_.wait(0, until, stop, is_written, poll, is_under_way);
        WEIR_POINT("rendezvous.disarm");
        if (result == wait_result::ready || disarm()) {
            disarm();
            return result;
        }
        // A sender has begun to serve this receive.
        return receiving_.wait(0, deadline::never(), no_stop(), is_written, poll, is_under_way);
    }

private:
    static constexpr std::uint32_t idle = 0;
    static constexpr std::uint32_t armed = 1;
    static constexpr std::uint32_t claimed = 2;
    static constexpr std::uint32_t written = 3;
    static constexpr std::uint32_t closed_bit = 4;
    static constexpr std::uint32_t kept = 8 | written;

    static constexpr std::uint32_t phase_of(std::uint32_t word) noexcept { return word & ~closed_bit; }
    static constexpr bool is_there(std::uint32_t word) noexcept {
        return phase_of(word) == written || phase_of(word) == kept;
    }

    static constexpr std::size_t alignment = alignof(T) > cache_line ? alignof(T) : cache_line;

    rendezvous() noexcept : channel_core<T>(flavor_kind::rendezvous, 0) {}
    ~rendezvous() = default;

    // Else poll() would find nothing, and it takes long: until the receiver has armed, no sender can meet it.
    bool is_worth_a_poll() const noexcept {
        return word_.load(memory_order_relaxed) != idle || sending_.is_waited() || !receiving_.has_senders();
    }

    void note_idle(bool stays) noexcept {
        if (stays_idle_.load(memory_order_relaxed) != stays) {
            stays_idle_.store(stays, memory_order_relaxed);
        }
    }

    // False: it was not armed any more, as is usual, and told by a load. relaxed: where it succeeds no sender has touched the
    // landing since the receiver armed; where it fails acquire_head() sees what one has done.
    bool disarm() noexcept {
        std::uint32_t word = word_.load(memory_order_relaxed);
        return word == armed && word_.compare_exchange_strong(word, idle, memory_order_relaxed, memory_order_relaxed);
    }

    auto to_wake() const noexcept {
        return [this]() noexcept { return waiters_to_wake(); };
    }

    waiter* pop(bool owe) noexcept {
        may_have_woken_ = true;
        return sending_.pop(owe, to_wake());
    }

    // A lock that is held just now is given a moment: behind it may be waiters that have waited for long.
    template <class IsThere, class Pop>
    static waiter* pop_patiently(IsThere is_there, Pop pop_one) noexcept {
        const int pauses = can_spin() ? 128 : 0;
        const int attempts = pauses + 32;
        for (int attempt = 0; attempt < attempts && is_there(); ++attempt) {
            if (waiter* const next = pop_one()) {
                return next;
            }
            attempt < pauses ? pause() : yield();
        }
        return nullptr;
    }

    // Not while this sender is enrolled itself.
    template <class Source, class Deadline, class Stop>
    WEIR_NOINLINE send_result send_out_of_line(passed<Source> source, const Deadline& until, const Stop& stop) {
        return detail::send_blocking(*this, sending_, source, until, stop);
    }

    template <class Source>
    send_result serve_taker(Source& source) noexcept {
        const completions::call here;
        waiter* const taker = pop_patiently([this]() noexcept { return receiving_.has_takers(); },
                                            [this]() noexcept { return receiving_.pop_taker(); });
        if (taker == nullptr) {
            return send_result::full;
        }
        source.make_at(landing_.raw());
        word_.fetch_or(written, memory_order_relaxed); // the answer tells of it
        taker->finish(answer::served);
        return send_result::sent;
    }

    void serve(waiter& next) noexcept {
        WEIR_POINT("rendezvous.serve");
        next.make_at(landing_.raw());
        next.finish(answer::served);
    }

    // While idle, and not enrolled as a taker.
    T* acquire_waiting() noexcept {
        waiter* const next =
            pop_patiently([this]() noexcept { return sending_.is_waited(); }, [this]() noexcept { return pop(false); });
        if (next == nullptr) {
            this->run_completions();
            return nullptr;
        }
        serve(*next);
        return landing_.get();
    }

    // True: the message is in the landing, as if its sender had written it. If the lock is held, its holder wakes a
    // sender.
    bool serve_though_armed() noexcept {
        waiter* const next = pop(true);
        if (next == nullptr) {
            return false;
        }
        WEIR_POINT("rendezvous.popped");
        if (!disarm()) {
            next->finish(answer::retry);
            return false;
        }
        serve(*next);
        word_.store(written, memory_order_relaxed); // read by this thread
        return true;
    }

    void close_sending() noexcept override {
        if (!this->is_closed()) {
            word_.fetch_or(closed_bit, memory_order_seq_cst); // pairs with try_send, is_closed_for_sending, enrol_sender
            this->set_closed();
            WEIR_POINT("rendezvous.closing");
            sending_.wake_all();
        }
    }

    bool drain() noexcept override {
        if (T* const message = acquire_head()) {
            release(message);
        }
        return false;
    }

    void destroy() noexcept override {
        this->~rendezvous();
        detail::deallocate(this);
    }

    sender_wait sending_{0};
    alignas(cache_line) atomic<std::uint32_t> word_{idle};
    hint<bool> stays_idle_{false}; // a receive found nobody, and none has armed since it was over
    bool may_have_woken_ = false;  // waiting senders. The receiver's own
    message_place<T> landing_;
};

} // namespace weir::detail

#endif
