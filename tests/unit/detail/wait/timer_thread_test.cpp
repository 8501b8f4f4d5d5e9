// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/timer_thread.hpp>

#include "support/scale.hpp"
#include "support/test_waiter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using unit::sole_waiter;
using weir::detail::answer;
using weir::detail::deadline;
using weir::detail::timed_heap;
using weir::detail::timed_wait;
using weir::detail::timer_thread;

deadline at(int milliseconds) {
    return deadline::exactly(deadline::clock::time_point(std::chrono::milliseconds(milliseconds)));
}

TEST(timed_heap, has_the_one_that_is_due_first_at_its_top_whatever_is_added_and_removed) {
    sole_waiter who;
    std::mt19937 random(5);
    for (int round = 0; round < 50; ++round) {
        timed_heap heap;
        std::vector<std::unique_ptr<timed_wait>> inside;
        for (int step = 0; step < 300; ++step) {
            if (inside.empty() || random() % 5 < 3) {
                inside.push_back(std::make_unique<timed_wait>());
                inside.back()->set(who.waiter, at(static_cast<int>(random() % 50)));
                heap.add(*inside.back());
            } else {
                const std::size_t which = random() % inside.size();
                timed_wait& removed = random() % 2 == 0 ? *heap.first() : *inside[which];
                heap.remove(removed);
                heap.remove(removed); // nothing
                std::erase_if(inside, [&](const auto& each) { return each.get() == &removed; });
            }
            const auto first = std::min_element(inside.begin(), inside.end(), [](const auto& one, const auto& other) {
                return one->due() < other->due();
            });
            ASSERT_EQ(heap.first() == nullptr, inside.empty());
            if (!inside.empty()) {
                ASSERT_EQ(heap.first()->due(), (*first)->due());
            }
        }
    }
}

TEST(timer_thread, tells_a_waiter_when_its_time_has_come_and_none_that_was_removed) {
    sole_waiter told;
    sole_waiter removed;
    sole_waiter taken;
    timed_wait places[3];
    timer_thread& timers = timer_thread::started();
    EXPECT_TRUE(taken.waiter.take());
    timers.add(places[1], deadline::after(1ms), removed.waiter);
    timers.remove(places[1]);
    timers.add(places[2], deadline::after(1ms), taken.waiter);
    timers.add(places[0], deadline::after(5ms), told.waiter);
    EXPECT_TRUE(told.waiter.await(deadline::after(unit::patience)));
    EXPECT_EQ(told.waiter.outcome(), answer::retry);
    EXPECT_TRUE(places[0].due().has_passed());
    timers.remove(places[0]);
    timers.remove(places[2]);
    EXPECT_EQ(removed.waiter.finishes() + taken.waiter.finishes(), 0);
}

TEST(timer_thread, leaves_alone_who_waits_for_ever) {
    sole_waiter waits;
    timed_wait place;
    timer_thread::started().add(place, deadline::never(), waits.waiter);
    timer_thread::started().remove(place);
    EXPECT_EQ(waits.waiter.finishes(), 0);
}

} // namespace
