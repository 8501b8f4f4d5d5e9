// SPDX-License-Identifier: BSL-1.0
//
// The bounded channel: a ring of exactly `capacity` slots, at least one.
//
// A sender claims the next slot by one compare-exchange of `tail_`, makes the message there, stores the slot's state,
// and looks whether the receiver is to be told. The receiver takes the slots in order, with plain loads and stores,
// and publishes the head. Where a slot is claimed and not yet written it looks past it (look_ahead.hpp); the room of
// a slot taken that way comes back when the head has passed it.
//
// What must hold
//  I1  head <= tail <= head + one lap, with the head as the receiver knows it (own_head_): what it published may be
//      older.
//  I2  Only who claimed a ticket writes its slot; only the receiver takes from it.
//  I3  Tickets at or above the one in tail_ when its closed bit was set are never written.
//
// Words       written by                                   meaning
//  tail_       senders (claim), receiver (for a waiting      next ticket, shifted by one; bit 0: closed
//              sender, close)
//  head_seen_  senders                                      a head that was seen: may be old, never too new
//  head_       receiver                                     first ticket whose slot is not free
//
// Waiting senders. A sender that finds the ring full enrols, and looks once more. The receiver, having emptied a
// slot, looks for one that waits before it publishes the head: since others still see a full ring, nobody overtakes;
// it claims the ticket for the first of them. A message that any thread may move (known_move.hpp) it moves in, and wakes its
// sender when all is done. What any other move does, and how long it takes, is the user's: that is left to the sender's thread, which is
// told of the room when the head is published, or granted the ticket (blocking_send.hpp). The receiver looks again after it
// published the head, for a sender that enrolled in between (sender_wait.hpp says why none is missed).
#ifndef WEIR_DETAIL_FLAVOR_RING_HPP
#define WEIR_DETAIL_FLAVOR_RING_HPP

#include <weir/detail/channel_core.hpp>
#include <weir/detail/flavor/blocking_send.hpp>
#include <weir/detail/flavor/look_ahead.hpp>
#include <weir/detail/flavor/prefetch.hpp>
#include <weir/detail/flavor/ring_slots.hpp>
#include <weir/detail/flavor/ring_tickets.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/backoff.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace weir::detail {

template <class T>
class ring final : public channel_core<T> {
    using slots_type = ring_slots<T>;
    using place = typename slots_type::place;
    using channel_base::receiving_;

public:
    using position = ring_tickets::ticket;

    // Throws std::length_error where the bytes exceed PTRDIFF_MAX, and std::bad_alloc.
    static ring* make(std::size_t capacity) {
        std::size_t bytes = sizeof(ring);
        if (!fits_near(capacity)) {
            const std::size_t slots = slots_type::bytes_for(capacity);
            bytes = round_up(bytes, alignment);
            if (slots == 0 || slots > static_cast<std::size_t>(PTRDIFF_MAX) - bytes - allocation_overhead(alignment)) {
                throw_length_error("sync_channel: the capacity needs more memory than there can be");
            }
            bytes += slots;
        }
        void* const memory = allocate(bytes, alignment);
        return ::new (memory) ring(static_cast<std::byte*>(memory), capacity);
    }

    std::size_t capacity() const noexcept { return tickets_.capacity(); }

    // ---- Senders: any thread ----

    // Never waits for anyone. `source` is untouched unless the result is `sent`.
    template <class Source>
    WEIR_INLINE send_result try_send(Source& source) noexcept {
        return send_at_once(source, [&]() WEIR_INLINE_LAMBDA { return try_send_slowly<Source>(source); });
    }

    // Waits for room.
    template <class Source, class Deadline, class Stop>
    WEIR_INLINE send_result send(Source& source, const Deadline& until, const Stop& stop) {
        return send_at_once(source, [&]() WEIR_INLINE_LAMBDA { return send_slowly<Source>(source, until, stop); });
    }

    // ---- For waiting senders ----

    enrolment enrol_sender(waiter& self, bool first) noexcept {
        sending_.enrol(self, first, to_wake());
        WEIR_POINT("sender.enrolled");
        sending_.barrier(); // the receiver's store of the head is a plain one
        return may_send() && self.take() ? enrolment::ready : enrolment::waits;
    }
    void withdraw_sender(waiter& self) noexcept { sending_.withdraw(self, to_wake()); }
    void pass_on() noexcept { sending_.pass_on(to_wake()); }

