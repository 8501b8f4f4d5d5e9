// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/deadline.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

// A count that converts to whole numbers, and only explicitly.
class ticks {
public:
    constexpr ticks() = default;
    constexpr explicit ticks(std::int64_t count) noexcept : count_(count) {}
    constexpr explicit operator std::int64_t() const noexcept { return count_; }

private:
    std::int64_t count_ = 0;
};

template <std::integral Whole>
struct std::common_type<ticks, Whole> {
    using type = std::int64_t;
};
template <std::integral Whole>
struct std::common_type<Whole, ticks> {
    using type = std::int64_t;
};

namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
using weir::detail::clock_deadline;
using weir::detail::deadline;
using weir::detail::moving_deadline;
using weir::detail::relative_deadline;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// That `timeout` ends exactly `expected` after the moment at which it is made absolute.
template <class Duration>
void expect_after(Duration timeout, nanoseconds expected) {
    const auto earliest = deadline::clock::now();
    const deadline made = deadline::after(timeout);
    const auto latest = deadline::clock::now();
    EXPECT_GE(made.time(), earliest + expected);
    EXPECT_LE(made.time(), latest + expected);
    EXPECT_FALSE(made.is_never());
}

template <class Duration>
void expect_passed(Duration timeout) {
    const deadline made = deadline::after(timeout);
    EXPECT_TRUE(made.has_passed());
    EXPECT_FALSE(made.is_never());
}

template <class Duration>
void expect_never(Duration timeout) {
    const deadline made = deadline::after(timeout);
    EXPECT_TRUE(made.is_never());
    EXPECT_FALSE(made.has_passed());
}

TEST(deadline, never_does_not_pass_and_passed_has) {
    EXPECT_TRUE(deadline::never().is_never());
    EXPECT_FALSE(deadline::never().has_passed());
    EXPECT_TRUE(deadline::passed().has_passed());
    EXPECT_FALSE(deadline::passed().is_never());
}

TEST(deadline, after_a_time_out_ends_that_long_after_now) {
    expect_after(1ns, 1ns);
    expect_after(5ms, 5ms);
    expect_after(3s, 3s);
    expect_after(hours(24 * 365 * 100), hours(24 * 365 * 100));
    expect_after(duration<unsigned char>(7), 7s);
    expect_after(duration<std::uint64_t, std::micro>(9), 9us);
    expect_after(duration<std::int64_t, std::ratio<7, 2>>(3), 10500ms);
}

TEST(deadline, after_zero_or_less_has_passed) {
    expect_passed(0ns);
    expect_passed(0h);
    expect_passed(duration<double>(0.0));
    expect_passed(duration<double>(-0.0));
    expect_passed(-1ns);
    expect_passed(duration<signed char>(-1));
    expect_passed(duration<std::int64_t, std::pico>(-1));
    expect_passed(-1h);
}

TEST(deadline, after_the_least_of_any_type_has_passed) {
    expect_passed(nanoseconds::min());
    expect_passed(milliseconds::min());
    expect_passed(hours::min());
    expect_passed(duration<std::int64_t, std::pico>::min());
    expect_passed(duration<std::int64_t, std::giga>::min());
    expect_passed(duration<float>::min());
    expect_passed(duration<double>::min());
    expect_passed(duration<double>(-infinity));
}

TEST(deadline, after_the_most_of_any_type_never_passes) {
    expect_never(nanoseconds::max());
    expect_never(milliseconds::max());
    expect_never(hours::max());
    expect_never(years::max());
    expect_never(duration<std::int64_t, std::giga>::max());
    expect_never(duration<std::uint64_t, std::nano>::max());
    expect_never(duration<float>::max());
    expect_never(duration<double>::max());
    expect_never(duration<long double, std::giga>::max());
    expect_never(duration<double>(infinity));
    expect_never(duration<float, std::pico>(std::numeric_limits<float>::infinity()));
}

TEST(deadline, after_more_than_the_clock_can_tell_never_passes) {
    expect_never(nanoseconds::max() - 1ns);
    expect_never(duration_cast<nanoseconds>(deadline::clock::time_point::max() - deadline::clock::now()) + 1s);
    expect_never(hours(24 * 365 * 300));
    expect_never(duration<double>(1e10));
    expect_never(duration<double>(1e300));
}

