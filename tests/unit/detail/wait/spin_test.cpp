// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/spin.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace {

using weir::detail::spin_policy;

constexpr std::uint64_t any_batch = std::numeric_limits<std::uint64_t>::max();
constexpr auto never = []() noexcept { return false; };
constexpr auto always = []() noexcept { return true; };

// How often a wait that is in vain glances.
int glances_in_vain(spin_policy& policy) {
    int glances = 0;
    EXPECT_FALSE(policy.wait(
        0, [&]() noexcept { return ++glances, false; }, never));
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
    spin_policy policy(any_batch);
    for (int i = 0; i < 10; ++i) {
        int polls = 0;
        EXPECT_FALSE(policy.wait(0, never, [&]() noexcept { return ++polls, false; }));
        EXPECT_GT(polls, 0);
        EXPECT_LT(polls, most);
    }
}

TEST(spin_policy, spins_less_after_waits_in_vain_but_never_not_at_all_and_more_again_after_others) {
    if (!weir::detail::can_spin()) {
        spin_policy policy(any_batch);
        EXPECT_EQ(glances_in_vain(policy), 0);
        return;
    }
    spin_policy policy(any_batch);
    constexpr int many = 12;
    const int at_first = glances_in_vain(policy);
    for (int i = 0; i < many; ++i) {
        glances_in_vain(policy);
    }
    const int later = glances_in_vain(policy);
    EXPECT_LT(later, at_first);
    EXPECT_GT(later, 0);
    for (int i = 0; i < many; ++i) {
        EXPECT_TRUE(policy.wait(0, always, always));
    }
    EXPECT_EQ(glances_in_vain(policy), at_first);
}

} // namespace
