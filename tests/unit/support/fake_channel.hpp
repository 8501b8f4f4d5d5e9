// SPDX-License-Identifier: BSL-1.0
//
// A channel's state without a flavor: it notes what is asked of it.
#pragma once

#include <weir/detail/channel_core.hpp>

#include <atomic>
#include <cstdint>

namespace unit {

struct fake_history {
    std::atomic<int> closed{0};
    std::atomic<int> drained{0};
    std::atomic<int> destroyed{0};
    std::atomic<std::uint64_t> messages{0}; // in the channel; a drain takes them all
    std::atomic<std::uint64_t> taken{0};
};

template <class T = int>
class fake_channel final : public weir::detail::channel_core<T> {
public:
    explicit fake_channel(fake_history& log) noexcept
        : weir::detail::channel_core<T>(weir::detail::flavor_kind::list, 1), log_(&log) {}

    // A send: stores a message, then looks whether the receiver is gone.
    void send() noexcept {
        log_->messages.fetch_add(1);
        if (const std::uint32_t flags = this->receiving_.flags_after_write(); flags != 0) {
            this->after_write(flags);
        }
    }

    // What a receive finds: by its first look, and when it has waited.
    T* head = nullptr;
    weir::detail::take_result<T> awaited{};

    T* acquire_head() noexcept override { return head; }
    weir::detail::take_result<T> try_take(bool) noexcept override { return {}; }
    weir::detail::take_result<T> take(weir::detail::deadline) noexcept override { return awaited; }
    using weir::detail::channel_core<T>::release;
    void release(T*) noexcept override {}

private:
    ~fake_channel() = default;

    void close_sending() noexcept override {
        this->set_closed();
        ++log_->closed;
    }
    bool drain() noexcept override {
        // By one at a time, which the thread sanitizer holds the consumer's right to.
        ++drains_;
        ++log_->drained;
        log_->taken += log_->messages.exchange(0);
        return true;
    }
    void destroy() noexcept override {
        ++log_->destroyed;
        delete this;
    }

    fake_history* log_;
    int drains_ = 0;
};

} // namespace unit
