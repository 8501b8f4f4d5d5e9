// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/sender_wait.hpp>

#include "support/held.hpp"
#include "support/scale.hpp"
#include "support/test_waiter.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <utility>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace {

using namespace unit;
using namespace std::chrono_literals;
using weir::detail::answer;
using weir::detail::no_stop;
using weir::detail::sender_wait;
using weir::detail::service;
using weir::detail::thread_waiter;
using weir::detail::waiter;

constexpr std::uint64_t any_batch = ~std::uint64_t{0};
constexpr auto no_room = []() noexcept { return std::uint64_t{0}; };

// ---- The queue ----

TEST(sender_wait, has_nobody_waiting_at_first) {
    sender_wait side(any_batch);
    EXPECT_FALSE(side.is_waited());
    EXPECT_FALSE(side.is_waited_after_write());
    EXPECT_EQ(side.pop(false, no_room), nullptr);
    EXPECT_EQ(side.pop(true, no_room), nullptr);
}

TEST(sender_wait, gives_waiters_in_the_order_they_came_and_says_whether_there_are_any) {
    sender_wait side(any_batch);
    std::array<sole_waiter, 4> all;
    for (auto& each : all) {
        side.enrol(each.waiter, false, no_room);
        side.barrier();
        EXPECT_TRUE(side.is_waited());
        EXPECT_TRUE(side.is_waited_after_write());
    }
    bool owes = false;
    for (auto& each : all) {
        EXPECT_TRUE(side.is_waited());
        EXPECT_EQ(side.pop(owes, no_room), &each.waiter);
        owes = !owes;
    }
    EXPECT_FALSE(side.is_waited());
    EXPECT_EQ(side.pop(false, no_room), nullptr);
}

TEST(sender_wait, who_was_first_before_keeps_its_turn) {
    sender_wait side(any_batch);
    std::array<sole_waiter, 3> all;
    side.enrol(all[1].waiter, false, no_room);
    side.enrol(all[2].waiter, false, no_room);
    side.enrol(all[0].waiter, true, no_room);
    for (auto& each : all) {
        EXPECT_EQ(side.pop(false, no_room), &each.waiter);
    }
}

TEST(sender_wait, who_was_woken_for_nothing_passes_it_on_to_as_many_as_there_is_room_for) {
    sender_wait side(any_batch);
    std::array<sole_waiter, 3> all;
    for (auto& each : all) {
        side.enrol(each.waiter, false, no_room);
    }
    side.pass_on(no_room);
    EXPECT_EQ(all[0].waiter.finishes(), 0);
    side.pass_on([]() noexcept { return std::uint64_t{2}; });
    EXPECT_EQ(all[0].waiter.finishes(), 1);
    EXPECT_EQ(all[1].waiter.finishes(), 1);
    EXPECT_EQ(all[1].waiter.outcome(), answer::retry);
    EXPECT_EQ(all[2].waiter.finishes(), 0);
}

// The inner one finds the lock held, by the outer one, which has found no room.
TEST(sender_wait, what_is_passed_on_while_the_lock_is_held_is_told_by_its_holder) {
    sender_wait side(any_batch);
    sole_waiter waits;
    side.enrol(waits.waiter, false, no_room);
    bool is_there = false;
    const auto one = []() noexcept { return std::uint64_t{1}; };
    side.pass_on([&]() noexcept {
        if (!std::exchange(is_there, true)) {
            side.pass_on(one);
            EXPECT_EQ(waits.waiter.finishes(), 0);
            return std::uint64_t{0};
        }
        return std::uint64_t{1};
    });
    EXPECT_TRUE(is_there);
    EXPECT_EQ(waits.waiter.finishes(), 1);
}

