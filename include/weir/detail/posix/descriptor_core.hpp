// SPDX-License-Identifier: BSL-1.0
//
// A watched end that is told by a file descriptor.
//
// The descriptor is in one of three states. In brackets: the claim, and what a read would find.
//   watching  the end was not ready when looked at; whoever makes it so will tell      [open, nothing]
//   told      somebody took the claim, and has yet to write                            [taken, nothing]
//   readable  it has written, or there was something already when it was to watch      [taken, one]
// watching -> told -> readable: who makes the end ready. readable -> watching: the owner, in clear(), where it leaves
// nothing behind.
//
// What must hold
//  I1  The claim is open only while the end is enrolled; each time it is taken there is one write, and clear() alone
//      opens it. So there is at most one write a clear().
//  I2  Who reads the descriptor successfully has the write behind it, and the node is its own: the read and the write
//      are ordered by the kernel, which is the pair that everything before the write is handed over by.
//  I3  Where clear() reads nothing, a wake will still come: the end is enrolled, or somebody is about to write.
// No wake is lost: the owner enrols after it has read, and looks after it enrolled, as all waiters do; so it does not
// matter whether it drains the channel before or after.
//
// Who tells may be stopped after its write for any time; the enrolled node therefore holds the core, and so keeps the
// descriptor's number from being used for something else, until that one has let go of it.
//
// A timer's descriptor is readable by the clock, and nobody tells but the thread that has the receiver, by closing it or
// taking the last message. There `readable` needs no read: setting the time anew is all.
#ifndef WEIR_DETAIL_POSIX_DESCRIPTOR_CORE_HPP
#define WEIR_DETAIL_POSIX_DESCRIPTOR_CORE_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/event_descriptor.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/watched_end.hpp>

#include <cstddef>

namespace weir::detail {

class descriptor_core : public watched_end {
public:
    // Throws std::system_error.
    explicit descriptor_core(channel_base* channel)
        : watched_end(channel),
          descriptor_(channel != nullptr && channel->kind() == flavor_kind::timer ? event_descriptor::kind::timer
                                                                                  : event_descriptor::kind::event) {
        (void)take(); // not enrolled
    }

    int number() const noexcept { return descriptor_.number(); }

    // The owner, once: from here on the descriptor is readable where the end is ready.
    void start() noexcept { watch(); }

    // The owner.
    void clear() noexcept {
        WEIR_POINT("descriptor.clear");
        if (is_timed()) {
            (void)step_back();
            watch();
        } else if (descriptor_.drain()) {
            watch();
        }
    }

    // The owner goes.
    void leave() noexcept {
        (void)step_back();
        release();
    }

    // Who took the claim. The last touch.
    void finish(answer) noexcept final {
        WEIR_POINT("descriptor.told");
        signal();
        WEIR_POINT("descriptor.written");
        release();
    }

private:
    // While the claim is taken, and the node the owner's.
    void watch() noexcept {
        WEIR_POINT("descriptor.watch");
        if (!is_ready()) {
            reopen();
            holders_.fetch_add(1, memory_order_relaxed);
            if (!enrol()) {
                if (is_timed()) {
                    descriptor_.signal_at(due().time());
                }
                return;
            }
            WEIR_POINT("descriptor.ready");
            if (!step_back()) {
                return; // who took the claim will signal
            }
        }
        signal();
    }

    // Of a node that is enrolled, or was: whether it is the owner's, and is not enrolled any more.
    bool step_back() noexcept {
        if (take()) {
            withdraw();
            holders_.fetch_sub(1, memory_order_relaxed); // not the last: the owner is here
            return true;
        }
        return is_timed();
    }

    void signal() noexcept {
        WEIR_POINT("descriptor.signal");
        is_timed() ? descriptor_.signal_at(deadline::passed().time()) : descriptor_.signal();
    }

    void release() noexcept {
        // acq_rel: pairs with itself; the descriptor is closed when everybody has written
        if (holders_.fetch_sub(1, memory_order_acq_rel) == 1) {
            delete this;
        }
    }

    event_descriptor descriptor_;
    atomic<std::size_t> holders_{1};
};

} // namespace weir::detail

#endif
