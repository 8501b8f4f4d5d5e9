// SPDX-License-Identifier: BSL-1.0
//
// Counting who holds a channel: the part of the handles that does not depend on the message type.
#ifndef WEIR_DETAIL_HANDLES_HPP
#define WEIR_DETAIL_HANDLES_HPP

#include <weir/detail/channel_base.hpp>

#include <cstddef>
#include <utility>

namespace weir::detail {

// Opens a handle class to the factories and to the other ends of the same channel.
struct handle_access {
    template <class Handle>
    static Handle make(channel_base* channel) noexcept {
        return Handle(channel);
    }
    template <class Handle>
    static channel_base* channel_of(const Handle& handle) noexcept {
        return handle.handle_.get();
    }
    template <class Receiver>
    static channel_base* channel_received_by(const Receiver& receiver) noexcept {
        return receiver.channel_;
    }
};

// Keeps the memory of a channel, and nothing else of it.
class channel_holder {
public:
    channel_holder() noexcept = default;
    explicit channel_holder(channel_base* channel) noexcept : channel_(channel) {
        if (channel_ != nullptr) {
            channel_->retain();
        }
    }
    channel_holder(const channel_holder& other) noexcept : channel_holder(other.channel_) {}
    channel_holder(channel_holder&& other) noexcept : channel_(std::exchange(other.channel_, nullptr)) {}
    channel_holder& operator=(channel_holder other) noexcept {
        std::swap(channel_, other.channel_);
        return *this;
    }
    ~channel_holder() {
        if (channel_ != nullptr) {
            channel_->release();
        }
    }

    channel_base* get() const noexcept { return channel_; }

private:
    channel_base* channel_ = nullptr;
};

// One producer of a channel.
class sender_handle {
public:
    sender_handle() noexcept = default;
    // Takes over a count that was added already.
    explicit sender_handle(channel_base* channel) noexcept : channel_(channel) {}
    sender_handle(const sender_handle& other) noexcept : channel_(other.channel_) {
        if (channel_ != nullptr) {
            channel_->add_sender();
        }
    }
    sender_handle(sender_handle&& other) noexcept : channel_(std::exchange(other.channel_, nullptr)) {}
    sender_handle& operator=(sender_handle other) noexcept {
        std::swap(channel_, other.channel_);
        return *this;
    }
    ~sender_handle() { reset(); }

    void reset() noexcept {
        if (channel_base* const channel = std::exchange(channel_, nullptr)) {
            channel->drop_sender();
        }
    }

    channel_base* get() const noexcept { return channel_; }
    std::size_t sender_count() const noexcept { return channel_ != nullptr ? channel_->sender_count() : 0; }

private:
    channel_base* channel_ = nullptr;
};

// A producer from a channel that is held only weakly: null once its last sender is gone.
inline channel_base* lock_sender(const channel_holder& weak) noexcept {
    channel_base* const channel = weak.get();
    return channel != nullptr && channel->try_add_sender() ? channel : nullptr;
}

} // namespace weir::detail

#endif