TEST(sender_wait, watchers_are_told_of_what_no_waiter_takes) {
    sender_wait side(any_batch);
    sole_waiter waits;
    sole_waiter watches;
    side.watch(watches.waiter, no_room);
    side.enrol(waits.waiter, false, no_room);
    EXPECT_EQ(side.pop(true, no_room), &waits.waiter);
    EXPECT_EQ(watches.waiter.finishes(), 0);
    EXPECT_TRUE(side.is_waited_after_write());
    EXPECT_FALSE(side.is_waited()) << "watchers do not count";
    EXPECT_EQ(side.pop(false, no_room), nullptr);
    EXPECT_EQ(watches.waiter.finishes(), 0) << "the room is not there for all to see";
    EXPECT_EQ(side.pop(true, no_room), nullptr);
    EXPECT_EQ(watches.waiter.finishes(), 1);
    EXPECT_FALSE(side.is_waited_after_write());
}

TEST(sender_wait, watchers_that_came_after_a_waiter_are_told_when_it_has_gone) {
    sender_wait side(any_batch);
    sole_waiter waits;
    sole_waiter watches;
    side.enrol(waits.waiter, false, no_room);
    side.watch(watches.waiter, no_room);
    EXPECT_EQ(side.pop(true, no_room), &waits.waiter);
    EXPECT_EQ(watches.waiter.finishes(), 0);
    EXPECT_TRUE(side.is_waited_after_write());
    EXPECT_EQ(side.pop(true, no_room), nullptr);
    EXPECT_EQ(watches.waiter.finishes(), 1);
    EXPECT_FALSE(side.is_waited_after_write());
}

TEST(sender_wait, a_watcher_that_has_gone_is_not_told) {
    sender_wait side(any_batch);
    sole_waiter goes;
    sole_waiter stays;
    side.watch(goes.waiter, no_room);
    side.watch(stays.waiter, no_room);
    EXPECT_TRUE(goes.waiter.take());
    side.unwatch(goes.waiter, no_room);
    side.wake_all();
    EXPECT_EQ(goes.waiter.finishes(), 0);
    EXPECT_EQ(stays.waiter.finishes(), 1);
}

TEST(sender_wait, who_has_withdrawn_is_not_given) {
    sender_wait side(any_batch);
    std::array<sole_waiter, 3> all;
    for (auto& each : all) {
        side.enrol(each.waiter, false, no_room);
    }
    EXPECT_TRUE(all[1].waiter.take());
    side.withdraw(all[1].waiter, no_room);
    EXPECT_EQ(side.pop(false, no_room), &all[0].waiter);
    EXPECT_EQ(side.pop(false, no_room), &all[2].waiter);
    side.withdraw(all[2].waiter, no_room);
    EXPECT_FALSE(side.is_waited());
}

TEST(sender_wait, the_last_to_withdraw_leaves_nobody_waiting) {
    sender_wait side(any_batch);
    sole_waiter one;
    side.enrol(one.waiter, false, no_room);
    EXPECT_TRUE(one.waiter.take());
    side.withdraw(one.waiter, no_room);
    EXPECT_FALSE(side.is_waited());
    EXPECT_FALSE(side.is_waited_after_write());
}

TEST(sender_wait, waking_all_tells_each_once_to_look_again) {
    sender_wait side(any_batch);
    std::array<sole_waiter, 3> all;
    for (auto& each : all) {
        side.enrol(each.waiter, false, no_room);
    }
    side.wake_all();
    EXPECT_FALSE(side.is_waited());
    for (auto& each : all) {
        EXPECT_TRUE(each.waiter.await(deadline::passed()));
        EXPECT_EQ(each.waiter.outcome(), answer::retry);
        EXPECT_EQ(each.waiter.finishes(), 1);
    }
}

TEST(sender_wait, where_nobody_owes_no_waiter_is_woken_for_room) {
    sender_wait side(any_batch);
    constexpr auto much_room = []() noexcept { return std::uint64_t{100}; };
    sole_waiter one;
    sole_waiter other;
    side.enrol(one.waiter, false, much_room);
    side.enrol(other.waiter, false, much_room);
    EXPECT_TRUE(other.waiter.take());
    side.withdraw(other.waiter, much_room);
    EXPECT_EQ(one.waiter.finishes(), 0);
    EXPECT_EQ(side.pop(true, much_room), &one.waiter);
}

