// SPDX-License-Identifier: BSL-1.0
//
// The one thread that tells waits without a thread that their time has come. It is started by the first of them, and stays.
//
// The waits stand in a pairing heap, the one that is due first at its root: M. Fredman and others, "The pairing heap: a new
// form of self-adjusting heap", 1986. The links are the waits' own.
#ifndef WEIR_DETAIL_WAIT_TIMER_THREAD_HPP
#define WEIR_DETAIL_WAIT_TIMER_THREAD_HPP

#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <memory>
#include <thread>
#include <utility>

namespace weir::detail {

// A waiter's place in the heap. One that was added must be removed before it goes.
class timed_wait {
public:
    timed_wait() noexcept = default;
    timed_wait(const timed_wait&) = delete;
    timed_wait& operator=(const timed_wait&) = delete;

    // While it is not inside.
    void set(waiter& who, deadline due) noexcept {
        who_ = &who;
        due_ = due;
    }
    waiter& who() const noexcept { return *who_; }
    deadline due() const noexcept { return due_; }

private:
    friend class timed_heap;
    friend class timer_thread;

    waiter* who_ = nullptr;
    deadline due_ = deadline::never();
    bool is_inside_ = false;
    timed_wait* child_ = nullptr;
    timed_wait* next_ = nullptr;     // sibling; among those that are told: the next
    timed_wait* previous_ = nullptr; // sibling, or the parent of the first
};

class timed_heap {
public:
    timed_wait* first() const noexcept { return root_; }

    void add(timed_wait& added) noexcept {
        added.is_inside_ = true;
        added.child_ = added.next_ = added.previous_ = nullptr;
        root_ = merge(root_, &added);
    }

    // Nothing where it is not inside.
    void remove(timed_wait& removed) noexcept {
        if (!removed.is_inside_) {
            return;
        }
        removed.is_inside_ = false;
        timed_wait* const below = merge_all(removed.child_);
        if (&removed == root_) {
            root_ = below;
            return;
        }
        (removed.previous_->child_ == &removed ? removed.previous_->child_ : removed.previous_->next_) = removed.next_;
        if (removed.next_ != nullptr) {
            removed.next_->previous_ = removed.previous_;
        }
        root_ = merge(root_, below);
    }

private:
    // Of two roots without siblings.
    static timed_wait* merge(timed_wait* one, timed_wait* other) noexcept {
        if (one == nullptr || other == nullptr) {
            return one != nullptr ? one : other;
        }
        if (other->due_ < one->due_) {
            std::swap(one, other);
        }
        other->previous_ = one;
        other->next_ = one->child_;
        if (one->child_ != nullptr) {
            one->child_->previous_ = other;
        }
        one->child_ = other;
        return one;
    }

    // Of siblings: by pairs, from the first on, and then all pairs, from the last back.
    static timed_wait* merge_all(timed_wait* first) noexcept {
        timed_wait* pairs = nullptr;
        while (first != nullptr) {
            timed_wait* const one = first;
            timed_wait* const other = std::exchange(one->next_, nullptr);
            first = other != nullptr ? std::exchange(other->next_, nullptr) : nullptr;
            timed_wait* const pair = merge(one, other);
            pair->next_ = pairs;
            pairs = pair;
        }
        timed_wait* root = nullptr;
        while (pairs != nullptr) {
            timed_wait* const pair = pairs;
            pairs = std::exchange(pair->next_, nullptr);
            root = merge(root, pair);
        }
        if (root != nullptr) {
            root->previous_ = nullptr;
        }
        return root;
    }

    timed_wait* root_ = nullptr;
};

class timer_thread {
public:
    // Throws std::system_error where the thread cannot be started, std::bad_alloc.
    static timer_thread& started() {
        static timer_thread& the_one = *start(); // never destroyed: its thread is never joined
        return the_one;
    }

    // `who` is told to look again when the time has come.
    void add(timed_wait& place, deadline due, waiter& who) noexcept {
        if (due.is_never()) {
            return;
        }
        place.set(who, due);
        lock_.lock();
        heap_.add(place);
        const bool is_first = heap_.first() == &place;
        unlock();
        if (is_first) {
            parker_.unpark();
        }
    }
    void remove(timed_wait& place) noexcept {
        lock_.lock();
        heap_.remove(place);
        unlock();
    }

private:
    timer_thread() = default;

    static timer_thread* start() {
        auto made = std::unique_ptr<timer_thread>(new timer_thread);
        std::thread([service = made.get()]() noexcept { service->run(); }).detach();
        return made.release();
    }

    void unlock() noexcept { lock_.unlock(); }

    void run() noexcept {
        for (;;) {
            deadline next = deadline::never();
            if (timed_wait* told = pop_due(next)) {
                while (told != nullptr) {
                    waiter& who = told->who();
                    told = told->next_;
                    who.finish(answer::retry);
                }
                completions::run();
            } else {
                parker_.park(next);
            }
        }
    }

    // Those that are due and whose claim is won; when the next is.
    timed_wait* pop_due(deadline& next) noexcept {
        timed_wait* claimed = nullptr;
        timed_wait** last = &claimed;
        lock_.lock();
        while (timed_wait* const first = heap_.first()) {
            if (!first->due().has_passed()) {
                next = first->due();
                break;
            }
            heap_.remove(*first);
            if (first->who().take()) {
                first->next_ = nullptr;
                *last = first;
                last = &first->next_;
            }
        }
        unlock();
        return claimed;
    }

    debt_lock lock_;
    timed_heap heap_;
    parker parker_;
};

} // namespace weir::detail

#endif