TEST(deadline, after_not_a_number_has_passed) {
    expect_passed(duration<double>(not_a_number));
    expect_passed(duration<float, std::milli>(std::numeric_limits<float>::quiet_NaN()));
    expect_passed(duration<long double>(-std::numeric_limits<long double>::quiet_NaN()));
}

// That a time of that length since the steady clock's start is told as `expected`.
template <class Rep, class Period>
void expect_told_as(duration<Rep, Period> length, nanoseconds expected) {
    using time = time_point<deadline::clock, duration<Rep, Period>>;
    EXPECT_EQ(deadline::at(time(length)).time().time_since_epoch(), expected);
}

TEST(deadline, is_rounded_up_where_its_unit_is_finer_than_the_clocks_or_no_multiple_of_it) {
    expect_told_as(duration<std::int64_t, std::pico>(1), 1ns);
    expect_told_as(duration<std::int64_t, std::pico>(999), 1ns);
    expect_told_as(duration<std::int64_t, std::pico>(1000), 1ns);
    expect_told_as(duration<std::int64_t, std::pico>(1001), 2ns);
    expect_told_as(duration<std::int64_t, std::atto>(1), 1ns);
    expect_told_as(duration<int, std::ratio<1, 4>>(1), 250ms);
    expect_told_as(duration<int, std::ratio<1, 3>>(1), 333'333'334ns);
    expect_told_as(duration<int, std::ratio<1, 3>>(3), 1s);
}

TEST(deadline, is_rounded_up_where_it_is_floating) {
    expect_told_as(duration<double>(1.5), 1500ms);
    expect_told_as(duration<double, std::milli>(0.25), 250us);
    expect_told_as(duration<float>(0.5F), 500ms);
    expect_told_as(duration<double, std::nano>(0.1), 1ns);
    expect_told_as(duration<double, std::nano>(1.1), 2ns);
    expect_told_as(duration<double, std::pico>(1.0), 1ns);
    expect_told_as(duration<double>(1e-30), 1ns);
}

TEST(deadline, after_a_floating_or_very_fine_time_out_ends_that_long_after_now) {
    expect_after(duration<double>(1.5), 1500ms);
    expect_after(duration<float, std::milli>(0.5F), 500us);
    expect_after(duration<std::int64_t, std::pico>(1001), 2ns);
}

TEST(deadline, after_a_count_that_converts_to_whole_numbers_only) {
    static_assert(!std::is_convertible_v<ticks, long double>);
    expect_after(duration<ticks, std::milli>(ticks(20)), 20ms);
    expect_passed(duration<ticks, std::milli>(ticks(0)));
    expect_passed(duration<ticks, std::milli>(ticks(-3)));
}

TEST(deadline, at_a_steady_time_is_that_time) {
    const auto now = deadline::clock::now();
    EXPECT_EQ(deadline::at(now + 5s).time(), now + 5s);
    EXPECT_EQ(deadline::at(now - 1ns).time(), now - 1ns);
    EXPECT_TRUE(deadline::at(now - 1ns).has_passed());
    EXPECT_TRUE(deadline::at(now).has_passed());
    EXPECT_FALSE(deadline::at(now + 1h).has_passed());
    const auto whole = ceil<hours>(now);
    EXPECT_EQ(deadline::at(whole).time(), whole);
}

TEST(deadline, at_a_steady_time_that_cannot_be_told_is_never_or_passed) {
    using clock = deadline::clock;
    EXPECT_TRUE(deadline::at(clock::time_point::max()).is_never());
    EXPECT_FALSE(deadline::at(clock::time_point::max() - 1ns).has_passed());
    EXPECT_TRUE(deadline::at(clock::time_point::min()).has_passed());
    EXPECT_TRUE(deadline::at(clock::time_point()).has_passed());
    EXPECT_TRUE((deadline::at(time_point<clock, hours>::max()).is_never()));
    EXPECT_TRUE((deadline::at(time_point<clock, hours>::min()).has_passed()));
    using floating = time_point<clock, duration<double>>;
    EXPECT_TRUE(deadline::at(floating(duration<double>(infinity))).is_never());
    EXPECT_TRUE(deadline::at(floating(duration<double>(-infinity))).has_passed());
    EXPECT_TRUE(deadline::at(floating(duration<double>(not_a_number))).has_passed());
    EXPECT_TRUE(deadline::at(floating::max()).is_never());
}

