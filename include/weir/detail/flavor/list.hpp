// SPDX-License-Identifier: BSL-1.0
//
// The unbounded channel: a list of blocks of slots. Sending never waits.
//
// A sender claims an index by one read-modify-write of `tail_`, finds the block that holds it, makes the message in
// its slot, stores the slot's state, and looks whether the receiver is to be told. The receiver takes the slots in
// order, with plain loads and stores; where one is claimed and not yet written it looks past it (look_ahead.hpp).
//
// What must hold
//  I1  An index is claimed only where memory for it is there, or sure to be: see "Memory".
//  I2  A block is freed or used again only when no sender can still touch it: see "Blocks".
//  I3  Indices at or above the one in tail_ when its closed bit was set are never written.
//  I4  A sender touches neither its slot nor its block once it has stored the slot's state.
//
// Words        written by                         meaning
//  tail_        senders (claim), receiver (close)  next index, shifted by one; bit 0: closed
//  hint_        senders, receiver                  a block from which senders start to look for theirs
//  linked_end_  senders                            index behind the last linked block; only grows
//  low_mark_    senders                            the linked end at which memory was found out; only grows
//  pins_        senders                            how many walk the blocks without a claim
//
// Memory. The first block lies in the state. While low_mark_ >= linked_end_ (at the start, and where memory was out) a
// sender goes the careful way: it claims by compare-exchange, and only below linked_end_, or links a block before. Else it
// claims blindly by fetch_add, and if its slot is one of the last `reserve` of the last block it links the next one; if
// memory is out it raises low_mark_ to that end before it goes on. A thread thus makes at most one blind claim in a reserve,
// and up to `reserve` threads at once find their slots there. Blocks of large messages have too few slots for a reserve:
// their senders always go the careful way.
//
// Blocks. The hint is loaded after the claim, and moved one block at a time. Who moves it off a block reads the tail after
// that: every sender that loaded the hint before the move had claimed a lower index. (Claim, load of the hint, move and load
// of the tail are all seq_cst.) When the head has passed that index all of them have stored their slots, and so have let go
// of the block (I4). A hint may run ahead of a sender; the slot that it claimed keeps its own and all later blocks, since
// blocks are freed in order, and it walks back. Who walks without a claim (to link a block, or to look whether a message is
// there) raises pins_ before it loads the hint or the head's block; the receiver reads pins_ after both have left the block,
// and frees nothing while there is one.
//
// Crowds. Two senders that stream side by side get less through than one alone: each takes the other's lines. So a sender
// that finds the slot before its own claimed and not written stands back once it has sent (backoff.hpp). It looks at one
// slot in `slots_a_look`: of two that claim by turns one stands back, and one alone hardly looks.
#ifndef WEIR_DETAIL_FLAVOR_LIST_HPP
#define WEIR_DETAIL_FLAVOR_LIST_HPP

#include <weir/detail/channel_core.hpp>
#include <weir/detail/flavor/list_block.hpp>
#include <weir/detail/flavor/look_ahead.hpp>
#include <weir/detail/flavor/prefetch.hpp>
#include <weir/detail/flavor/send_result.hpp>
#include <weir/detail/flavor/spare_blocks.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/backoff.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace weir::detail {

template <class T, class Sizes = list_sizes<T>>
class list final : public channel_core<T> {
    using block = list_block<T>;
    using channel_base::receiving_;

public:
    using position = list_position<T>;

    // Throws std::bad_alloc.
    static list* make() { return ::new (allocate(sizeof(list), alignment)) list(); }

    // ---- Senders: any thread ----

    // Never waits. `source` is untouched unless the result is `sent`. Throws std::bad_alloc, likewise.
    template <class Source>
    WEIR_INLINE send_result try_send(Source& source) {
        // acquire, pairs with [advance]: where memory is out nothing but the linked block is there for the claim
        if (claims_blindly && low_mark_.load(memory_order_relaxed) < linked_end_.load(memory_order_acquire))
            [[likely]] {
            const std::uint64_t claimed = tail_.fetch_add(step, memory_order_seq_cst); // pairs with tail_index, move_hint
            if ((claimed & closed_bit) != 0) [[unlikely]] {
                return send_result::disconnected;
            }
            return write(claimed / step, source);
        }
        return send_carefully<Source>(source);
    }

