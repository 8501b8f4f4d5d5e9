// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/debt_lock.hpp>

#include "support/scale.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace {

using namespace unit;
using weir::detail::debt_lock;

TEST(debt_lock, is_taken_by_one_at_a_time) {
    debt_lock lock;
    EXPECT_TRUE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock());
    EXPECT_TRUE(lock.unlock_unless_owed());
    EXPECT_TRUE(lock.try_lock());
}

TEST(debt_lock, free_is_taken_by_who_would_owe) {
    debt_lock lock;
    EXPECT_TRUE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.try_lock());
    EXPECT_TRUE(lock.unlock_unless_owed());
}

TEST(debt_lock, held_tells_its_holder_of_a_debt_once_and_stays_held) {
    debt_lock lock;
    ASSERT_TRUE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.unlock_unless_owed());
    EXPECT_FALSE(lock.try_lock());
    EXPECT_TRUE(lock.unlock_unless_owed());
    EXPECT_TRUE(lock.try_lock());
}

TEST(debt_lock, debts_do_not_add_up) {
    debt_lock lock;
    ASSERT_TRUE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.unlock_unless_owed());
    EXPECT_TRUE(lock.unlock_unless_owed());
}

TEST(debt_lock, a_debt_left_while_another_is_settled_is_settled_as_well) {
    debt_lock lock;
    ASSERT_TRUE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.unlock_unless_owed());
    EXPECT_FALSE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.unlock_unless_owed());
    EXPECT_TRUE(lock.unlock_unless_owed());
}

TEST(debt_lock, lock_waits_until_the_holder_has_gone) {
    constexpr unsigned native_rounds = 300;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        debt_lock lock;
        ASSERT_TRUE(lock.try_lock());
        bool has_gone = false;
        std::jthread waiting([&] {
            lock.lock();
            EXPECT_TRUE(has_gone); // no atomic: the thread sanitizer holds the lock to it
            EXPECT_TRUE(lock.unlock_unless_owed());
        });
        pause_for(round * 16); // from a brief spin to a sleep
        has_gone = true;
        ASSERT_TRUE(lock.unlock_unless_owed());
    }
}

TEST(debt_lock, a_debt_can_be_left_while_somebody_waits_in_lock) {
    debt_lock lock;
    ASSERT_TRUE(lock.try_lock());
    std::atomic<bool> is_in{false};
    std::jthread waiting([&] {
        lock.lock();
        is_in = true;
        EXPECT_TRUE(lock.unlock_unless_owed());
    });
    pause_for(20'000);
    EXPECT_FALSE(lock.try_lock_or_owe());
    EXPECT_FALSE(lock.unlock_unless_owed());
    EXPECT_FALSE(is_in) << "the lock was let go with a debt";
    EXPECT_TRUE(lock.unlock_unless_owed());
}

TEST(debt_lock, keeps_all_who_want_in_apart_and_lets_each_in) {
    constexpr unsigned native_rounds = 20'000;
    constexpr unsigned threads = 4;
    debt_lock lock;
    std::uint64_t entries = 0; // no atomic
    std::atomic<std::uint64_t> expected{0};
    in_parallel(threads, [&](unsigned which) {
        for (unsigned round = 0; round < scaled(native_rounds); ++round) {
            if (which == 0) {
                if (!lock.try_lock()) {
                    continue;
                }
            } else {
                lock.lock();
            }
            ++entries;
            ++expected;
            pause_for(round % 4);
            EXPECT_TRUE(lock.unlock_unless_owed());
        }
    });
    EXPECT_EQ(entries, expected.load());
    EXPECT_GE(entries, std::uint64_t{threads - 1} * scaled(native_rounds));
}

// Work is put on a pile by whoever has some; who finds the lock held leaves it to the holder. When all have gone home there is
// nothing left of it.
TEST(debt_lock, the_work_of_a_debtor_is_always_done) {
    constexpr unsigned native_batches = 200;
    constexpr unsigned rounds = 100;
    constexpr unsigned threads = 3;
    for (unsigned batch = 0; batch < scaled(native_batches); ++batch) {
        debt_lock lock;
        std::atomic<std::uint64_t> pile{0};
        std::uint64_t done = 0; // by holders only, no atomic
        in_parallel(threads, [&](unsigned which) {
            for (unsigned round = 0; round < rounds; ++round) {
                pile.fetch_add(1, std::memory_order_relaxed);
                const bool is_in = which != 0 || round % 4 != 0 ? lock.try_lock_or_owe() : (lock.lock(), true);
                if (is_in) {
                    do {
                        done += pile.exchange(0, std::memory_order_relaxed);
                    } while (!lock.unlock_unless_owed());
                }
            }
        });
        ASSERT_EQ(pile.load(), 0U) << "of batch " << batch << " work was left undone";
        ASSERT_EQ(done, std::uint64_t{threads} * rounds);
    }
}

} // namespace
