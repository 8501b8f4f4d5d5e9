// SPDX-License-Identifier: BSL-1.0
//
// A place where one thread sleeps until another puts a token there: on a Linux futex.
//
// Word: empty -> parked (the owner lies down) -> token (somebody unparks) -> empty (the owner takes it).
// An unpark without a sleeper goes empty -> token; the next park then returns at once. Tokens do not add up.
#ifndef WEIR_DETAIL_WAIT_FUTEX_PARKER_HPP
#define WEIR_DETAIL_WAIT_FUTEX_PARKER_HPP

#include <weir/detail/platform/futex.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/deadline.hpp>

#if WEIR_HAS_FUTEX

#include <cstdint>

namespace weir::detail {

class futex_parker {
public:
    // Owner only. Sleeps until there is a token, and takes it; false when the deadline came first.
    bool park(deadline until) noexcept {
        completions::run_before_sleep();
        std::uint32_t seen = empty;
        if (!word_.compare_exchange_strong(seen, parked, memory_order_relaxed, memory_order_relaxed)) {
            word_.exchange(empty,
                           memory_order_acquire); // acquire, pairs with [unpark]; not a store: it may be a newer token
            return true;
        }
        for (;;) {
            WEIR_POINT("parker.sleep");
            futex_wait(word_, parked, until.time());
            seen = token;
            // acquire, pairs with [unpark]
            if (word_.compare_exchange_strong(seen, empty, memory_order_acquire, memory_order_relaxed)) {
                return true;
            }
            if (until.has_passed()) {
                return word_.exchange(empty, memory_order_acquire) == token; // acquire, pairs with [unpark]
            }
        }
    }

    // Owner only. Whether a park would return at once; what came before the unpark is then visible.
    bool has_token() const noexcept { return word_.load(memory_order_acquire) == token; }

    // Any thread. Puts a token and wakes the sleeper, with one system call where there is one and none else. From the
    // moment the token is there the parker may be gone: the sleeper is woken by address.
    void unpark() noexcept {
        atomic<std::uint32_t>* const address = &word_;
        if (put_token() == parked) {
            wake(address);
        }
    }

    // The same where others put tokens too, while the parker stays: wakes the sleeper though another's token is there,
    // since who put that may not have come to waking it.
    void unpark_beside_others() noexcept {
        if (put_token() != empty) {
            wake(&word_);
        }
    }

private:
    std::uint32_t put_token() noexcept {
        return word_.exchange(token, memory_order_release); // [unpark] release, pairs with park and has_token
    }
    static void wake(atomic<std::uint32_t>* address) noexcept {
        WEIR_POINT("parker.wake");
        futex_wake_one(address);
    }

    static constexpr std::uint32_t empty = 0;
    static constexpr std::uint32_t token = 1;
    static constexpr std::uint32_t parked = 2;

    atomic<std::uint32_t> word_{empty};
};

} // namespace weir::detail

#endif
#endif