    // Sees to it that a send finds memory, if no others use it up first. Throws std::bad_alloc.
    void make_room() {
        for (;;) {
            const std::uint64_t end = linked_end_.load(memory_order_relaxed);
            const std::uint64_t tail = tail_.load(memory_order_relaxed);
            const bool is_blind = claims_blindly && low_mark_.load(memory_order_relaxed) < end;
            if (is_blind || (tail & closed_bit) != 0 || !needs_block(tail, end)) {
                return;
            }
            extend(end);
        }
    }

    bool is_closed_for_sending() const noexcept {
        return (tail_.load(memory_order_seq_cst) & closed_bit) != 0; // pairs with close_sending
    }

    // Counts sends that are under way, unless there is nothing else.
    std::size_t len() noexcept {
        for (int looks = 1;; ++looks) {
            const std::uint64_t before = received();
            const std::uint64_t sent = tail_index();
            const bool is_there = sent > before && has_written(sent);
            if (received() == before || looks == most_looks) { // else a receive came between
                return is_there ? static_cast<std::size_t>(sent - before) : 0;
            }
        }
    }

    // ---- The receiver: one thread ----

    // The next message, in its slot until release(); null where there is none. Never waits.
    T* acquire() noexcept {
        T* const message = acquire_head();
        return message != nullptr ? message : acquire_slowly();
    }

    // Only a look at the head's slot, which touches nothing that senders write but that: may miss a message behind it.
    T* acquire_head() noexcept override {
        if (!is_head_written()) {
            return nullptr;
        }
        if (look_.is_active()) [[unlikely]] {
            taking_ = head_;
        }
        return head_.in->value(head_.slot);
    }

    // Destroys the message that acquire() gave, or what was left of it, and gives its slot back.
    void release(T* message) noexcept override {
        if (!look_.is_active()) {
            release_at_once(message);
        } else {
            std::destroy_at(message);
            release_passed();
        }
    }

    take_result<T> try_take(bool again) noexcept override {
        return again ? detail::poll(*this) : detail::try_take(*this);
    }
    take_result<T> take(deadline until) noexcept override { return detail::take_slowly(*this, until, no_stop()); }

    // The usual case of both: no message was taken out of its turn.
    WEIR_INLINE T* acquire_at_once() noexcept {
        return is_head_written() && !look_.is_active() ? head_.in->value(head_.slot) : nullptr;
    }
    WEIR_INLINE bool release_at_once(T* message) noexcept {
        std::destroy_at(message);
        ++head_.slot;
        head_index_.store(head_index_.load(memory_order_relaxed) + 1, memory_order_relaxed);
        return false;
    }

    // Whether acquire() would find a message. Takes nothing.
    bool has_message() const noexcept { return is_head_written() || look_.sees_any(*this, head_); }
    // Only a look at the head's slot, as acquire_head(); true where that would not tell.
    bool seems_to_have_message() const noexcept { return head_.slot == head_.in->size || is_head_written(); }

    // A receive found nothing, and says so or sleeps: two blocks are enough.
    void found_empty() noexcept { free_spares(head_.in->next.load(memory_order_relaxed) == nullptr ? 1 : 0); }

    enrolment enrol_receiver(waiter& node) noexcept { return detail::watch_for_message(*this, node); }
    void withdraw_receiver(waiter& node) noexcept { this->unwatch_receiving(node); }

    // A receive that does not wait found nothing, and may be called again at once.
    void hold_back() noexcept { receiving_.hold_back(received()); }

    bool is_send_under_way() const noexcept { return head_index_.load(memory_order_relaxed) != tail_index(); }

    // Waits until poll() is true: acquire() gave a message, or none will come.
    template <class Poll, class Stop>
    wait_result wait(deadline until, const Stop& stop, Poll poll) noexcept {
        if (head_.slot == head_.in->size && poll()) {
            return wait_result::ready; // the end of a block only looked like an empty channel
        }
        return receiving_.wait(
            received(), until, stop, [this]() noexcept { return glance(); }, poll,
            [this]() noexcept { return is_send_under_way(); }, [this]() noexcept { found_empty(); });
    }

    // ---- For look_ahead ----

