// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/receiver_wait.hpp>

#include "support/scale.hpp"
#include "support/test_waiter.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <thread>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace {

using namespace unit;
using namespace std::chrono_literals;
using weir::detail::answer;
using weir::detail::claim_word;
using weir::detail::deadline;
using weir::detail::no_stop;
using weir::detail::receiver_wait;
using weir::detail::wait_result;

constexpr std::uint64_t any_batch = ~std::uint64_t{0};
constexpr auto never = []() noexcept { return false; };
constexpr auto always = []() noexcept { return true; };

// ---- Waiters ----

TEST(receiver_wait, has_senders_and_a_receiver_and_nobody_to_tell_at_first) {
    receiver_wait side(any_batch);
    EXPECT_EQ(side.flags_after_write(), 0U);
    EXPECT_TRUE(side.has_senders());
}

TEST(receiver_wait, tells_senders_of_enrolled_waiters_until_the_last_has_withdrawn) {
    receiver_wait side(any_batch);
    sole_waiter one;
    sole_waiter other;
    side.enrol(one.waiter);
    EXPECT_EQ(side.flags_after_write(), receiver_wait::enrolled);
    side.enrol(other.waiter);
    side.withdraw(one.waiter);
    EXPECT_EQ(side.flags_after_write(), receiver_wait::enrolled);
    side.withdraw(other.waiter);
    EXPECT_EQ(side.flags_after_write(), 0U);
}

TEST(receiver_wait, a_notification_tells_every_enrolled_waiter_once_to_look_again) {
    receiver_wait side(any_batch);
    std::array<sole_waiter, 3> all;
    for (auto& each : all) {
        side.enrol(each.waiter);
    }
    side.notify(side.flags_after_write());
    for (auto& each : all) {
        EXPECT_TRUE(each.waiter.await(deadline::passed()));
        EXPECT_EQ(each.waiter.outcome(), answer::retry);
        EXPECT_EQ(each.waiter.finishes(), 1);
    }
    EXPECT_EQ(side.flags_after_write(), 0U);
    side.notify(receiver_wait::enrolled);
    for (auto& each : all) {
        EXPECT_EQ(each.waiter.finishes(), 1);
        side.withdraw(each.waiter);
    }
}

TEST(receiver_wait, a_notification_without_flags_tells_nobody) {
    receiver_wait side(any_batch);
    sole_waiter one;
    side.enrol(one.waiter);
    side.notify(0);
    EXPECT_EQ(one.waiter.finishes(), 0);
    side.withdraw(one.waiter);
}

TEST(receiver_wait, who_has_withdrawn_is_not_told) {
    receiver_wait side(any_batch);
    sole_waiter stays;
    {
        sole_waiter goes;
        side.enrol(goes.waiter);
        side.enrol(stays.waiter);
        EXPECT_TRUE(goes.waiter.take());
        side.withdraw(goes.waiter);
    }
    side.notify(side.flags_after_write());
    EXPECT_EQ(stays.waiter.finishes(), 1);
}

TEST(receiver_wait, who_took_its_own_claim_is_not_told) {
    receiver_wait side(any_batch);
    sole_waiter one;
    side.enrol(one.waiter);
    EXPECT_TRUE(one.waiter.take());
    side.notify(side.flags_after_write());
    EXPECT_EQ(one.waiter.finishes(), 0);
    side.withdraw(one.waiter);
}

TEST(receiver_wait, the_last_sender_tells_waiters_and_is_remembered) {
    receiver_wait side(any_batch);
    sole_waiter one;
    side.enrol(one.waiter);
    side.senders_gone();
    EXPECT_FALSE(side.has_senders());
    EXPECT_EQ(one.waiter.finishes(), 1);
    EXPECT_EQ(side.flags_after_write(), receiver_wait::no_senders);
}

TEST(receiver_wait, tells_senders_that_the_receiver_is_gone) {
    receiver_wait side(any_batch);
    side.receiver_gone();
    side.barrier();
    EXPECT_EQ(side.flags_after_write(), receiver_wait::no_receiver);
    EXPECT_TRUE(side.has_senders());
}

// ---- A thread in a receive ----

TEST(receiver_wait, what_is_there_wins_over_a_deadline_that_has_passed) {
    receiver_wait side(any_batch);
    EXPECT_EQ(side.wait(0, deadline::passed(), no_stop(), never, always, never), wait_result::ready);
    EXPECT_EQ(side.wait(0, deadline::passed(), no_stop(), never, never, never), wait_result::timeout);
}