    // A watcher is told when there is room; it looks whether there is after enrolling.
    void watch_sending(waiter& node) noexcept {
        sending_.watch(node, to_wake());
        sending_.barrier();
    }
    void unwatch_sending(waiter& node) noexcept { sending_.unwatch(node, to_wake()); }

    bool may_send() const noexcept { return waiters_to_wake() != 0; }
    std::uint64_t waiters_to_wake() const noexcept {
        for (std::uint64_t tail = tail_.load(memory_order_acquire);;) {
            if ((tail & closed_bit) != 0) {
                return ~std::uint64_t{0};
            }
            WEIR_POINT("ring.look");
            const std::uint64_t free = room(tail, head_.load(memory_order_acquire));
            const std::uint64_t now = tail_.load(memory_order_acquire);
            if (free != 0 || now == tail) {
                return free;
            }
            tail = now; // the tail that was read may have been behind the head
        }
    }
    // Only a look at the head.
    bool seems_to_have_room() const noexcept {
        return tickets_.has_room(tail_.load(memory_order_relaxed) / 2, head_.load(memory_order_relaxed));
    }
    static constexpr bool is_worth_looking() noexcept { return true; }
    std::uint64_t send_progress() const noexcept { return tail_.load(memory_order_relaxed) / 2; }

    template <class Source>
    static constexpr bool leaves_to_sender = !Source::any_thread_makes_it;
    // A ticket that the receiver claimed for a waiting sender.
    template <class Source>
    void send_granted(std::uint64_t ticket, Source& source) noexcept {
        write(slots_, tickets_, ticket, source);
    }

    // ---- Observers: any thread ----

    bool is_closed_for_sending() const noexcept {
        return (tail_.load(memory_order_seq_cst) & closed_bit) != 0; // pairs with close_sending
    }

    // Whether a try_send would find the ring full.
    bool is_full() const noexcept { return !may_send(); }

    // Counts sends that are under way, unless there is nothing else. A message counts until its room is there for others.
    std::size_t len() const noexcept {
        std::uint64_t received = received_.load(memory_order_acquire); // pairs with [received]
        for (int looks = 1;; ++looks) {
            const position head = head_.load(memory_order_acquire);
            const position tail = tail_index();
            const std::uint64_t now = received_.load(memory_order_acquire);
            if (now == received || looks == most_looks) {
                const std::uint64_t claimed = std::min<std::uint64_t>(tickets_.distance(0, tail) - received, capacity());
                return has_written(head, tail) ? static_cast<std::size_t>(claimed) : 0;
            }
            received = now; // a receive came between
        }
    }

    // ---- The receiver: one thread ----

    // The next message, in its slot until release(); null where there is none. Never waits.
    T* acquire() noexcept {
        if (T* const message = acquire_head()) [[likely]] {
            return message;
        }
        return look_.find(*this, own_head_, taking_) ? slots_.at(slot_of(taking_)).value : nullptr;
    }

    // Only a look at the head's slot, which touches nothing that senders write but that: may miss a message behind it.
    T* acquire_head() noexcept override {
        if (!seems_to_have_message()) {
            return nullptr;
        }
        taking_ = own_head_;
        return head_at_.value;
    }

    // Destroys the message that acquire() gave, or what was left of it, and gives its room back.
    void release(T* message) noexcept override {
        std::destroy_at(message);
        const position before = own_head_;
        if (!look_.is_active()) {
            move_head_on();
        } else if (!release_passed()) {
            count_received();
            return;
        }
        const bool was_waited = sending_.is_waited();
        if (was_waited) {
            serve_waiting(false, 0);
        }
        if (publish_head()) {
            settle(tickets_.distance(before, own_head_));
        } else if (was_waited) {
            this->run_completions();
        }
    }

    take_result<T> try_take(bool again) noexcept override {
        return again ? detail::poll(*this) : detail::try_take(*this);
    }
    take_result<T> take(deadline until) noexcept override { return detail::take_slowly(*this, until, no_stop()); }