    std::uint64_t tail_index() const noexcept {
        const std::uint64_t tail = tail_.load(memory_order_seq_cst); // pairs with the claims
        return (tail & closed_bit) == 0 ? tail / step : std::min(tail / step, final_.load(memory_order_acquire));
    }
    static std::uint64_t index_of(const position& at) noexcept { return at.in->start + at.slot; }
    // Goes on to the next block where this one is at its end.
    static bool enter(position& at) noexcept {
        while (at.slot == at.in->size) {
            block* const next = at.in->next.load(memory_order_acquire); // pairs with [linked]
            if (next == nullptr) {
                return false;
            }
            at = {next, 0};
        }
        return true;
    }
    static position after(position at) noexcept { return {at.in, at.slot + 1}; }
    static bool is_written(const position& at) noexcept {
        return at.in->state(at.slot).load(memory_order_acquire) == at.in->written(); // pairs with [written]
    }
    static bool is_taken(const position& at) noexcept {
        return at.in->state(at.slot).load(memory_order_relaxed) == at.in->taken();
    }

private:
    static constexpr std::uint64_t closed_bit = 1;
    static constexpr std::uint64_t step = 2;
    static constexpr bool claims_blindly = Sizes::reserve != 0;
    static constexpr int most_looks = 8;
    static constexpr std::size_t alignment = alignof(T) > cache_line ? alignof(T) : cache_line;

    list() noexcept : channel_core<T>(flavor_kind::list, ~std::uint64_t{0}) {
        hint_.store(first_.get(), memory_order_relaxed);
        head_ = {first_.get(), 0};
        head_written_ = first_.get()->written();
        head_block_.store(first_.get(), memory_order_relaxed);
        oldest_ = first_.get();
    }

    ~list() = default;

    // ---- Senders ----

    // For one claim that cannot go wrong: an index whose block is linked, or the closed bit. Throws std::bad_alloc.
    std::uint64_t claim_carefully() {
        for (std::uint64_t tail = tail_.load(memory_order_acquire); (tail & closed_bit) == 0;
             tail = tail_.load(memory_order_acquire)) {                       // pairs with close_sending
            const std::uint64_t end = linked_end_.load(memory_order_acquire); // pairs with [advance]
            if (claims_blindly && low_mark_.load(memory_order_relaxed) < end) {
                return tail_.fetch_add(step, memory_order_seq_cst);
            }
            if (needs_block(tail, end)) {
                extend(end);
            } else if (tail_.compare_exchange_weak(tail, tail + step, memory_order_seq_cst, memory_order_relaxed)) {
                return tail; // seq_cst, pairs with tail_index, move_hint
            }
        }
        return closed_bit;
    }

    // Whether the next careful claim has to link a block first.
    static bool needs_block(std::uint64_t tail, std::uint64_t end) noexcept {
        const bool reserved = claims_blindly && end != Sizes::embedded_slots;
        return reserved || tail / step >= end;
    }

    std::uint64_t received() const noexcept {
        return head_index_.load(memory_order_relaxed) + passed_.load(memory_order_relaxed);
    }

    // Whether a message below `end` is there.
    bool has_written(std::uint64_t end) noexcept {
        const block_pin pinned(pins_);
        position at{head_block_.load(memory_order_seq_cst), 0}; // pairs with move_head
        if (const std::uint64_t head = head_index_.load(memory_order_relaxed); head > at.in->start) {
            at.slot = static_cast<std::uint32_t>(std::min<std::uint64_t>(head - at.in->start, at.in->size));
        }
        for (; enter(at) && index_of(at) < end; at = after(at)) {
            if (is_written(at)) {
                return true;
            }
        }
        return false;
    }

    // Links a block behind `end`, if nobody else did. Throws std::bad_alloc.
    WEIR_NOINLINE void extend(std::uint64_t end) {
        const block_pin pinned(pins_);
        block* last = hint_.load(memory_order_seq_cst); // pairs with move_hint
        while (block* const next = last->next.load(memory_order_acquire)) {
            last = next;
        }
        if (last->end() != end) {
            advance(linked_end_, last->end());
        } else if (link_next(last) == nullptr) {
            throw_bad_alloc();
        }
    }

    // The block behind `last`, which is ours or another sender's; null where memory is out.
    block* link_next(block* last) noexcept {
        block* fresh = spare_.take();
        if (fresh == nullptr) {
            fresh = try_make_block<T>(Sizes::slots, Sizes::reserve);
        }
        if (fresh == nullptr) {
            return last->next.load(memory_order_acquire);
        }
        fresh->start = last->end();
        fresh->previous = last;
        WEIR_POINT("list.link");
        block* next = nullptr;
        // [linked] release, pairs with the acquires of next
        if (last->next.compare_exchange_strong(next, fresh, memory_order_release, memory_order_acquire)) {
            next = fresh;
        } else {
            spare_.give(fresh);
        }
        WEIR_POINT("list.linked");
        advance(linked_end_, next->end());
        return next;
    }