TEST(deadline, at_a_time_of_the_system_clock_is_as_far_off_as_that) {
    const auto earliest = deadline::clock::now();
    const deadline made = deadline::at(system_clock::now() + 1h);
    const auto latest = deadline::clock::now();
    constexpr auto a_step_of_the_system_clock = 1min;
    EXPECT_GE(made.time(), earliest + 1h - a_step_of_the_system_clock);
    EXPECT_LE(made.time(), latest + 1h + a_step_of_the_system_clock);
    EXPECT_TRUE(deadline::at(system_clock::now() - 1s).has_passed());
    EXPECT_GT(deadline::at(system_clock::time_point::max()).time(), latest + hours(24 * 365 * 100));
    EXPECT_TRUE(deadline::at(system_clock::time_point::min()).has_passed());
    EXPECT_TRUE((deadline::at(time_point<system_clock, years>::max()).is_never()));
    EXPECT_FALSE(deadline::at(floor<days>(system_clock::now()) + days(2)).has_passed());
}

// A clock that shows what the test sets.
template <class Rep, class Period>
struct set_clock {
    using rep = Rep;
    using period = Period;
    using duration = std::chrono::duration<Rep, Period>;
    using time_point = std::chrono::time_point<set_clock>;
    static constexpr bool is_steady = false;

    static time_point now() noexcept { return time_point(duration(shown)); }
    static inline Rep shown{};
};

using second_clock = set_clock<std::int64_t, std::ratio<1>>;
using floating_clock = set_clock<double, std::milli>;

TEST(deadline, at_a_time_of_any_clock_is_as_far_off_as_that) {
    for (const std::int64_t shown : {-1'000'000'000LL, 0LL, 5LL, 4'000'000'000LL}) {
        second_clock::shown = shown;
        const auto earliest = deadline::clock::now();
        const deadline made = deadline::at(second_clock::now() + 90s);
        const auto latest = deadline::clock::now();
        EXPECT_GE(made.time(), earliest + 90s);
        EXPECT_LE(made.time(), latest + 90s);
        EXPECT_TRUE(deadline::at(second_clock::now()).has_passed());
        EXPECT_TRUE(deadline::at(second_clock::now() - 1s).has_passed());
        EXPECT_TRUE(deadline::at(second_clock::time_point::max()).is_never());
        EXPECT_TRUE(deadline::at(second_clock::time_point::min()).has_passed());
    }
}

TEST(deadline, at_a_time_of_a_floating_clock_may_be_infinite_or_no_number) {
    floating_clock::shown = 1e6;
    using time = floating_clock::time_point;
    using length = floating_clock::duration;
    EXPECT_TRUE(deadline::at(time(length(infinity))).is_never());
    EXPECT_TRUE(deadline::at(time(length(-infinity))).has_passed());
    EXPECT_TRUE(deadline::at(time(length(not_a_number))).has_passed());
    EXPECT_TRUE(deadline::at(time(length(1e6))).has_passed());
    EXPECT_FALSE(deadline::at(time(length(1e6 + 1e5))).has_passed());
    EXPECT_TRUE(deadline::at(time(length(1e300))).is_never());
}

TEST(deadline, is_reached_when_its_clock_shows_that_time) {
    second_clock::shown = 100;
    EXPECT_TRUE(deadline::reached(second_clock::time_point(100s)));
    EXPECT_TRUE(deadline::reached(second_clock::time_point(99s)));
    EXPECT_FALSE(deadline::reached(second_clock::time_point(101s)));
    EXPECT_FALSE(deadline::reached(second_clock::time_point::max()));
    EXPECT_TRUE(deadline::reached(second_clock::time_point::min()));
    floating_clock::shown = 1;
    EXPECT_TRUE(deadline::reached(floating_clock::time_point(floating_clock::duration(not_a_number))));
}

// ---- What a wait does with it ----

enum class outcome : std::uint8_t { done, timed_out };
constexpr auto has_timed_out = [](outcome result) { return result == outcome::timed_out; };