    // The usual case of acquire(): no sender waits, and no message was taken out of its turn.
    WEIR_INLINE T* acquire_at_once() noexcept {
        const bool is_usual = !look_.is_active() && !sending_.is_waited();
        return is_usual && seems_to_have_message() ? head_at_.value : nullptr;
    }
    // Then release(), but for what settle() does, which is due where this returns true.
    WEIR_INLINE bool release_at_once(T* message) noexcept {
        std::destroy_at(message);
        move_head_on();
        return publish_head();
    }
    void settle() noexcept override { settle(1); }

    bool is_send_under_way() const noexcept { return own_head_ != tail_index(); }

    // Whether acquire() would find a message. Takes nothing.
    bool has_message() const noexcept { return seems_to_have_message() || look_.sees_any(*this, own_head_); }
    // Only a look at the head's slot.
    bool seems_to_have_message() const noexcept {
        // acquire, pairs with [written]
        return head_at_.state->load(memory_order_acquire) == head_written_;
    }

    enrolment enrol_receiver(waiter& node) noexcept { return detail::watch_for_message(*this, node); }
    void withdraw_receiver(waiter& node) noexcept { this->unwatch_receiving(node); }

    // Waits until poll() is true: acquire() gave a message, or none will come.
    template <class Poll, class Stop>
    wait_result wait(deadline until, const Stop& stop, Poll poll) noexcept {
        return receiving_.wait(
            received_.load(memory_order_relaxed), until, stop, [this]() noexcept { return acquire_head() != nullptr; },
            poll, [this]() noexcept { return is_send_under_way(); });
    }

    // A receive that does not wait found nothing, and may be called again at once.
    void hold_back() noexcept { receiving_.hold_back(received_.load(memory_order_relaxed)); }

    // ---- For look_ahead ----

    std::uint64_t tail_index() const noexcept {
        return tail_.load(memory_order_seq_cst) / 2; // pairs with the claims
    }
    static std::uint64_t index_of(position at) noexcept { return at; }
    static constexpr bool enter(position) noexcept { return true; }
    position after(position at) const noexcept { return tickets_.after(at); }
    bool is_written(position at) const noexcept {
        // acquire, pairs with [written]
        return slots_.at(slot_of(at)).state->load(memory_order_acquire) == written_in(tickets_.is_odd(at));
    }
    bool is_taken(position at) const noexcept {
        return slots_.at(slot_of(at)).state->load(memory_order_relaxed) == taken_in(tickets_.is_odd(at));
    }

private:
    static constexpr std::uint64_t closed_bit = 1;
    static constexpr std::size_t alignment = slots_type::alignment;
    static constexpr int most_looks = 8;

    // A few small slots share the line of the head: who waits for the one gets the other with it.
    static constexpr std::size_t near_bytes = cache_line - sizeof(std::uint64_t);
    static constexpr bool fits_near(std::size_t capacity) noexcept {
        return alignof(T) <= cache_line && capacity <= slots_type::lanes &&
               slots_type::bytes_used(capacity) <= near_bytes;
    }

    ring(std::byte* memory, std::size_t capacity) noexcept
        : channel_core<T>(flavor_kind::ring, capacity), tickets_(capacity),
          slots_(fits_near(capacity) ? near_ : memory + round_up(sizeof(ring), alignment)),
          sending_(capacity, sizeof(T)) {
        slots_.start(capacity);
        move_head(0);
    }

    ~ring() = default;

    std::size_t slot_of(position ticket) const noexcept { return tickets_.slot_of(ticket); }

    // How many may still be claimed, given the words tail_ and head_ as read.
    std::uint64_t room(std::uint64_t tail, position head) const noexcept {
        const std::uint64_t used = tickets_.distance(head, tail / 2);
        return used < capacity() ? capacity() - used : 0;
    }

    // Whether a message is there from `from` on and before `end`.
    bool has_written(position from, position end) const noexcept {
        while (from < end && !is_written(from)) {
            from = after(from);
        }
        return from < end;
    }

    // ---- Senders ----

