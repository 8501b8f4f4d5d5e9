// SPDX-License-Identifier: BSL-1.0
//
// A lock that nobody need wait for: who finds it held may leave a debt, which the holder settles before it lets go.
//
// Word: a bit each for
//   locked     somebody is inside
//   owed       somebody came meanwhile and wants its work done by the holder   (only together with locked)
//   contended  somebody sleeps in lock()                                       (may outlast its sleeper)
// All moves are read-modify-writes, so they form one order, and each sees what its predecessors published: what a
// debtor did before try_lock_or_owe is visible to the holder once unlock_or_settle has told it of the debt.
//
// Use:   do { work(); } while (!lock.unlock_unless_owed());
// where work() looks at the shared state afresh each time, and so does the debtor's work as well.
#ifndef WEIR_DETAIL_WAIT_DEBT_LOCK_HPP
#define WEIR_DETAIL_WAIT_DEBT_LOCK_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/cpu.hpp>

#include <cstdint>

namespace weir::detail {

class debt_lock {
public:
    debt_lock() noexcept = default;
    // One that its maker holds from the start: debt_lock lock(debt_lock::held()).
    static debt_lock held() noexcept { return debt_lock(locked); }

    // Never waits.
    bool try_lock() noexcept {
        std::uint32_t seen = word_.load(memory_order_relaxed);
        while ((seen & locked) == 0) {
            // acquire, pairs with [unlock]
            if (word_.compare_exchange_weak(seen, seen | locked, memory_order_acquire, memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    // Never waits. False: the lock is held, and its holder will settle the debt.
    bool try_lock_or_owe() noexcept {
        std::uint32_t seen = word_.load(memory_order_relaxed);
        for (;;) {
            const bool held = (seen & locked) != 0;
            // acquire, pairs with [unlock]; release, pairs with [settle]
            if (word_.compare_exchange_weak(seen, seen | (held ? owed : locked), memory_order_acq_rel,
                                            memory_order_relaxed)) {
                return !held;
            }
        }
    }

    // Waits for the holder: spins briefly where that helps, then sleeps.
    void lock() noexcept {
        const int spins = can_spin() ? 64 : 0;
        for (int i = 0; i < spins; ++i) {
            if (try_lock()) {
                return;
            }
            pause();
        }
        for (;;) {
            std::uint32_t seen = word_.load(memory_order_relaxed);
            if ((seen & locked) == 0) {
                if (try_lock()) {
                    return;
                }
                continue;
            }
            if ((seen & contended) != 0 ||
                word_.compare_exchange_weak(seen, seen | contended, memory_order_relaxed, memory_order_relaxed)) {
                word_.wait(seen | contended, memory_order_relaxed);
            }
        }
    }

    // Holder only. True: unlocked. False: a debt was left; it is struck off, the lock is still held.
    bool unlock_unless_owed() noexcept {
        std::uint32_t seen = word_.load(memory_order_relaxed);
        for (;;) {
            if ((seen & owed) != 0) {
                // [settle] acquire, pairs with try_lock_or_owe
                if (word_.compare_exchange_weak(seen, seen & ~owed, memory_order_acquire, memory_order_relaxed)) {
                    return false;
                }
            } else if (word_.compare_exchange_weak(seen, 0, memory_order_release, memory_order_relaxed)) {
                // [unlock] release, pairs with the acquires of try_lock and try_lock_or_owe
                if ((seen & contended) != 0) {
                    word_.notify_all();
                }
                return true;
            }
        }
    }

    // Holder only, of a lock at which nobody ever owes.
    void unlock() noexcept { (void)unlock_unless_owed(); }

private:
    static constexpr std::uint32_t locked = 1;
    static constexpr std::uint32_t owed = 2;
    static constexpr std::uint32_t contended = 4;

    explicit debt_lock(std::uint32_t word) noexcept : word_(word) {}

    atomic<std::uint32_t> word_{0};
};

} // namespace weir::detail

#endif