TEST(receiver_wait, looks_once_where_the_deadline_has_passed) {
    receiver_wait side(any_batch);
    int polls = 0;
    const auto poll = [&]() noexcept { return ++polls, false; };
    EXPECT_EQ(side.wait(0, deadline::passed(), no_stop(), always, poll, always), wait_result::timeout);
    EXPECT_EQ(polls, 1);
}

TEST(receiver_wait, a_wait_ends_at_its_deadline_and_not_before_though_a_send_is_under_way) {
    receiver_wait side(any_batch);
    for (const bool is_under_way : {false, true}) {
        const deadline until = deadline::after(5ms);
        const auto under_way = [&]() noexcept { return is_under_way; };
        EXPECT_EQ(side.wait(0, until, no_stop(), never, never, under_way), wait_result::timeout);
        EXPECT_TRUE(until.has_passed());
        EXPECT_LT(deadline::clock::now(), until.time() + 2s);
        EXPECT_EQ(side.flags_after_write(), 0U) << "nobody sleeps any more";
    }
}

TEST(receiver_wait, the_last_sender_ends_a_wait) {
    receiver_wait side(any_batch);
    std::jthread going([&] { side.senders_gone(); });
    const auto is_over = [&]() noexcept { return !side.has_senders(); };
    EXPECT_EQ(side.wait(0, deadline::after(patience), no_stop(), never, is_over, never), wait_result::ready);
}

TEST(receiver_wait, nobody_is_told_of_a_sleep_that_is_over) {
    receiver_wait side(any_batch);
    std::atomic<bool> is_sent{false};
    std::jthread sender([&] {
        while ((side.flags_after_write() & receiver_wait::sleeping) == 0) {
            std::this_thread::yield();
        }
        is_sent = true;
        side.notify(side.flags_after_write());
    });
    const auto is_there = [&]() noexcept { return is_sent.load(); };
    EXPECT_EQ(side.wait(0, deadline::after(patience), no_stop(), is_there, is_there, never), wait_result::ready);
    EXPECT_EQ(side.flags_after_write(), 0U);
}

#if WEIR_HAS_STOP_TOKEN
TEST(receiver_wait, a_stop_requested_before_ends_a_wait_unless_something_is_there) {
    receiver_wait side(any_batch);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(side.wait(0, deadline::never(), stop.get_token(), never, never, never), wait_result::stopped);
    EXPECT_EQ(side.wait(0, deadline::passed(), stop.get_token(), never, never, never), wait_result::stopped);
    EXPECT_EQ(side.wait(0, deadline::never(), stop.get_token(), never, always, never), wait_result::ready);
}

TEST(receiver_wait, a_stop_requested_at_any_moment_ends_a_wait) {
    constexpr unsigned native_rounds = 150;
    receiver_wait side(any_batch);
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        std::stop_source stop;
        std::jthread stopping([&] {
            pause_for(round * 25);
            stop.request_stop();
        });
        ASSERT_EQ(side.wait(0, deadline::after(patience), stop.get_token(), never, never, never), wait_result::stopped);
    }
    EXPECT_EQ(side.flags_after_write(), 0U);
}
#endif

// ---- No wake is lost ----

// Messages that are claimed by a read-modify-write and made visible a little later, as a flavor does.
struct message_stream {
    receiver_wait side{any_batch};
    std::atomic<std::uint64_t> claimed{0};
    std::atomic<std::uint64_t> written{0};

    void send(std::uint64_t pause) {
        claimed.fetch_add(1, std::memory_order_seq_cst);
        pause_for(pause);
        written.fetch_add(1, std::memory_order_release);
        if (const std::uint32_t flags = side.flags_after_write(); flags != 0) {
            side.notify(flags);
        }
    }
};