    // The usual case; else the result of otherwise(), and nothing has happened before. All here and below ends by a return of
    // what a function gave that is not inlined, so that the usual case need save no registers: to restore them is to wait
    // for loads, which its claim holds up.
    template <class Source, class Otherwise>
    WEIR_INLINE send_result send_at_once(Source& source, Otherwise otherwise) {
        std::uint64_t tail = tail_.load(memory_order_relaxed); // the claim is what counts
        WEIR_POINT("ring.claim");
        if ((tail & closed_bit) == 0 && seems_to_have_room_for(tail / 2)) [[likely]] {
            const slots_type slots = slots_;
            const ring_tickets tickets = tickets_;
            const position ticket = tail / 2;
            if (claim(tail)) [[likely]] {
                return write(slots, tickets, ticket, source);
            }
        }
        return otherwise();
    }

    template <class Source>
    WEIR_NOINLINE send_result try_send_slowly(passed<Source> source) noexcept {
        std::uint64_t tail = tail_.load(memory_order_acquire); // pairs with close_sending
        for (backoff contention;;) {
            if ((tail & closed_bit) != 0) {
                return send_result::disconnected;
            }
            const position ticket = tail / 2;
            WEIR_POINT("ring.claim_again");
            if (!seems_to_have_room_for(ticket) && !has_room_for(ticket)) {
                WEIR_POINT("ring.full");
                // Full, if the tail that was read is still the tail; else it was too old to tell.
                const std::uint64_t now = tail_.load(memory_order_acquire);
                if (now == tail) {
                    return send_result::full;
                }
                tail = now;
            } else if (claim(tail)) {
                return write(slots_, tickets_, ticket, source);
            } else {
                contention.pause();
            }
        }
    }

    template <class Source, class Deadline, class Stop>
    WEIR_NOINLINE send_result send_slowly(passed<Source> source, const Deadline& until, const Stop& stop) {
        return detail::send_blocking(*this, sending_, source, until, stop);
    }

    // Claims the ticket in `tail`, as it was read; false, and a newer `tail`, where it is not the next any more.
    WEIR_INLINE bool claim(std::uint64_t& tail) noexcept {
        // seq_cst, pairs with tail_index; on failure acquire, pairs with close_sending
        return tail_.compare_exchange_strong(tail, after(tail / 2) * 2, memory_order_seq_cst, memory_order_acquire);
    }

    auto to_wake() const noexcept {
        return [this]() noexcept { return waiters_to_wake(); };
    }

    bool seems_to_have_room_for(std::uint64_t ticket) const noexcept {
        // acquire, pairs with [seen]: what the receiver did with the slot is done
        return tickets_.has_room(ticket, head_seen_.load(memory_order_acquire));
    }
    // A look at the head itself.
    bool has_room_for(std::uint64_t ticket) noexcept {
        const position head = head_.load(memory_order_acquire); // pairs with release()
        head_seen_.store(head, memory_order_release);           // [seen]
        return tickets_.has_room(ticket, head);
    }

    // Makes the message of a claimed ticket. What says where that is was loaded before the claim, which holds up loads.
    template <class Source>
    WEIR_INLINE send_result write(slots_type slots, ring_tickets tickets, position ticket, Source& source) noexcept {
        WEIR_POINT("ring.claimed");
        const std::size_t slot = tickets.slot_of(ticket);
        const place to = slots.at(slot);
        if (slot + prefetch_ahead<T> <= tickets_.last_slot()) [[likely]] {
            detail::prefetch_value<T>(reinterpret_cast<std::byte*>(to.value) +
                                      slots_type::bytes_between(prefetch_ahead<T>));
        }
        detail::take_lines(to.value);
        source.make_at(to.value);
        WEIR_POINT("ring.made");
        // [written] release, pairs with acquire() and is_written
        to.state->store(written_in(tickets.is_odd(ticket)), memory_order_release);
        WEIR_POINT("ring.written");
        if (const std::uint32_t flags = receiving_.flags_after_write(); flags != 0) [[unlikely]] {
            return after_write(flags);
        }
        return send_result::sent;
    }

    WEIR_NOINLINE send_result after_write(std::uint32_t flags) noexcept {
        channel_base::after_write(flags);
        return send_result::sent;
    }

    // ---- The receiver ----

    void move_head(position to) noexcept {
        own_head_ = to;
        head_at_ = slots_.at(slot_of(to));
        head_written_ = written_in(tickets_.is_odd(to));
    }