    template <class Source>
    WEIR_NOINLINE send_result send_carefully(passed<Source> source) {
        const std::uint64_t claimed = claim_carefully();
        if ((claimed & closed_bit) != 0) {
            return send_result::disconnected;
        }
        return write(claimed / step, source);
    }

    // The message of a claimed index. As in a ring, each way of a send ends by the return of what a function gave that is not
    // inlined: the usual one need save no registers then.
    template <class Source>
    WEIR_INLINE send_result write(std::uint64_t index, Source& source) noexcept {
        WEIR_POINT("list.claimed");
        block* const in = hint_.load(memory_order_seq_cst); // pairs with move_hint
        WEIR_POINT("list.hinted");
        if (index - in->start < in->low && index % Sizes::slots_a_look != 0) [[likely]] {
            return write_in(in, index, false, source);
        }
        return write_slowly<Source>(in, index, source);
    }

    template <class Source>
    WEIR_NOINLINE send_result write_slowly(block* hint, std::uint64_t index, passed<Source> source) noexcept {
        block* const in = index - hint->start < hint->low ? hint : find_block(hint, index);
        const auto slot = static_cast<std::uint32_t>(index - in->start);
        const bool is_look = index % Sizes::slots_a_look == 0 && slot != 0;
        return write_in(in, index, is_look && is_under_way({in, slot - 1}), source);
    }

    template <class Source>
    WEIR_INLINE send_result write_in(block* in, std::uint64_t index, bool is_crowded, Source& source) noexcept {
        const auto slot = static_cast<std::uint32_t>(index - in->start);
        if (slot + prefetch_ahead<T> < in->size) [[likely]] {
            detail::prefetch_value<T>(in->value(slot + prefetch_ahead<T>));
        }
        detail::take_lines(in->value(slot));
        source.make_at(in->value(slot));
        WEIR_POINT("list.made");
        // [written] release, pairs with acquire() and is_written
        in->state(slot).store(in->written(), memory_order_release);
        WEIR_POINT("list.written");
        const std::uint32_t flags = receiving_.flags_after_write();
        if (flags != 0 || is_crowded) [[unlikely]] {
            return after_write(flags, is_crowded, index);
        }
        return send_result::sent;
    }

    WEIR_NOINLINE send_result after_write(std::uint32_t flags, bool is_crowded, std::uint64_t index) noexcept {
        if (flags != 0) {
            channel_base::after_write(flags);
        }
        if (is_crowded) {
            WEIR_POINT("list.crowded");
            crowd_.stand_back(index, [this]() noexcept { return tail_.load(memory_order_relaxed) / step; });
        }
        return send_result::sent;
    }

    static bool is_under_way(const position& claimed) noexcept { return !is_written(claimed) && !is_taken(claimed); }

    // The block that holds a claimed index. Sees to it that there is one behind, where that is this sender's part.
    WEIR_NOINLINE block* find_block(block* in, std::uint64_t index) noexcept {
        while (index < in->start) {
            in = in->previous;
        }
        while (index - in->start >= in->size) {
            block* next = in->next.load(memory_order_acquire); // pairs with [linked]
            if (next == nullptr && (next = link_next(in)) == nullptr) {
                fatal("memory is out, and more than 256 threads are inside send on one channel");
            }
            move_hint(in, next);
            in = next;
        }
        if (index - in->start >= in->low && in->next.load(memory_order_relaxed) == nullptr &&
            link_next(in) == nullptr) {
            advance(low_mark_, in->end());
        }
        return in;
    }

    // Off `from`, if it is there. Needs a claim behind `from`, or to be the receiver.
    void move_hint(block* from, block* to) noexcept {
        block* seen = from;
        // seq_cst, and where it has moved already, too: pairs with the claims and the loads of the hint after them
        if (hint_.compare_exchange_strong(seen, to, memory_order_seq_cst, memory_order_seq_cst)) {
            WEIR_POINT("list.hint_moved");
            from->passed_at.store(tail_.load(memory_order_seq_cst) / step, memory_order_relaxed);
        }
    }

    // ---- The receiver ----

    WEIR_INLINE bool is_head_written() const noexcept {
        // acquire, pairs with [written]
        return head_.in->state(head_.slot).load(memory_order_acquire) == head_written_;
    }

    // The look of a receiver that waits.
    bool glance() const noexcept {
        const bool found = seems_to_have_message();
        if (!found) {
            detail::prefetch_awaited(head_.in->value(head_.slot));
        }
        return found;
    }

