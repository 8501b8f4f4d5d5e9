// SPDX-License-Identifier: BSL-1.0
//
// Anything that waits at one side of a channel: a node in that side's list, a claim that one party wins, an answer.
//
// A side offers three verbs: ready?, enrol(waiter), withdraw(waiter). Between enrol and the end of its wait a waiter is
// open; whoever takes its claim owns the outcome, and all others lose cleanly:
//   a server (the other side, or who settles its debt)  takes the claim, may make the exchange, and must finish();
//   the waiter itself (time-out, stop, another arm)     takes the claim and withdraws: nobody will touch it after that.
// Who is open itself and finds an open waiter on the other side needs both claims (wait_list::meet).
// finish() is the last touch: the waiter may be on a stack that is gone when it returns.
#ifndef WEIR_DETAIL_WAIT_WAITER_HPP
#define WEIR_DETAIL_WAIT_WAITER_HPP

#include <weir/detail/platform/atomic.hpp>

#include <cstdint>

namespace weir::detail {

// Taken once, by whoever comes first. Waiters that stand for arms of one wait share one.
class claim_word {
public:
    bool take() noexcept {
        // acq_rel: pairs with itself; the winner's outcome is told by finish(), not through this word
        return !taken_.exchange(true, memory_order_acq_rel);
    }

    // The owner, while none of its waiters is enrolled or unanswered: open again.
    void reopen() noexcept { taken_.store(false, memory_order_relaxed); } // published by the lock of the list it enters

private:
    atomic<bool> taken_{false};
};

enum class answer : std::uint8_t {
    served,  // the exchange is made
    granted, // the exchange is yours to make
    retry,   // something changed: look again
    stopped, // a stop was requested
    timeout, // the deadline came
};

// What came of enrolling at a side, which includes a look whether the side is ready.
enum class enrolment : std::uint8_t {
    waits, // the answer will come
    ready, // the claim is the waiter's own: it withdraws, and looks again
    met,   // likewise, and the exchange with a waiter of the other side is made
};

// What a waiting sender asks of a server that has room for its message.
enum class service : std::uint8_t {
    make,  // to make the message: no code of users runs
    grant, // to claim a slot for it; it makes the message itself
    tell,  // to say that there is room; it looks again, and others may be quicker
};

class waiter {
public:
    explicit waiter(claim_word& claim) noexcept : claim_(&claim) {}
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    bool take() noexcept { return claim_->take(); }

    // For a server of a sending waiter, in its list or claimed.
    virtual service asks_for() const noexcept = 0;
    // Makes the message at `place`.
    virtual void make_at(void* place) noexcept = 0;
    // What a ticket is, its flavor knows.
    virtual void grant(std::uint64_t) noexcept {}

    // Who took the claim: tells the outcome and wakes. The last touch.
    virtual void finish(answer outcome) noexcept = 0;

protected:
    // One that shares a claim from share() on.
    waiter() noexcept = default;
    ~waiter() = default;

    void share(claim_word& claim) noexcept { claim_ = &claim; }

private:
    friend class wait_list;

    claim_word* claim_ = nullptr;
    plain<waiter*> next_ = nullptr;
    plain<waiter*> previous_ = this; // where it is in no list
};

} // namespace weir::detail

#endif
