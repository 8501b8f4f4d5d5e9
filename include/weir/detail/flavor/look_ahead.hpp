// SPDX-License-Identifier: BSL-1.0
//
// Finding messages behind a stalled sender: how the receiver looks past slots that are claimed and not yet written.
//
// Order is kept because the tail is read before the looks: had a send below slot j returned before the send of j began, its
// write would happen before j's claim, hence before the tail that covers j was read, and the look would have found it.
// So: (1) read the tail, where the cursor has reached the one that was read last; (2) look at every hole again, lowest first;
// (3) go on from the cursor. The first written slot is the one to take.
//
// What is remembered between calls, so that a slot that was passed is not looked at each time:
//   holes_    the slots that were unwritten when looked at, in order; the head is the first. At most `remembered`.
//   cursor_   every slot between the head and here is a hole or was taken.
// Where there are more holes than are remembered the cursor stays at the first of the others, and each call walks on from
// there; slots taken there bear a mark.
//
// Queue: position, tail_index(), and for a position: is_before(position, index), enter(position&) (false where its memory is
// not there yet, so that it cannot be written), is_written, is_taken, after(position).
#ifndef WEIR_DETAIL_FLAVOR_LOOK_AHEAD_HPP
#define WEIR_DETAIL_FLAVOR_LOOK_AHEAD_HPP

#include <cstdint>

namespace weir::detail {

template <class Queue>
class look_ahead {
public:
    using position = typename Queue::position;

    // Whether slots behind the head were looked at, so that the head may not simply go on by one.
    bool is_active() const noexcept { return count_ != 0; }

    // The head is not written. True: `found` is the slot to take.
    bool find(Queue& queue, position head, position& found) noexcept {
        if (count_ == 0) {
            tail_ = queue.tail_index();
            if (!queue.is_before(head, tail_) || !queue.enter(head)) {
                return false;
            }
            holes_[0] = head;
            count_ = 1;
            cursor_ = queue.after(head);
        } else if (!queue.is_before(cursor_, tail_)) {
            tail_ = queue.tail_index();
        }
        for (unsigned i = 0; i < count_; ++i) {
            if (queue.is_written(holes_[i])) {
                found = holes_[i];
                return true;
            }
        }
        while (queue.is_before(cursor_, tail_) && queue.enter(cursor_)) {
            const position here = cursor_;
            if (queue.is_written(here)) {
                cursor_ = queue.after(here);
                found = here;
                return true;
            }
            if (!queue.is_taken(here)) {
                if (count_ == remembered) {
                    return find_beyond(queue, found);
                }
                holes_[count_++] = here;
            }
            cursor_ = queue.after(here);
        }
        return false;
    }

    // The message at `taken` has gone; its slot is marked unless it was the head. True: the head moves to `head`.
    bool take(Queue& queue, position taken, position& head) noexcept {
        unsigned hole = 0;
        while (hole < count_ && !(holes_[hole] == taken)) {
            ++hole;
        }
        if (hole < count_) {
            --count_;
            for (unsigned i = hole; i < count_; ++i) {
                holes_[i] = holes_[i + 1];
            }
        }
        if (hole != 0) {
            return false;
        }
        if (count_ != 0) {
            head = holes_[0];
            return true;
        }
        while (queue.is_before(cursor_, tail_) && queue.enter(cursor_) && queue.is_taken(cursor_)) {
            cursor_ = queue.after(cursor_);
        }
        head = cursor_;
        return true;
    }

private:
    static constexpr unsigned remembered = 8;

    bool find_beyond(Queue& queue, position& found) noexcept {
        for (position here = queue.after(cursor_); queue.is_before(here, tail_) && queue.enter(here);
             here = queue.after(here)) {
            if (queue.is_written(here)) {
                found = here;
                return true;
            }
        }
        return false;
    }

    unsigned count_ = 0;
    position holes_[remembered] = {};
    position cursor_ = {};
    std::uint64_t tail_ = 0;
};

} // namespace weir::detail

#endif
