// SPDX-License-Identifier: BSL-1.0
//
// Finding messages behind a stalled sender: how the receiver looks past slots that are claimed and not yet written.
//
// A round reads the tail, then looks at every hole known so far, lowest first, then walks on to that tail; the first
// written slot is the one to take. The next call goes on with the round. A call finds nothing only after a whole
// round of its own.
//
// Order is kept. Let the send of slot i < j have returned before that of j began. Then i was written before j was
// claimed, hence before the tail that covers j was read; so the look at i, which came later in the round, has found
// it. A hole that is written after its look in the round does not matter: its send had not returned when all slots of
// the round were claimed.
//
// What is remembered, so that no slot that was passed is looked at again and again:
//   holes_     the slots that were unwritten when looked at, in order; the head is the first. As many as there are
//              stalled senders; memory for more than a few is taken when they come, and kept
//   looked_    how many of the holes the round has looked at
//   cursor_    every slot between the head and here is a hole or was taken
// Where there is no memory for another hole the cursor stays there, and a round walks on from it alone:
//   beyond_    where the round is, that far behind the cursor
//   marked_    index behind the last slot that was taken there; such slots bear a mark
//
// Queue: position; tail_index(); and for a position: index_of, enter(position&) (false where its memory is not there
// yet, so that it cannot be written), is_written, is_taken, after. Positions are ordered as their indices are.
#ifndef WEIR_DETAIL_FLAVOR_LOOK_AHEAD_HPP
#define WEIR_DETAIL_FLAVOR_LOOK_AHEAD_HPP

#include <weir/detail/memory.hpp>
#include <weir/detail/platform/injection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace weir::detail {

// Positions in order. Takes memory where a few are too many, and goes without where there is none.
template <class Position>
class hole_list {
public:
    hole_list() noexcept = default;
    hole_list(const hole_list&) = delete;
    hole_list& operator=(const hole_list&) = delete;
    ~hole_list() { free_memory(); }

    std::size_t size() const noexcept { return size_; }
    const Position& operator[](std::size_t i) const noexcept { return data_[i]; }

    // False where memory is out.
    bool push_back(const Position& position) noexcept {
        if (size_ == room_ && !grow()) {
            return false;
        }
        data_[size_++] = position;
        return true;
    }

    // The place of `position`; size() if it is not here.
    std::size_t find(const Position& position) const noexcept {
        return static_cast<std::size_t>(std::find(data_, data_ + size_, position) - data_);
    }

    void erase(std::size_t i) noexcept {
        std::copy(data_ + i + 1, data_ + size_, data_ + i);
        --size_;
    }

private:
    static constexpr std::size_t few = 4;

    bool grow() noexcept {
        auto* const more =
            static_cast<Position*>(try_allocate(2 * room_ * sizeof(Position), alignof(std::max_align_t)));
        if (more == nullptr) {
            return false;
        }
        std::uninitialized_copy(data_, data_ + size_, more);
        free_memory();
        data_ = more;
        room_ *= 2;
        return true;
    }

    void free_memory() noexcept {
        if (data_ != inside_) {
            detail::deallocate(data_);
        }
    }

    Position inside_[few] = {};
    Position* data_ = inside_;
    std::size_t size_ = 0;
    std::size_t room_ = few;
};

template <class Queue>
class look_ahead {
public:
    using position = typename Queue::position;

    // Whether slots behind the head were looked at, so that the head may not simply go on by one.
    bool is_active() const noexcept { return holes_.size() != 0; }

    // The head is not written. True: `found` is the slot to take.
    bool find(Queue& queue, position head, position& found) noexcept {
        bool whole_round = !is_active();
        if (whole_round) {
            if (!queue.enter(head) || queue.index_of(head) >= queue.tail_index()) {
                return false;
            }
            holes_.push_back(head); // there is room for one
            cursor_ = queue.after(head);
            start_round(queue);
        }
        while (!go_on(queue, found)) {
            if (whole_round) {
                return false;
            }
            start_round(queue);
            whole_round = true;
        }
        return true;
    }

    // Whether find() would find one; changes nothing.
    bool sees_any(const Queue& queue, const position& head) const noexcept {
        const std::uint64_t tail = queue.tail_index();
        for (std::size_t hole = 0; hole < holes_.size(); ++hole) {
            if (queue.is_written(holes_[hole])) {
                return true;
            }
        }
        for (position at = is_active() ? cursor_ : head; queue.index_of(at) < tail && queue.enter(at);
             at = queue.after(at)) {
            if (queue.is_written(at)) {
                return true;
            }
        }
        return false;
    }

    // The message at `taken` has gone, and its slot is marked. True: the head moves to `head`.
    bool take(Queue& queue, position taken, position& head) noexcept {
        const std::size_t hole = holes_.find(taken);
        if (hole == holes_.size()) {
            if (queue.index_of(taken) >= queue.index_of(cursor_)) {
                marked_ = std::max(marked_, queue.index_of(queue.after(taken)));
            }
            return false;
        }
        holes_.erase(hole);
        if (hole < looked_) {
            --looked_;
        }
        if (hole != 0) {
            return false;
        }
        if (is_active()) {
            head = holes_[0];
            return true;
        }
        while (queue.index_of(cursor_) < marked_ && queue.enter(cursor_) && queue.is_taken(cursor_)) {
            cursor_ = queue.after(cursor_);
        }
        head = cursor_;
        if (queue.index_of(cursor_) < marked_) {
            holes_.push_back(cursor_); // slots behind it were taken, so the look goes on from here
            cursor_ = queue.after(cursor_);
        }
        return true;
    }

private:
    void start_round(Queue& queue) noexcept {
        tail_ = queue.tail_index();
        WEIR_POINT("look.round");
        looked_ = 0;
        is_beyond_ = false;
    }

    bool go_on(Queue& queue, position& found) noexcept {
        for (; looked_ < holes_.size(); ++looked_) {
            if (queue.is_written(holes_[looked_])) {
                found = holes_[looked_];
                return true;
            }
            WEIR_POINT("look.hole");
        }
        for (; is_in_round(queue, cursor_); cursor_ = queue.after(cursor_)) {
            if (queue.is_written(cursor_)) {
                found = cursor_;
                cursor_ = queue.after(cursor_);
                return true;
            }
            WEIR_POINT("look.hole");
            if (!queue.is_taken(cursor_)) {
                if (!holes_.push_back(cursor_)) {
                    return go_on_beyond(queue, found);
                }
                looked_ = holes_.size();
            }
        }
        return false;
    }

    bool go_on_beyond(Queue& queue, position& found) noexcept {
        if (!is_beyond_) {
            is_beyond_ = true;
            beyond_ = cursor_;
        }
        for (; is_in_round(queue, beyond_); beyond_ = queue.after(beyond_)) {
            if (queue.is_written(beyond_)) {
                found = beyond_;
                beyond_ = queue.after(beyond_);
                return true;
            }
        }
        return false;
    }

    bool is_in_round(Queue& queue, position& at) const noexcept {
        return queue.index_of(at) < tail_ && queue.enter(at);
    }

    hole_list<position> holes_;
    std::size_t looked_ = 0;
    position cursor_ = {};
    std::uint64_t tail_ = 0;
    position beyond_ = {};
    bool is_beyond_ = false;
    std::uint64_t marked_ = 0;
};

} // namespace weir::detail

#endif