// Who is to be told of room is not told before others see it, and nobody behind it is served before it.
TEST(sender_wait, who_asks_to_be_told_of_room_is_popped_when_that_is_there_for_all) {
    sender_wait side(any_batch);
    sole_waiter served(1);
    sole_waiter told(2, service::tell);
    sole_waiter behind(3, service::grant);
    for (sole_waiter* each : {&served, &told, &behind}) {
        side.enrol(each->waiter, false, no_room);
    }
    EXPECT_EQ(side.pop(false, no_room), &served.waiter);
    EXPECT_EQ(side.pop(false, no_room), nullptr);
    EXPECT_TRUE(side.is_waited());
    EXPECT_EQ(side.pop(true, no_room), &told.waiter);
    EXPECT_EQ(side.pop(false, no_room), &behind.waiter);
    EXPECT_FALSE(side.is_waited());
}

// ---- A thread that waits ----

// Runs `meanwhile(side)` beside a wait for the message 7, and returns how that ended.
template <class Meanwhile, class Stop = no_stop>
answer await_beside(Meanwhile meanwhile, deadline until = deadline::after(patience), Stop stop = {}) {
    sender_wait side(any_batch);
    auto source = making<int>([](void* place) { ::new (place) int(7); });
    thread_waiter self(source, service::make);
    side.enrol(self, false, no_room);
    std::jthread other([&] { meanwhile(side); });
    const answer outcome = self.await(until, stop, side.spin(), 0);
    other.join();
    if (outcome == answer::timeout || outcome == answer::stopped) {
        EXPECT_FALSE(self.take()) << "its claim is its own";
        side.withdraw(self, no_room);
    }
    EXPECT_FALSE(side.is_waited());
    return outcome;
}

TEST(thread_waiter, is_served_its_message_made_at_the_place_given) {
    constexpr unsigned native_rounds = 100;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        int place = 0;
        const answer outcome = await_beside([&](sender_wait& side) {
            pause_for(round * 20);
            waiter* const next = side.pop(false, no_room);
            ASSERT_NE(next, nullptr);
            next->make_at(&place);
            next->finish(answer::served);
        });
        ASSERT_EQ(outcome, answer::served);
        ASSERT_EQ(place, 7);
    }
}

TEST(thread_waiter, is_told_of_the_ticket_that_it_was_granted) {
    constexpr std::uint64_t granted = 12'345;
    sender_wait side(any_batch);
    auto source = making<std::unique_ptr<int>>([](void*) { ADD_FAILURE() << "that is left to the waiter"; });
    thread_waiter self(source, service::grant);
    side.enrol(self, false, no_room);
    std::jthread other([&] {
        waiter* const next = side.pop(false, no_room);
        ASSERT_NE(next, nullptr);
        EXPECT_EQ(next->asks_for(), service::grant);
        next->grant(granted);
        next->finish(answer::granted);
    });
    EXPECT_EQ(self.await(deadline::after(patience), no_stop(), side.spin(), 0), answer::granted);
    EXPECT_EQ(self.ticket(), granted);
}

template <class T>
T served_after_a_change(T first, T then) {
    T value = first;
    const auto make = [&value] { return value; };
    weir::detail::message_source<T, true, decltype(make)> source(make);
    thread_waiter self(source, service::make);
    value = then;
    T place{};
    waiter& seen = self;
    seen.make_at(&place);
    return place;
}

TEST(thread_waiter, has_a_small_message_of_bytes_beside_it_and_refers_to_a_large_one) {
    using words = std::array<std::uint64_t, 3>;
    EXPECT_EQ(served_after_a_change<std::uint64_t>(5, 6), 5);
    EXPECT_EQ(served_after_a_change<char>('a', 'b'), 'a');
    EXPECT_EQ(served_after_a_change(words{5, 5, 5}, words{6, 6, 6}), (words{6, 6, 6}));
}

