// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/spin.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace {

using weir::detail::spin_policy;

constexpr std::uint64_t any_batch = std::numeric_limits<std::uint64_t>::max();
constexpr auto never = []() noexcept { return false; };
constexpr auto always = []() noexcept { return true; };

// How often a wait that is in vain glances.
int glances_in_vain(spin_policy& policy) {
    int glances = 0;
    EXPECT_FALSE(policy.wait(0, [&]() noexcept { return ++glances, false; }, never));
    return glances;
}

TEST(spin_policy, ends_as_soon_as_what_it_waits_for_is_there) {
    for (const std::uint64_t batch : {std::uint64_t{1}, any_batch}) {
        spin_policy policy(batch);
        for (std::uint64_t progress = 0; progress < 1'000; progress += 100) {
            int polls = 0;
            EXPECT_TRUE(policy.wait(progress, always, [&]() noexcept { return ++polls, true; }));
            EXPECT_EQ(polls, 1);
        }
    }
}

TEST(spin_policy, gives_up_in_the_end) {
    spin_policy policy(any_batch);
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(policy.wait(0, never, never));
        EXPECT_FALSE(policy.wait(0, always, never));
    }
}

TEST(spin_policy, polls_though_no_glance_saw_anything) {
    for (int needed = 1; needed <= 5; ++needed) {
        spin_policy policy(any_batch);
        int polls = 0;
        EXPECT_TRUE(policy.wait(0, never, [&]() noexcept { return ++polls == needed; }));
        EXPECT_EQ(polls, needed);
    }
}

TEST(spin_policy, does_not_take_a_glance_for_an_answer) {
    spin_policy policy(any_batch);
    int polls = 0;
    EXPECT_TRUE(policy.wait(0, always, [&]() noexcept { return ++polls == 5; }));
    EXPECT_EQ(polls, 5);
}

TEST(spin_policy, yields_and_polls_a_bounded_number_of_times_before_it_gives_up) {
    constexpr int most = 100'000;
    for (int i = 0; i < 10; ++i) {
        spin_policy policy(any_batch);
        int polls = 0;
        EXPECT_FALSE(policy.wait(0, never, [&]() noexcept { return ++polls, false; }));
        EXPECT_GT(polls, 0);
        EXPECT_LT(polls, most);
    }
}

TEST(spin_policy, stops_spinning_after_waits_in_vain_but_tries_again_and_spins_more_after_others) {
    spin_policy policy(any_batch);
    if (!weir::detail::can_spin()) {
        EXPECT_EQ(glances_in_vain(policy), 0);
        return;
    }
    constexpr int many = 64;
    const int at_first = glances_in_vain(policy);
    EXPECT_GT(at_first, 0);
    int without = 0;
    int tries = 0;
    for (int i = 0; i < many; ++i) {
        const int glances = glances_in_vain(policy);
        EXPECT_LE(glances, at_first);
        without += glances == 0 ? 1 : 0;
        tries += without > 0 && glances > 0 ? 1 : 0;
    }
    EXPECT_GT(without, many / 2);
    EXPECT_GT(tries, 0);
    int ended = 0;
    for (int i = 0; i < 2 * many; ++i) {
        ended += policy.wait(0, always, always) ? 1 : 0;
    }
    EXPECT_GT(ended, many);
    EXPECT_EQ(glances_in_vain(policy), at_first);
}

TEST(spin_policy, stops_giving_way_after_waits_in_vain_but_tries_again_and_gives_way_more_after_others) {
    spin_policy policy(any_batch);
    const auto yields_until = [&](bool outcome) {
        int yields = 0;
        EXPECT_FALSE(policy.look(0, never, never));
        const bool ended = policy.give_way([&]() noexcept { return ++yields, outcome; });
        EXPECT_EQ(ended, outcome && yields > 0);
        return yields;
    };
    constexpr int many = 64;
    EXPECT_GT(yields_until(false), 0);
    int without = 0;
    int tries = 0;
    for (int i = 0; i < many; ++i) {
        const int yields = yields_until(false);
        without += yields == 0 ? 1 : 0;
        tries += without > 0 && yields > 0 ? 1 : 0;
    }
    EXPECT_GT(without, many / 2);
    EXPECT_GT(tries, 0);
    for (int i = 0; i < 2 * many; ++i) {
        yields_until(true);
    }
    EXPECT_GT(yields_until(false), 0);
}

TEST(spin_policy, a_look_alone_does_not_give_way) {
    spin_policy policy(any_batch);
    for (int i = 0; i < 10; ++i) {
        // A poll while spinning comes after a glance.
        bool glanced = false;
        EXPECT_FALSE(policy.look(
            0, [&]() noexcept { return glanced = true; },
            [&]() noexcept {
                EXPECT_TRUE(std::exchange(glanced, false));
                return false;
            }));
    }
}

// Two threads on one processor would hand it to each other for ever, and another one stand idle.
TEST(spin_policy, parks_after_many_waits_in_a_row_that_a_yield_ended) {
    spin_policy policy(any_batch);
    constexpr int many = 1'000;
    int parked = 0;
    for (int i = 0; i < many; ++i) {
        // A poll while spinning comes after a glance; one after a yield does not.
        bool glanced = false;
        const bool ended = policy.wait(
            0, [&]() noexcept { return glanced = true; }, [&]() noexcept { return !std::exchange(glanced, false); });
        parked += ended ? 0 : 1;
    }
    if (weir::detail::can_spin()) {
        EXPECT_GT(parked, 0);
        EXPECT_LT(parked, many / 100);
    } else {
        EXPECT_EQ(parked, 0);
    }
}

} // namespace
