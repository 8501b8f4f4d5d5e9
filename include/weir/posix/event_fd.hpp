// SPDX-License-Identifier: BSL-1.0
//
// An end of a channel as a file descriptor, for poll, epoll and io_uring.
#ifndef WEIR_POSIX_EVENT_FD_HPP
#define WEIR_POSIX_EVENT_FD_HPP

#include <weir/detail/handles.hpp>
#include <weir/detail/posix/descriptor_core.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/receiver.hpp>
#include <weir/sync_sender.hpp>

#include <utility>

namespace weir::posix {

// A descriptor that is readable once a try_recv would not say `empty` (of a sender: a try_send would not say `full`),
// and from then until clear(). A disconnected end is ready, and an empty handle's is.
//
// It refers to the channel, not to the handle: that may be moved, and may go first. Any number of descriptors may
// stand for one end; each is told. On a rendezvous it is a hint: it is readable while a peer waits, who may give up;
// and two ends that both wait by descriptor do not meet.
//
// Between two clear() it is written once at most, however many messages come. So with an edge-triggered epoll there is
// one edge a clear().
//
// The descriptor is closed by exec, does not block, and is not usable in a child after fork. Only clear() may read it.
//
// Thread safety: native_handle() and the destructor: any thread. The constructor and clear(): for a receiver's, the
// thread that uses the receiver; for a sender's, one thread at a time.
//
//     weir::posix::event_fd ready(rx);
//     // add ready.native_handle() to an epoll; then, whenever it is readable:
//     ready.clear();
//     while (auto message = rx.try_recv()) { … }
class event_fd {
public:
    // Readable at once where the end is ready.
    // Throws: std::system_error where no descriptor is to be had, std::bad_alloc.
    template <class T>
    explicit event_fd(const receiver<T>& rx)
        : core_(new detail::receiver_end<T, detail::descriptor_core>(detail::handle_access::channel_received_by(rx))) {
        core_->start();
        detail::completions::run();
    }
    template <class T>
    explicit event_fd(const sync_sender<T>& tx)
        : core_(new detail::sync_sender_end<T, detail::descriptor_core>(detail::handle_access::channel_of(tx))) {
        core_->start();
        detail::completions::run();
    }
    // Leaves one without a descriptor; assignment closes what the target had before.
    event_fd(event_fd&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    event_fd& operator=(event_fd&& other) noexcept {
        event_fd(std::move(other)).swap(*this);
        return *this;
    }
    ~event_fd() {
        if (core_ != nullptr) {
            core_->leave();
            detail::completions::run();
        }
    }

    // The descriptor: to wait for, not to read or close. -1 where this was moved from.
    [[nodiscard]] int native_handle() const noexcept { return core_ != nullptr ? core_->number() : -1; }

    // Makes it unreadable until the end is ready; that is at once where something is left. Never blocks. It may come
    // before or after the operations that readiness led to: nothing is missed. Without news it does nothing; so a
    // message that was received before its sender had come to wake may make the descriptor readable after this.
    // Complexity: a system call; two where something is left.
    void clear() noexcept {
        if (core_ != nullptr) {
            core_->clear();
            detail::completions::run();
        }
    }

    void swap(event_fd& other) noexcept { std::swap(core_, other.core_); }
    friend void swap(event_fd& one, event_fd& other) noexcept { one.swap(other); }

private:
    detail::descriptor_core* core_;
};

} // namespace weir::posix

#endif
