// SPDX-License-Identifier: BSL-1.0
//
// Both parkers, whichever of them the library was told to use.
#include <weir/detail/wait/futex_parker.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/portable_parker.hpp>

#include "support/processor_time.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <string>
#include <thread>
#include <type_traits>

namespace {

using namespace std::chrono_literals;
using namespace unit;
using weir::detail::deadline;
using weir::detail::portable_parker;

struct parker_names {
    template <class Parker>
    static std::string GetName(int) {
        return std::is_same_v<Parker, portable_parker> ? "portable_parker" : "futex_parker";
    }
};

#if WEIR_HAS_FUTEX
using both = testing::Types<portable_parker, weir::detail::futex_parker>;
#else
using both = testing::Types<portable_parker>;
#endif

template <class Parker>
class parker_of : public testing::Test {};
TYPED_TEST_SUITE(parker_of, both, parker_names);

TEST(parker, is_the_one_that_was_asked_for) {
#if WEIR_PORTABLE_PARKER
    EXPECT_TRUE((std::is_same_v<weir::detail::parker, portable_parker>));
#else
    EXPECT_TRUE((std::is_same_v<weir::detail::parker, weir::detail::futex_parker>));
#endif
}

TYPED_TEST(parker_of, has_no_token_at_first) {
    TypeParam parker;
    EXPECT_FALSE(parker.has_token());
    EXPECT_FALSE(parker.park(deadline::passed()));
}

TYPED_TEST(parker_of, a_token_lets_one_park_return_at_once_and_is_gone_then) {
    TypeParam parker;
    parker.unpark();
    EXPECT_TRUE(parker.has_token());
    EXPECT_TRUE(parker.park(deadline::never()));
    EXPECT_FALSE(parker.has_token());
    EXPECT_FALSE(parker.park(deadline::passed()));
}

TYPED_TEST(parker_of, a_token_wins_over_a_deadline_that_has_passed) {
    TypeParam parker;
    parker.unpark();
    EXPECT_TRUE(parker.park(deadline::passed()));
}

TYPED_TEST(parker_of, tokens_do_not_add_up) {
    TypeParam parker;
    parker.unpark();
    parker.unpark();
    EXPECT_TRUE(parker.park(deadline::never()));
    EXPECT_FALSE(parker.park(deadline::passed()));
}

TYPED_TEST(parker_of, a_park_without_token_ends_at_its_deadline_and_not_before) {
    TypeParam parker;
    for (int i = 0; i < 3; ++i) {
        const deadline until = deadline::after(5ms);
        EXPECT_FALSE(parker.park(until));
        EXPECT_TRUE(until.has_passed());
        EXPECT_LT(deadline::clock::now(), until.time() + 2s);
    }
    parker.unpark();
    EXPECT_TRUE(parker.park(deadline::never())) << "it is as good as new after a time-out";
}

TYPED_TEST(parker_of, a_deadline_before_the_clocks_start_has_passed) {
    TypeParam parker;
    EXPECT_FALSE(parker.park(deadline::at(deadline::clock::time_point(-5s))));
    EXPECT_FALSE(parker.park(deadline::at(deadline::clock::time_point())));
}

TYPED_TEST(parker_of, wakes_its_owner_every_time) {
    constexpr unsigned native_rounds = 3'000;
    TypeParam here;
    TypeParam there;
    in_parallel(2, [&](unsigned which) {
        for (unsigned round = 0; round < scaled(native_rounds); ++round) {
            TypeParam& mine = which == 0 ? here : there;
            TypeParam& other = which == 0 ? there : here;
            if (which == 0) {
                pause_for(round % 512);
                other.unpark();
                ASSERT_TRUE(mine.park(deadline::after(patience)));
            } else {
                ASSERT_TRUE(mine.park(round % 2 == 0 ? deadline::after(patience) : deadline::never()));
                pause_for(round % 256);
                other.unpark();
            }
        }
    });
}

// The value is no atomic: the thread sanitizer holds the parker to it.
TYPED_TEST(parker_of, what_came_before_an_unpark_is_visible_after_the_park) {
    constexpr unsigned native_rounds = 1'000;
    TypeParam parker;
    TypeParam back;
    unsigned value = 0;
    in_parallel(2, [&](unsigned which) {
        for (unsigned round = 1; round <= scaled(native_rounds); ++round) {
            if (which == 0) {
                value = round;
                parker.unpark();
                ASSERT_TRUE(back.park(deadline::after(patience)));
            } else {
                if (round % 2 == 0) {
                    while (!parker.has_token()) {
                        std::this_thread::yield();
                    }
                    EXPECT_EQ(value, round);
                }
                ASSERT_TRUE(parker.park(deadline::after(patience)));
                EXPECT_EQ(value, round);
                back.unpark();
            }
        }
    });
}

// The token comes at about the moment when the time runs out: it is taken by that park or is there for the next.
TYPED_TEST(parker_of, loses_no_token_to_a_time_out) {
    constexpr unsigned native_rounds = 1'500;
    TypeParam parker;
    TypeParam back;
    in_parallel(2, [&](unsigned which) {
        for (unsigned round = 0; round < scaled(native_rounds); ++round) {
            if (which == 0) {
                pause_for(round * 3 % 1'000);
                parker.unpark();
                ASSERT_TRUE(back.park(deadline::after(patience)));
            } else {
                const bool in_time = parker.park(deadline::after(std::chrono::nanoseconds(round * 7 % 60'000)));
                ASSERT_TRUE(in_time || parker.park(deadline::after(patience)));
                ASSERT_FALSE(parker.has_token());
                back.unpark();
            }
        }
    });
}

// A waker must not touch a waiter that is gone.
TYPED_TEST(parker_of, may_be_destroyed_as_soon_as_its_owner_has_the_token) {
    constexpr unsigned native_rounds = 2'000;
    std::atomic<TypeParam*> offered{nullptr};
    in_parallel(2, [&](unsigned which) {
        for (unsigned round = 0; round < scaled(native_rounds); ++round) {
            if (which == 0) {
                TypeParam* parker = nullptr;
                while ((parker = offered.exchange(nullptr)) == nullptr) {
                    std::this_thread::yield();
                }
                parker->unpark();
            } else {
                const auto parker = std::make_unique<TypeParam>();
                offered = parker.get();
                ASSERT_TRUE(parker->park(deadline::after(patience)));
            }
        }
    });
}

// However far it is: a wait that the system cannot express must not become a loop.
TYPED_TEST(parker_of, a_thread_that_waits_for_a_far_deadline_uses_no_processor_time) {
    constexpr auto watched = 60ms;
    for (const auto years : {1, 60, 100, 200}) {
        TypeParam parker;
        std::chrono::nanoseconds used{};
        std::jthread waiting([&] {
            const auto before = own_processor_time();
            EXPECT_TRUE(parker.park(deadline::after(std::chrono::hours(24 * 365 * years))));
            used = own_processor_time() - before;
        });
        std::this_thread::sleep_for(watched); // how long it is watched; nothing depends on what it does meanwhile
        parker.unpark();
        waiting.join();
        EXPECT_LT(used, watched / 2) << years << " years";
    }
}

TYPED_TEST(parker_of, signals_neither_end_a_park_nor_make_it_longer) {
    std::signal(SIGUSR1, [](int) {});
    TypeParam parker;
    std::atomic<bool> has_ended{false};
    std::jthread waiting([&] {
        const deadline until = deadline::after(20ms);
        EXPECT_FALSE(parker.park(until));
        EXPECT_TRUE(until.has_passed());
        EXPECT_LT(deadline::clock::now(), until.time() + 2s);
        has_ended = true;
    });
    while (!has_ended) {
        pthread_kill(waiting.native_handle(), SIGUSR1);
        std::this_thread::yield();
    }
    waiting.join();
    std::signal(SIGUSR1, SIG_DFL);
}

} // namespace