    // By one slot.
    WEIR_INLINE void move_head_on() noexcept {
        const position next = after(own_head_);
        if (slot_of(next) == 0) [[unlikely]] {
            move_head(next);
        } else {
            own_head_ = next;
            head_at_ = slots_type::after(head_at_);
        }
    }

    // True: somebody waits for it.
    WEIR_INLINE bool publish_head() noexcept {
        WEIR_POINT("ring.publish");
        head_.store(own_head_, memory_order_release); // pairs with has_room_for
        count_received();
        WEIR_POINT("ring.published");
        return sending_.is_waited_after_write();
    }

    // The message at taking_ has gone. False: that was behind the head, which stays.
    WEIR_NOINLINE bool release_passed() noexcept {
        position head = own_head_;
        if (!look_.take(*this, taking_, head)) {
            slots_.at(slot_of(taking_)).state->store(taken_in(tickets_.is_odd(taking_)), memory_order_relaxed);
            return false;
        }
        move_head(head);
        return true;
    }

    // [received] release, pairs with len(): who sees it sees the head that was published before
    WEIR_INLINE void count_received() noexcept {
        received_.store(received_.load(memory_order_relaxed) + 1, memory_order_release);
    }

    // The head that was published is `made` places on.
    void settle(std::uint64_t made) noexcept {
        serve_waiting(true, made);
        this->run_completions();
    }

    // Serves waiting senders, first come first served, as far as there is room before own_head_. `published`: whether that room
    // is there for all to see; `to_tell`: of how many places of it nobody has been told.
    WEIR_NOINLINE void serve_waiting(bool published, std::uint64_t to_tell) noexcept {
        while (room(tail_.load(memory_order_relaxed), own_head_) != 0) {
            waiter* const next = sending_.pop(published, to_wake());
            if (next == nullptr) {
                return;
            }
            if (next->asks_for() != service::tell) {
                serve(*next);
                continue;
            }
            next->finish(answer::retry);
            if (--to_tell == 0) { // the others when these have gone on
                return;
            }
        }
    }

    void serve(waiter& next) noexcept {
        std::uint64_t tail = tail_.load(memory_order_relaxed);
        while ((tail & closed_bit) == 0 && room(tail, own_head_) != 0) {
            const std::uint64_t ticket = tail / 2;
            if (tail_.compare_exchange_weak(tail, after(ticket) * 2, memory_order_relaxed, memory_order_relaxed)) {
                WEIR_POINT("ring.serve");
                const place at = slots_.at(slot_of(ticket));
                if (next.asks_for() == service::make) {
                    next.make_at(at.value);
                    at.state->store(written_in(tickets_.is_odd(ticket)), memory_order_relaxed); // read by this thread
                    next.finish(answer::served);
                } else {
                    next.grant(ticket);
                    next.finish(answer::granted);
                }
                return;
            }
        }
        next.finish(answer::retry);
    }

    void close_sending() noexcept override {
        if (!this->is_closed()) {
            tail_.fetch_or(closed_bit, memory_order_seq_cst); // pairs with the claims, is_closed_for_sending, enrol_sender
            this->set_closed();
            WEIR_POINT("ring.closing");
            sending_.wake_all();
        }
    }

    bool drain() noexcept override { return detail::drop_messages(*this); }

    void destroy() noexcept override {
        this->~ring();
        detail::deallocate(this);
    }

    alignas(cache_line) atomic<std::uint64_t> tail_{0};
    atomic<std::uint64_t> head_seen_{0};

    // Read by all, and `sending_`'s flag by the receiver for every message.
    alignas(cache_line) const ring_tickets tickets_;
    const slots_type slots_;
    sender_wait sending_;

    // The receiver's own; received_ is read by len().
    alignas(cache_line) position own_head_ = 0;
    place head_at_{};             // its slot
    slot_state head_written_ = 0; // what the state byte is where its message is there
    position taking_ = 0;
    atomic<std::uint64_t> received_{0}; // messages
    look_ahead<ring> look_;

    alignas(cache_line) std::byte near_[near_bytes];
    atomic<std::uint64_t> head_{0};
};

} // namespace weir::detail

#endif