TEST(thread_waiter, is_told_to_look_again) {
    EXPECT_EQ(await_beside([](sender_wait& side) { side.wake_all(); }), answer::retry);
}

TEST(thread_waiter, gives_up_at_its_deadline_and_not_before) {
    const deadline until = deadline::after(5ms);
    EXPECT_EQ(await_beside([](sender_wait&) {}, until), answer::timeout);
    EXPECT_TRUE(until.has_passed());
}

TEST(thread_waiter, whose_time_runs_out_while_it_is_served_is_served) {
    constexpr unsigned native_rounds = 150;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        int place = 0;
        bool is_popped = false;
        const auto serve = [&](sender_wait& side) {
            pause_for(round * 40);
            if (waiter* const next = side.pop(false, no_room)) {
                is_popped = true;
                next->make_at(&place);
                next->finish(answer::served);
            }
        };
        const answer outcome = await_beside(serve, deadline::after(std::chrono::microseconds(round)));
        ASSERT_EQ(outcome, is_popped ? answer::served : answer::timeout);
        ASSERT_EQ(place, is_popped ? 7 : 0);
    }
}

#if WEIR_HAS_STOP_TOKEN
TEST(thread_waiter, gives_up_when_a_stop_is_requested) {
    std::stop_source stop;
    const auto request = [&](sender_wait&) { stop.request_stop(); };
    EXPECT_EQ(await_beside(request, deadline::after(patience), stop.get_token()), answer::stopped);
}
#endif

// ---- No wake is lost ----

// Room that is given out one by one, as a flavor does: senders take some or wait; one thread makes it, and hands it to the
// first who waits. Everybody gets some in the end.
TEST(sender_wait, no_room_is_slept_through) {
    constexpr unsigned native_each = 2'500;
    constexpr unsigned senders = 3;
    sender_wait side(any_batch);
    std::atomic<std::uint64_t> room{0};
    const auto count_room = [&]() noexcept { return room.load(std::memory_order_acquire); };
    const auto take_room = [&]() noexcept {
        std::uint64_t seen = room.load(std::memory_order_relaxed);
        while (seen != 0) {
            if (room.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) {
                return true;
            }
        }
        return false;
    };
    in_parallel(senders + 1, [&](unsigned which) {
        std::minstd_rand random(which + 1);
        if (which == senders) {
            for (std::uint64_t left = std::uint64_t{senders} * scaled(native_each); left > 0; --left) {
                pause_for(random() % 256);
                room.fetch_add(1, std::memory_order_release);
                if (!side.is_waited_after_write()) {
                    continue;
                }
                if (waiter* const next = side.pop(true, count_room)) {
                    const bool has_room = take_room();
                    next->finish(has_room ? answer::served : answer::retry);
                }
            }
            return;
        }
        auto nothing = making<std::unique_ptr<int>>([](void*) {});
        for (unsigned i = 0; i < scaled(native_each); ++i) {
            const deadline limit = deadline::after(patience);
            bool has_some = take_room();
            for (bool was_first = false; !has_some;) {
                thread_waiter self(nothing, was_first ? service::grant : service::tell);
                side.enrol(self, was_first, count_room);
                side.barrier();
                if (count_room() != 0 && self.take()) {
                    side.withdraw(self, count_room);
                    was_first = false;
                } else {
                    const answer outcome = self.await(limit, no_stop(), side.spin(), i);
                    ASSERT_NE(outcome, answer::timeout) << "slept through room for it";
                    has_some = outcome == answer::served;
                    was_first = true;
                }
                has_some = has_some || take_room();
            }
        }
    });
    EXPECT_EQ(room.load(), 0U);
    EXPECT_FALSE(side.is_waited());
}

} // namespace
