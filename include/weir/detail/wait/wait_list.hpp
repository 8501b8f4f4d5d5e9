// SPDX-License-Identifier: BSL-1.0
//
// The waiters of one side of a channel, in the order they came. All but empty-handed looks happen under the owner's
// lock.
#ifndef WEIR_DETAIL_WAIT_WAIT_LIST_HPP
#define WEIR_DETAIL_WAIT_WAIT_LIST_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <functional>

namespace weir::detail {

class wait_list {
public:
    bool is_empty() const noexcept { return front_ == nullptr; }

    void push_back(waiter& node) noexcept {
        node.previous_ = back_;
        node.next_ = nullptr;
        (back_ != nullptr ? back_->next_ : front_) = &node;
        back_ = &node;
    }

    // For one that was at the front before and must look again: it keeps its turn.
    void push_front(waiter& node) noexcept {
        node.next_ = front_;
        node.previous_ = nullptr;
        (front_ != nullptr ? front_->previous_ : back_) = &node;
        front_ = &node;
    }

    // Nothing where a server has unlinked it already.
    void remove(waiter& node) noexcept {
        if (node.previous_ == &node) {
            return;
        }
        (node.previous_ != nullptr ? node.previous_->next_ : front_) = node.next_;
        (node.next_ != nullptr ? node.next_->previous_ : back_) = node.previous_;
        node.previous_ = &node;
    }

    // Unlinks waiters from the front until the claim of one is won; that one is the caller's to finish.
    waiter* pop_claimed() noexcept {
        return pop_claimed_while([](const waiter&) noexcept { return true; });
    }
    // Likewise, as far as those at the front are wanted.
    template <class Wanted>
    waiter* pop_claimed_while(Wanted is_wanted) noexcept {
        while (front_ != nullptr && is_wanted(*front_)) {
            waiter* const node = front_;
            remove(*node);
            if (node->take()) {
                return node;
            }
        }
        return nullptr;
    }

    // Likewise for `self`, which waits at the other side and so may be claimed itself meanwhile. Both claims are needed,
    // and all take the lower address first. So of several that find one another, crosswise or in a ring, not all can
    // fail: who took the lower and does not get the higher lost it to one further up, or to one that succeeded.
    // Waiters that share the claim of `self` are passed over.
    struct meeting {
        waiter* peer; // claimed, and the caller's to finish: served, or to look again if `self` is not
        bool is_own;  // the claim of `self` is now its own
    };
    meeting meet(waiter& self) noexcept {
        bool is_own = false;
        for (waiter* node = front_; node != nullptr;) {
            waiter* const peer = node;
            node = node->next_;
            if (peer->claim_ == self.claim_) {
                continue;
            }
            if (std::less<>()(self.claim_, peer->claim_) && !is_own && !(is_own = self.take())) {
                break;
            }
            remove(*peer);
            if (peer->take()) {
                return {peer, is_own || self.take()};
            }
        }
        return {nullptr, is_own};
    }

    // Unlinks all; those whose claim is won go to `claimed`.
    void pop_all_claimed(wait_list& claimed) noexcept {
        while (waiter* const node = pop_claimed()) {
            claimed.append_claimed(*node);
        }
    }

    // A list of claimed waiters, to be finished after the lock was given back.
    void append_claimed(waiter& node) noexcept { push_back(node); }

    // Finishes all, in order. The list is the caller's own.
    void finish_all(answer outcome) noexcept {
        while (front_ != nullptr) {
            waiter* const node = front_;
            remove(*node);
            node->finish(outcome);
        }
    }

private:
    plain<waiter*> front_ = nullptr;
    plain<waiter*> back_ = nullptr;
};

} // namespace weir::detail

#endif