    WEIR_NOINLINE T* acquire_slowly() noexcept {
        if (look_.is_active() || head_.slot != head_.in->size) {
            if (look_.find(*this, head_, taking_)) {
                return taking_.in->value(taking_.slot);
            }
        } else if (position next = head_; enter(next)) {
            move_head(next);
            return acquire();
        }
        return nullptr;
    }

    void release_passed() noexcept {
        taking_.in->state(taking_.slot).store(taking_.in->taken(), memory_order_relaxed);
        passed_.store(passed_.load(memory_order_relaxed) + 1, memory_order_relaxed);
        if (position head = head_; look_.take(*this, taking_, head)) {
            const std::uint64_t steps = index_of(head) - head_index_.load(memory_order_relaxed);
            passed_.store(passed_.load(memory_order_relaxed) - steps, memory_order_relaxed);
            move_head(head);
        }
    }

    void move_head(position to) noexcept {
        const bool crossed = to.in != head_.in;
        head_ = to;
        head_written_ = to.in->written();
        head_index_.store(index_of(to), memory_order_relaxed);
        if (crossed) {
            head_block_.store(to.in, memory_order_seq_cst); // pairs with has_written
            reclaim();
        }
    }

    // Gives back the blocks before the head's that no sender can touch any more.
    void reclaim() noexcept {
        while (oldest_ != head_.in) {
            block* const done = oldest_;
            block* const next = done->next.load(memory_order_relaxed);
            move_hint(done, next);
            std::uint64_t passed_at = done->passed_at.load(memory_order_relaxed);
            if (passed_at == block::unknown) {
                // Whoever moved the hint has not noted the tail yet: read it here. That sender's own claim lies below
                // it.
                passed_at = tail_.load(memory_order_seq_cst) / step;
                done->passed_at.store(passed_at, memory_order_relaxed);
            }
            if (head_index_.load(memory_order_relaxed) < std::min(passed_at, final_.load(memory_order_relaxed))) {
                return;
            }
            WEIR_POINT("list.reclaim");
            // acquire, pairs with the end of extend; seq_cst, pairs with its begin
            if (pins_.load(memory_order_seq_cst) != 0) {
                return;
            }
            oldest_ = next;
            if (done != first_.get()) {
                done->reuse();
                resting_.rest(done, spare_);
            }
        }
    }

    void close_sending() noexcept override {
        if (!this->is_closed()) {
            const std::uint64_t tail = tail_.fetch_or(closed_bit, memory_order_seq_cst); // pairs with the claims
            WEIR_POINT("list.closing");
            final_.store(tail / step, memory_order_release); // pairs with tail_index
            this->set_closed();
        }
    }

    bool drain() noexcept override {
        const bool more_may_come = detail::drop_messages(*this);
        free_spares(0);
        return more_may_come;
    }

    void free_spares(std::ptrdiff_t kept) noexcept {
        if (linked_end_.load(memory_order_relaxed) != Sizes::embedded_slots) { // else there never was one
            reclaim();
            resting_.end(spare_);
            spare_.free(kept);
        }
    }

    void destroy() noexcept override {
        free_spares(0);
        for (block* in = oldest_; in != nullptr;) {
            block* const next = in->next.load(memory_order_relaxed);
            if (in != first_.get()) {
                detail::free_block(in);
            }
            in = next;
        }
        this->~list();
        detail::deallocate(this);
    }

    alignas(cache_line) atomic<std::uint64_t> tail_{0};

    alignas(cache_line) atomic<block*> hint_{nullptr};
    atomic<std::uint64_t> linked_end_{Sizes::embedded_slots};
    atomic<std::uint64_t> low_mark_{Sizes::embedded_slots};
    spare_blocks<T, Sizes> spare_;
    atomic<std::uint64_t> final_{~std::uint64_t{0}}; // the last index and one, once closed
    atomic<std::uint32_t> pins_{0};
    crowd crowd_; // of senders

    // The receiver's own; the atomic ones are read by len().
    alignas(cache_line) position head_;
    slot_state head_written_ = 0; // what the state byte is where the head's message is there
    position taking_;             // the slot that acquire() gave, where look_ is active
    atomic<std::uint64_t> head_index_{0};
    atomic<std::uint64_t> passed_{0};    // messages taken behind the head
    atomic<block*> head_block_{nullptr}; // head_.in
    plain<block*> oldest_ = nullptr;     // the first that is not given back
    look_ahead<list> look_;
    resting_blocks<T, Sizes> resting_;

    embedded_block<T, Sizes::embedded_slots> first_;
};

} // namespace weir::detail

#endif
