// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/spin.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>

#if defined(__linux__)
#include <sys/wait.h>
#endif

namespace {

using weir::detail::deadline;
using weir::detail::parker;
using weir::detail::spin_policy;

constexpr std::uint64_t any_batch = std::numeric_limits<std::uint64_t>::max();
constexpr auto never = []() noexcept { return false; };
constexpr auto always = []() noexcept { return true; };

constexpr auto alone = []() noexcept { return false; };
constexpr auto beside_others = []() noexcept { return true; };

// Keeps the processor, as far as the machine has no other work for it.
void compute_for(std::chrono::nanoseconds time) noexcept {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

// How often a look that is in vain glances.
int glances_in_vain(spin_policy& policy, bool (*yields)() noexcept = alone) {
    int glances = 0;
    EXPECT_FALSE(policy.look(0, [&]() noexcept { return ++glances, false; }, never, yields));
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
        const bool ended = policy.give_way(0, [&]() noexcept { return ++yields, outcome; });
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

// How often a policy gives way in one wait, where that takes a tenth of a millisecond each time and `batch` messages pass.
int long_yields(std::uint64_t batch) {
    spin_policy policy(any_batch);
    int polls = 0;
    (void)policy.give_way(
        7,
        [&]() noexcept {
            compute_for(std::chrono::microseconds(100));
            return ++polls, false;
        },
        [&]() noexcept { return 7 + static_cast<std::uint64_t>(polls) * batch; });
    return polls - 1;
}

TEST(spin_policy, goes_on_giving_way_to_a_crowd_that_gets_messages_through) {
    EXPECT_EQ(long_yields(0), 0);
    EXPECT_EQ(long_yields(1), 0);
    EXPECT_GT(long_yields(1'000'000), 10);
}

// Others could do what is waited for, but for this one.
TEST(spin_policy, stops_spinning_where_another_thread_wants_the_processor) {
    if (!weir::detail::can_spin()) {
        return; // and never spins
    }
    spin_policy policy(any_batch);
    const int all = glances_in_vain(policy);
    spin_policy other(any_batch);
    const int some = glances_in_vain(other, beside_others);
    EXPECT_GT(some, 0);
    EXPECT_LT(some, all / 2);
}

// Two threads that answer each other, and both sleep, would go on like that: who sleeps is woken late.
TEST(spin_policy, spins_as_long_as_at_first_after_many_sleeps_that_were_brief) {
    if (!weir::detail::can_spin()) {
        return; // and never spins
    }
    spin_policy policy(any_batch);
    const int at_first = glances_in_vain(policy);
    parker place;
    const auto looks_again_within = [&](int sleeps) {
        for (int i = 0; i < sleeps; ++i) {
            place.unpark();
            EXPECT_TRUE(policy.sleep(place, deadline::never()));
            if (glances_in_vain(policy) == at_first) {
                return true;
            }
        }
        return false;
    };
    constexpr int many = 100'000; // some are not brief where the system runs another thread meanwhile
    EXPECT_TRUE(looks_again_within(many));
    EXPECT_FALSE(looks_again_within(32)); // and not at each
    EXPECT_TRUE(looks_again_within(many));
}

TEST(spin_policy, does_not_spin_for_the_sake_of_sleeps_that_were_long) {
    spin_policy policy(any_batch);
    parker place;
    int longest = 0;
    for (int i = 0; i < 300; ++i) {
        EXPECT_FALSE(policy.sleep(place, deadline::after(std::chrono::microseconds(100))));
        const int glances = glances_in_vain(policy);
        longest = i < 32 ? 0 : std::max(glances, longest); // at first it looks for long anyway
    }
    spin_policy fresh(any_batch);
    EXPECT_LE(2 * longest, glances_in_vain(fresh));
}

// What comes of a yield is no success of spinning.
TEST(spin_policy, spins_less_after_waits_that_others_broke_off) {
    spin_policy policy(any_batch);
    for (int i = 0; i < 8; ++i) {
        (void)glances_in_vain(policy, beside_others);
    }
    EXPECT_EQ(glances_in_vain(policy), 0);
}

// How often a policy gives way in one wait, after several that were ended by a yield of two milliseconds, each of which brought
// `batch` messages.
int yields_after_long_ones(std::uint64_t batch) {
    spin_policy policy(any_batch);
    std::uint64_t progress = std::numeric_limits<std::uint32_t>::max() - 10; // its lower half is about to wrap
    for (int i = 0; i < 6; ++i) {
        (void)policy.look(progress, never, never);
        (void)policy.give_way(progress, []() noexcept {
            compute_for(std::chrono::milliseconds(2));
            return true;
        });
        progress += batch;
    }
    (void)policy.look(progress, never, never);
    int yields = 0;
    (void)policy.give_way(progress, [&]() noexcept { return ++yields, false; });
    return yields;
}

#if defined(__linux__)

// The same in a process of its own, which may use one processor only.
[[noreturn]] void give_way_on_one_processor(std::uint64_t batch) {
    unit::stay_on_this_processor();
    EXPECT_FALSE(weir::detail::can_spin());
    std::exit(testing::Test::HasFailure() ? 99 : yields_after_long_ones(batch));
}

// A partner that looks again and again, or works, keeps the only processor for a whole slice: a wake comes sooner.
TEST(spin_policy, stops_giving_way_where_a_yield_takes_long_and_brings_few_messages) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (const std::uint64_t batch : {0u, 1u, 8u, 60u}) {
        EXPECT_EXIT(give_way_on_one_processor(batch), testing::ExitedWithCode(0), "") << batch;
    }
}

// With other work on the machine two milliseconds may become more, but not ten thousand times as many.
TEST(spin_policy, goes_on_giving_way_where_a_yield_takes_long_and_brings_many_messages) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto went_on = [](int status) {
        return WIFEXITED(status) && WEXITSTATUS(status) > 0 && WEXITSTATUS(status) < 99;
    };
    EXPECT_EXIT(give_way_on_one_processor(1'000'000), went_on, "");
}

#endif

// With others it may have been anybody.
TEST(spin_policy, goes_on_giving_way_where_there_are_several_processors) {
    if (weir::detail::can_spin()) {
        EXPECT_GT(yields_after_long_ones(1), 0);
    }
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
