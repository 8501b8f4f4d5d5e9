// SPDX-License-Identifier: BSL-1.0
//
// The part of a channel's state that knows the message type but not the flavor: the place for the message that an
// iterator of the receiver stands on.
#ifndef WEIR_DETAIL_CHANNEL_CORE_HPP
#define WEIR_DETAIL_CHANNEL_CORE_HPP

#include <weir/detail/channel_base.hpp>
#include <weir/detail/memory.hpp>
#include <weir/detail/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace weir::detail {

// Holds at most one message. Small ones lie inside; for a large one memory is taken at its first use, and kept.
template <class T>
class message_stash {
    static constexpr std::size_t most_inside = 40;
    static constexpr bool inside = sizeof(T) <= most_inside && alignof(T) <= cache_line;

    struct outside_place {
        T* get() noexcept { return static_cast<T*>(memory); }
        void* raw() noexcept { return memory; }
        void* memory = nullptr;
    };

public:
    message_stash() noexcept = default;
    message_stash(const message_stash&) = delete;
    message_stash& operator=(const message_stash&) = delete;
    ~message_stash() {
        clear();
        if constexpr (!inside) {
            if (place_.memory != nullptr) {
                deallocate(place_.memory);
            }
        }
    }

    // Before put(). Throws std::bad_alloc.
    void reserve() {
        if constexpr (!inside) {
            if (place_.memory == nullptr) {
                place_.memory = allocate(sizeof(T), alignof(T) > alignof(void*) ? alignof(T) : alignof(void*));
            }
        }
    }

    void put(T&& message) noexcept {
        clear();
        ::new (place_.raw()) T(std::move(message));
        full_ = true;
        ++count_;
    }

    void clear() noexcept {
        if (full_) {
            full_ = false;
            std::destroy_at(place_.get());
        }
    }

    T* get() noexcept { return full_ ? place_.get() : nullptr; }

    // How many messages have been put so far: tells them apart.
    std::uint64_t count() const noexcept { return count_; }

private:
    std::conditional_t<inside, message_place<T>, outside_place> place_;
    bool full_ = false;
    std::uint64_t count_ = 0;
};

template <class T>
class channel_core : public channel_base {
public:
    message_stash<T>& current() noexcept { return current_; }

    // Whether the receiving handle closed the channel, or went. The receiver's thread.
    bool is_closed() const noexcept { return closed_; }

    // Senders fail from now on. The receiver's thread.
    void close() noexcept { close_sending(); }

    bool has_senders() const noexcept { return receiving_.has_senders(); }

protected:
    using channel_base::channel_base;
    ~channel_core() = default;

    bool closed_ = false;

private:
    message_stash<T> current_;
};

} // namespace weir::detail

#endif
