// SPDX-License-Identifier: BSL-1.0
//
// The part of a channel's state that knows the message type but not the flavor: what is not usual of a receive, and places
// for the messages that iterators of the receiver stand on.
#ifndef WEIR_DETAIL_CHANNEL_CORE_HPP
#define WEIR_DETAIL_CHANNEL_CORE_HPP

#include <weir/detail/channel_base.hpp>
#include <weir/detail/memory.hpp>
#include <weir/detail/message.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/error.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace weir::detail {

// Places for the messages that iterators stand on. One is enough for a loop; loops inside loops take memory for more. The
// first place for small messages lies inside; for large ones memory is taken at the first use, and kept.
template <class T>
class message_places {
    static constexpr std::size_t most_inside = 40;
    static constexpr bool has_inside = sizeof(T) <= most_inside && alignof(T) <= cache_line;
    struct nothing {};

public:
    message_places() noexcept = default;
    message_places(const message_places&) = delete;
    message_places& operator=(const message_places&) = delete;
    ~message_places() {
        if (spare_ != nullptr) {
            deallocate(spare_);
        }
    }

    // A place for one message, the caller's until give_back(). Throws std::bad_alloc.
    void* take() {
        if constexpr (has_inside) {
            if (!std::exchange(is_inside_taken_, true)) {
                return inside_.raw();
            }
        }
        if (spare_ != nullptr) {
            return std::exchange(spare_, nullptr);
        }
        return allocate(sizeof(T), alignof(T) > alignof(void*) ? alignof(T) : alignof(void*));
    }

    // With no message in it any more.
    void give_back(void* place) noexcept {
        if constexpr (has_inside) {
            if (place == inside_.raw()) {
                is_inside_taken_ = false;
                return;
            }
        } else if (spare_ == nullptr) {
            spare_ = place;
            return;
        }
        deallocate(place);
    }

private:
    WEIR_NO_UNIQUE_ADDRESS std::conditional_t<has_inside, message_place<T>, nothing> inside_;
    bool is_inside_taken_ = false;
    void* spare_ = nullptr;
};

// A message in the channel, or null and why.
template <class T>
struct take_result {
    T* message = nullptr;
    channel_errc error{};
};

template <class T>
class channel_core : public channel_base {
public:
    using channel_base::release;

    // The receiver's thread, where acquire_at_once() gave nothing. Virtual, so that a receive of whatever kind takes this code
    // once, and only that of flavors which are made.
    //
    // A message that is there, by a look that is cheap and may miss one.
    virtual T* acquire_head() noexcept = 0;
    // Never waits. `again`: the caller may look again and again (detail::poll). Errors: empty, disconnected.
    virtual take_result<T> try_take(bool again) noexcept = 0;
    // Waits. Errors: disconnected, timeout.
    virtual take_result<T> take(deadline until) noexcept = 0;
    // Destroys the message that one of these gave, or what was left of it, and gives its slot back.
    virtual void release(T* message) noexcept = 0;
    // What is due where release_at_once() says so.
    virtual void settle() noexcept {}

    // For the receiver's iterators. The receiver's thread.
    message_places<T>& places() noexcept { return places_; }

    // Whether the receiving handle closed the channel, or went: then nothing more can be sent.
    bool is_closed() const noexcept { return closed_.load(memory_order_seq_cst); } // pairs with set_closed

    bool has_senders() const noexcept { return receiving_.has_senders(); }

    // For flavors that have nothing to do when a receive says that there is nothing, or before it sleeps.
    static constexpr void found_empty() noexcept {}

    // For flavors in which no receive is simpler than the others.
    static constexpr T* acquire_at_once() noexcept { return nullptr; }
    static constexpr bool release_at_once(T*) noexcept { return false; }

protected:
    channel_core(flavor_kind kind, std::uint64_t most_messages, std::size_t senders = 1) noexcept
        : channel_base(kind, most_messages, sizeof(T), senders) {}
    ~channel_core() = default;

    // The flavor, once it has closed its sending side, and before it tells the waiters of the receiving side. They enrol and
    // then look; both are seq_cst. Where the receiver goes, there are none.
    void set_closed() noexcept {
        if (this->has_receiver()) {
            closed_.store(true, memory_order_seq_cst); // pairs with is_closed
        } else {
            closed_.store(true, memory_order_relaxed);
        }
    }

private:
    atomic<bool> closed_{false};
    message_places<T> places_;
};

} // namespace weir::detail

#endif