// uxlfoundation/oneTBB#2136 and others: no full barrier between "I sleep" and "is there something?": a lost wake,
// seldom.
TEST(receiver_wait, no_message_is_slept_through) {
    constexpr unsigned native_messages = 3'000;
    message_stream stream;
    in_parallel(2, [&](unsigned which) {
        std::minstd_rand random(which + 1);
        for (std::uint64_t i = 0; i < scaled(native_messages); ++i) {
            if (which == 0) {
                // Often just as the receiver gives up spinning, at times long after that.
                pause_for(random() % (i % 4 == 0 ? 6'000U : 600U));
                stream.send(random() % 64);
            } else {
                const auto is_there = [&]() noexcept { return stream.written.load(std::memory_order_acquire) > i; };
                const auto is_under_way = [&]() noexcept { return stream.claimed.load() > i; };
                ASSERT_EQ(stream.side.wait(i, deadline::after(patience), no_stop(), is_there, is_there, is_under_way),
                          wait_result::ready)
                    << "message " << i;
            }
        }
    });
    EXPECT_EQ(stream.side.flags_after_write(), 0U);
}

TEST(receiver_wait, no_message_is_slept_through_by_short_waits_that_time_out) {
    constexpr unsigned native_messages = 3'000;
    message_stream stream;
    in_parallel(2, [&](unsigned which) {
        std::minstd_rand random(which + 1);
        for (std::uint64_t i = 0; i < scaled(native_messages); ++i) {
            if (which == 0) {
                pause_for(random() % 2'000);
                stream.send(random() % 64);
            } else {
                const auto is_there = [&]() noexcept { return stream.written.load(std::memory_order_acquire) > i; };
                const auto is_under_way = [&]() noexcept { return stream.claimed.load() > i; };
                const deadline soon = deadline::after(std::chrono::nanoseconds(random() % 80'000));
                if (stream.side.wait(i, soon, no_stop(), never, is_there, is_under_way) != wait_result::ready) {
                    ASSERT_EQ(stream.side.wait(i, deadline::after(patience), no_stop(), never, is_there, is_under_way),
                              wait_result::ready)
                        << "message " << i;
                }
            }
        }
    });
}

TEST(receiver_wait, no_message_is_missed_by_enrolled_waiters) {
    constexpr unsigned native_messages = 3'000;
    message_stream stream;
    in_parallel(3, [&](unsigned which) {
        std::minstd_rand random(which + 1);
        for (std::uint64_t i = 0; i < scaled(native_messages); ++i) {
            if (which != 0) {
                pause_for(random() % 800);
                stream.send(random() % 32);
                continue;
            }
            for (bool is_there = false; !is_there;) {
                sole_waiter self;
                stream.side.enrol(self.waiter);
                stream.side.barrier();
                is_there = stream.written.load(std::memory_order_acquire) > 2 * i;
                if (!is_there || !self.waiter.take()) {
                    ASSERT_TRUE(self.waiter.await(deadline::after(patience))) << "message " << 2 * i;
                }
                stream.side.withdraw(self.waiter);
            }
        }
    });
    EXPECT_EQ(stream.side.flags_after_write(), 0U);
}

// ---- Two arms of one wait ----

// A waiter at each of two sides, with one claim: of the notifiers of both and the waiting thread itself one wins, and it is
// told at most once.
TEST(receiver_wait, a_claim_shared_by_waiters_at_two_sides_is_won_once) {
    constexpr unsigned native_rounds = 3'000;
    struct side_state {
        receiver_wait side{any_batch};
        std::atomic<unsigned> ready{0};
    };
    std::array<side_state, 2> sides;
    std::atomic<unsigned> started{0};
    std::array<unsigned, 3> wins{};
    in_parallel(3, [&](unsigned which) {
        std::minstd_rand random(which + 1);
        for (unsigned round = 1; round <= scaled(native_rounds); ++round) {
            if (which < 2) {
                while (started.load() < round) {
                    std::this_thread::yield();
                }
                pause_for(random() % 64);
                sides[which].ready.store(round);
                if (const std::uint32_t flags = sides[which].side.flags_after_write(); flags != 0) {
                    sides[which].side.notify(flags);
                }
                continue;
            }
            claim_word claim;
            test_waiter here(claim);
            test_waiter there(claim);
            started = round;
            pause_for(random() % 64);
            sides[0].side.enrol(here);
            sides[1].side.enrol(there);
            sides[0].side.barrier();
            const bool is_ready = sides[0].ready.load() == round || sides[1].ready.load() == round;
            const bool is_own = is_ready && claim.take();
            if (!is_own) {
                const deadline limit = deadline::after(patience);
                while (!here.await(deadline::after(20us)) && !there.await(deadline::after(20us))) {
                    ASSERT_FALSE(limit.has_passed()) << "round " << round;
                }
            }
            sides[0].side.withdraw(here);
            sides[1].side.withdraw(there);
            ASSERT_EQ(here.finishes() + there.finishes(), is_own ? 0 : 1) << "round " << round;
            ++wins[is_own ? 2 : here.finishes() == 1 ? 0 : 1];
        }
    });
    EXPECT_EQ(wins[0] + wins[1] + wins[2], scaled(native_rounds));
}

} // namespace
