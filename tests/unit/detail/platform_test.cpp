// SPDX-License-Identifier: BSL-1.0
//
// The system below: futexes, the memory barrier, the processor, and how the program ends.
#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/platform/fatal.hpp>
#include <weir/detail/platform/futex.hpp>
#include <weir/detail/platform/membarrier.hpp>

#include "support/scale.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sys/resource.h>
#endif

namespace {

#if WEIR_HAS_FUTEX
using namespace unit;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using weir::detail::futex_wait;
using weir::detail::futex_wake_one;

TEST(futex, does_not_wait_where_the_word_has_another_value) {
    const std::atomic<std::uint32_t> word{1};
    futex_wait(word, 2, clock::time_point::max());
    EXPECT_EQ(word.load(), 1U);
}

TEST(futex, waits_until_the_steady_clock_shows_the_time) {
    const std::atomic<std::uint32_t> word{1};
    const auto until = clock::now() + 5ms;
    while (clock::now() < until) {
        futex_wait(word, 1, until); // may return early for no reason
    }
    EXPECT_LT(clock::now(), until + 2s);
}

TEST(futex, does_not_wait_for_a_time_that_has_passed) {
    const std::atomic<std::uint32_t> word{1};
    const auto start = clock::now();
    futex_wait(word, 1, start - 1s);
    futex_wait(word, 1, clock::time_point());
    futex_wait(word, 1, clock::time_point(-1ns));
    futex_wait(word, 1, clock::time_point::min());
    EXPECT_LT(clock::now(), start + 2s);
}

TEST(futex, wakes_one_who_waits) {
    std::atomic<std::uint32_t> word{1};
    std::jthread waiting([&] {
        const auto limit = clock::now() + patience;
        while (word.load() == 1 && clock::now() < limit) {
            futex_wait(word, 1, limit);
        }
        EXPECT_LT(clock::now(), limit);
    });
    word = 2;
    futex_wake_one(&word);
}
#endif

TEST(membarrier, that_is_there_can_be_called) {
    if (weir::detail::membarrier_available()) {
        weir::detail::membarrier();
    }
    EXPECT_EQ(weir::detail::membarrier_available(), weir::detail::membarrier_available());
}

TEST(processor, has_a_count_and_a_rate_of_pauses_within_reason) {
    EXPECT_GE(weir::detail::usable_processors(), 1);
    EXPECT_EQ(weir::detail::can_spin(), weir::detail::usable_processors() > 1);
    const int rate = weir::detail::pauses_per_microsecond();
    EXPECT_GT(rate, 0);
    EXPECT_LE(rate, 1'000);
    EXPECT_EQ(weir::detail::pauses_per_microsecond(), rate) << "it is measured once";
}

TEST(fatal, ends_the_program_with_a_message) {
    EXPECT_DEATH(weir::detail::fatal("something was wrong"), "weir: something was wrong");
}

TEST(throwing, gives_the_standard_exceptions) {
    EXPECT_THROW(weir::detail::throw_bad_alloc(), std::bad_alloc);
    try {
        weir::detail::throw_length_error("too long");
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::length_error& error) {
        EXPECT_EQ(std::string(error.what()), "too long");
    }
}

#if defined(__linux__)

// How often this thread has lost its processor.
long switches() {
    rusage usage{};
    EXPECT_EQ(::getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_nvcsw + usage.ru_nivcsw;
}

// Of many yields, in how many the system counted the same as they told.
int told_rightly(int yields) {
    int right = 0;
    for (int i = 0; i < yields; ++i) {
        const long before = switches();
        const bool found = weir::detail::yield_to_another();
        right += found == (switches() != before) ? 1 : 0;
    }
    return right;
}

// Another thread on the same processor, which gives it away again and again.
class companion {
public:
    companion() {
        while (!runs_) {
            std::this_thread::yield();
        }
    }
    ~companion() { done_ = true; }

private:
    std::atomic<bool> runs_ = false;
    std::atomic<bool> done_ = false;
    std::jthread thread_{[this] {
        runs_ = true;
        while (!done_) {
            std::this_thread::yield();
        }
    }};
};

// Each yield may take a slice of other work on the machine, behind which a yield to nobody may take long, too. Who says the same
// always is right in hardly any alone, or in hardly any beside another.
constexpr int yields_asked = 200;
constexpr int enough = yields_asked / 4;

TEST(yield, tells_whether_another_thread_had_the_processor) {
    std::thread([] {
        unit::stay_on_this_processor();
        EXPECT_GT(told_rightly(yields_asked), enough);
        const companion other;
        EXPECT_GT(told_rightly(yields_asked), enough);
    }).join();
}

// In a process of its own, where there was no other yield before.
[[noreturn]] void yield_to_another_from_the_beginning() {
    unit::stay_on_this_processor();
    const companion other;
    std::_Exit(told_rightly(yields_asked) > enough ? 0 : 1);
}

TEST(yield, tells_it_though_each_so_far_found_one) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(yield_to_another_from_the_beginning(), testing::ExitedWithCode(0), "");
}

#endif

} // namespace