TEST(relative_deadline, begins_with_the_wait) {
    const auto before = deadline::clock::now();
    const relative_deadline until(1h);
    EXPECT_FALSE(until.has_passed());
    const outcome result = until.wait(
        [&](deadline made) {
            EXPECT_GE(made.time(), before + 1h);
            EXPECT_LE(made.time(), deadline::clock::now() + 1h);
            return outcome::timed_out;
        },
        has_timed_out);
    EXPECT_EQ(result, outcome::timed_out);
}

TEST(relative_deadline, that_is_zero_or_less_or_no_length_has_passed) {
    EXPECT_TRUE(relative_deadline(0s).has_passed());
    EXPECT_TRUE(relative_deadline(-1h).has_passed());
    EXPECT_TRUE(relative_deadline(floating_clock::duration(not_a_number)).has_passed());
    EXPECT_FALSE(relative_deadline(std::chrono::nanoseconds(1)).has_passed());
    EXPECT_FALSE(relative_deadline(std::chrono::hours::max()).has_passed());
}

TEST(clock_deadline, on_the_steady_clock_asks_once) {
    const auto time = deadline::clock::now() + 1h;
    const auto until = clock_deadline(time);
    static_assert(std::is_same_v<decltype(until), const deadline>);
    int attempts = 0;
    const outcome result = until.wait(
        [&](deadline made) {
            ++attempts;
            EXPECT_EQ(made.time(), time);
            return outcome::timed_out;
        },
        has_timed_out);
    EXPECT_EQ(result, outcome::timed_out);
    EXPECT_EQ(attempts, 1);
}

TEST(clock_deadline, on_a_clock_that_was_set_back_waits_on) {
    second_clock::shown = 0;
    const auto until = clock_deadline(second_clock::time_point(10s));
    int attempts = 0;
    const outcome result = until.wait(
        [&](deadline made) {
            ++attempts;
            EXPECT_FALSE(made.has_passed());
            second_clock::shown = attempts < 3 ? -100 : 10;
            return outcome::timed_out;
        },
        has_timed_out);
    EXPECT_EQ(result, outcome::timed_out);
    EXPECT_EQ(attempts, 3);
}

// A clock that stands just before the end: each further wait lasts, so that the processor is not kept busy.
TEST(clock_deadline, on_a_clock_that_stands_waits_a_while_each_time) {
    second_clock::shown = 0;
    const auto until = clock_deadline(second_clock::time_point(1s));
    int attempts = 0;
    const outcome result = until.wait(
        [&](deadline made) {
            if (++attempts == 1) {
                return outcome::timed_out; // a second before its time
            }
            EXPECT_GE(made.time(), deadline::clock::now());
            second_clock::shown = attempts < 3 ? 0 : 1;
            return outcome::timed_out;
        },
        has_timed_out);
    EXPECT_EQ(result, outcome::timed_out);
    EXPECT_EQ(attempts, 3);
}

TEST(deadline, not_before_a_time_is_put_off_no_further) {
    const auto now = deadline::clock::now();
    EXPECT_GE(deadline::passed().not_before(1h).time(), now + 1h);
    EXPECT_EQ(deadline::at(now + 2h).not_before(1h).time(), now + 2h);
    EXPECT_TRUE(deadline::never().not_before(1h).is_never());
}

TEST(clock_deadline, on_any_clock_ends_with_what_came_in_time) {
    second_clock::shown = 0;
    const auto until = clock_deadline(second_clock::time_point(10s));
    int attempts = 0;
    const outcome result = until.wait(
        [&](deadline) {
            ++attempts;
            return outcome::done;
        },
        has_timed_out);
    EXPECT_EQ(result, outcome::done);
    EXPECT_EQ(attempts, 1);
}

TEST(clock_deadline, that_has_passed_is_tried_once) {
    second_clock::shown = 50;
    const auto until = clock_deadline(second_clock::time_point(10s));
    int attempts = 0;
    const outcome result = until.wait(
        [&](deadline made) {
            ++attempts;
            EXPECT_TRUE(made.has_passed());
            return outcome::timed_out;
        },
        has_timed_out);
    EXPECT_EQ(result, outcome::timed_out);
    EXPECT_EQ(attempts, 1);
}

} // namespace
