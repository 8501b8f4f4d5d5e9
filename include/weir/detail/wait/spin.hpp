// SPDX-License-Identifier: BSL-1.0
//
// How long one side of a channel looks for what it waits for before it parks, and how often: learnt from what helped
// lately.
//
// budget  microseconds of spinning. Halved by a wait that it did not end, doubled by one that it did. Where nothing is
//         left of it, as with a partner that runs only while this side does not, a wait now and then spins all the
//         same, so that a change for the better is noticed.
//         It is spent in stretches, each twice as long as the one before. Between two of them the processor is given away
//         once: where another thread took it there are more of them than processors, and what is waited for is not to be had
//         while this one spins. Then it spins no further.
// yields  how often to give the processor away before parking; learnt likewise. They cost more than they take: who has
//         given way often is woken late. Where one lasts, and nothing comes of it, that is no better than to park.
// worth   where there is one processor: what is to be got through until the next wait begins, to make up for a yield that
//         took long. A partner that has work of its own, or looks again and again, keeps the processor until its time is
//         over: where few messages came of that, a wake had been better. After several such the yields are left out for a
//         thousand waits.
// yielded waits in a row that ended when the processor had been given away for a moment: the partner shares it. That
//         is cheap, but for two threads that never sleep the system may take long to find another processor, even an
//         idle one. So after many such waits one parks: who is woken is placed anew.
// brief   sleeps in a row that were over so soon that spinning might have ended them. Two threads that answer each other can
//         fall into that, each on its own processor, and do not come out of it by what the budgets learn: who sleeps is woken
//         late, so the other looks in vain, looks for less the next time, and sleeps as well. After many such sleeps
//         one wait looks for as long as can be. It sees the answer of the other, and answers at once from then on, until the
//         other, which sleeps for ever shorter times, does the same.
// All are hints, read and written without order.
#ifndef WEIR_DETAIL_WAIT_SPIN_HPP
#define WEIR_DETAIL_WAIT_SPIN_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/clock.hpp>
#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/lag.hpp>
#include <weir/detail/wait/parker.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::detail {

class spin_policy {
public:
    // `most_batch`: how many messages there can be at a time, at most, and how many `bytes` each has.
    constexpr explicit spin_policy(std::uint64_t most_batch, std::size_t bytes = 1) noexcept
        : lag_(most_batch, bytes) {}

    // Looks until `poll()` is true or the budget is spent; true if poll() was. Most looks are at `glance()`, which is
    // cheap and may miss what poll() sees. `progress` counts what this side has got through so far. `yields()`: gives the
    // processor away, and whether another thread had it.
    template <class Glance, class Poll>
    bool look(std::uint64_t progress, Glance glance, Poll poll, bool (*yields)() noexcept = yield_to_another) noexcept {
        const int budget = begin(progress);
        const bool helped = budget != 0 && spin(budget, glance, poll, yields);
        end(budget, helped);
        return helped;
    }

    // After that: gives the processor away a bounded number of times, and polls after each. `now()`: what this side has got
    // through by then, where others can meanwhile.
    template <class Poll>
    bool give_way(std::uint64_t progress, Poll poll) noexcept {
        return give_way(progress, poll, [progress]() noexcept { return progress; });
    }
    template <class Poll, class Progress>
    bool give_way(std::uint64_t progress, Poll poll, Progress now) noexcept {
        const int in_a_row = yielded_.load(memory_order_relaxed);
        const int yields = next(yields_, is_yield_probe() ? probe_yields : 0);
        const bool ended = yields != 0 && in_a_row < most_yielded && give_way(yields, progress, poll, now);
        set(yielded_, ended && can_spin() ? in_a_row + 1 : 0);
        if (ended) {
            set(brief_, 0);
        }
        return ended;
    }

    // Both.
    template <class Glance, class Poll>
    bool wait(std::uint64_t progress, Glance glance, Poll poll) noexcept {
        return look(progress, glance, poll) || give_way(progress, poll);
    }

    // After that: parks, as `where` does.
    bool sleep(parker& where, deadline until) noexcept {
        if (!can_spin()) {
            return where.park(until);
        }
        const auto start = steady_clock::now();
        const bool woken = where.park(until);
        const bool was_brief = steady_clock::now() - start < brief_sleep;
        set(brief_, was_brief ? std::min(brief_.load(memory_order_relaxed) + 1, most_brief) : 0);
        return woken;
    }

    // Behind a look in vain of a side that does not wait, but may look again and again: the lag, up to a microsecond of it.
    void hold_back(std::uint64_t progress) noexcept {
        if (can_spin()) {
            pause_for(std::min(lag_.next(progress, nanoseconds), lag::microsecond));
        }
    }

private:
    // Small, so that all of it shares a cache line or two with a parker.
    using small_hint = hint<std::int16_t>;
    using tiny_hint = hint<std::int8_t>;

    static constexpr int most_microseconds = 32;
    static constexpr int probe_microseconds = 2;
    static constexpr int waits_a_probe = 32;

    static constexpr int most_brief = 64;
    static constexpr std::chrono::microseconds brief_sleep{2 * most_microseconds}; // its own wake is half of it
    static constexpr int most_yielded = 256;
    static constexpr int most_yields = 32;
    static constexpr int probe_yields = 2;
    static constexpr int waits_after_bad_yield = 32 * waits_a_probe;
    static constexpr std::chrono::microseconds longest_yielding{50};
    static constexpr std::chrono::microseconds long_yield{1000};
    // What being woken for each message takes, several times over.
    static constexpr std::chrono::microseconds worth_a_message{16};

    // When the first look of a wait comes, as a part of a microsecond: about when a line has gone from one processor to another.
    // The wait began with a look in vain. To look again at once takes the line from a partner that is about to write to it.
    static constexpr int first_look = 16;
    static constexpr int first_stretch = 2; // microseconds
    static constexpr int looks_a_poll = 16;
    static constexpr int close_looks = 64;
    static constexpr int long_gap = 8;

    bool is_probe() const noexcept { return waits_.load(memory_order_relaxed) % waits_a_probe == 0; }
    // For how many to look.
    int microseconds() noexcept {
        if (brief_.load(memory_order_relaxed) == most_brief) {
            set(brief_, 0);
            return most_microseconds;
        }
        return next(budget_, is_probe() ? probe_microseconds : 0);
    }
    bool is_yield_probe() const noexcept { return waits_.load(memory_order_relaxed) == waits_a_probe; }
    void count_wait() noexcept {
        const int waits = waits_.load(memory_order_relaxed);
        set(waits_, waits < waits_a_probe ? waits + 1 : 1);
    }

    static std::uint32_t nanoseconds() noexcept {
        const std::chrono::nanoseconds now = steady_clock::now().time_since_epoch();
        return static_cast<std::uint32_t>(now.count());
    }

    // In the unit of a lag. There is mostly none.
    static void pause_for(int length) noexcept {
        if (length != 0) {
            pause(length * pauses_per_microsecond() / lag::microsecond);
        }
    }

    template <class T>
    static int next(const hint<T>& learnt, int otherwise) noexcept {
        const int value = learnt.load(memory_order_relaxed);
        return value != 0 ? value : otherwise;
    }

    // A wait begins: for how many microseconds to look. What comes before the first look is over then. (Not inlined, as is end():
    // it is the same for each wait of each type.)
    WEIR_NOINLINE int begin(std::uint64_t progress) noexcept {
        count_wait();
        judge(progress);
        const int budget = can_spin() ? microseconds() : 0;
        if (budget != 0) {
            pause_for(lag_.next(progress, nanoseconds));
            pause(pauses_per_microsecond() / first_look);
        }
        return budget;
    }

    // Whether looking ended the wait.
    WEIR_NOINLINE void end(int budget, bool helped) noexcept {
        if (helped) {
            set_budget(2 * budget);
            set(yielded_, 0);
            set(brief_, 0);
        } else {
            set_budget(budget / 2);
            lag_.stop();
        }
    }

    template <class Glance, class Poll>
    static bool spin(int microseconds, Glance& glance, Poll& poll, bool (*yields)() noexcept) noexcept {
        const int rate = pauses_per_microsecond();
        int looks = 1;
        for (int length = first_stretch;; length *= 2) {
            const int budget = std::min(length, microseconds) * rate;
            for (int spent = 0; spent < budget; ++looks) {
                if ((glance() || looks % looks_a_poll == 0) && poll()) {
                    return true;
                }
                const int gap = looks < close_looks ? 1 : long_gap;
                pause(gap);
                spent += gap;
            }
            microseconds -= length;
            if (microseconds <= 0 || yields()) {
                return false;
            }
        }
    }

    template <class Poll, class Progress>
    bool give_way(int yields, std::uint64_t progress, Poll& poll, Progress& now) noexcept {
        // A yield to a partner on the same processor is over in no time. One that lasts went to somebody with work of its
        // own; then a wake comes sooner than the next turn. Or to a crowd of this side, which takes turns like that. The
        // first poll comes before the first yield: a look may have ended with one.
        const auto start = steady_clock::now();
        for (int i = 0;; ++i) {
            if (poll()) {
                yielding_helped(yields, progress, start);
                return true;
            }
            if (i == yields) {
                break;
            }
            const auto took = steady_clock::now() - start;
            if (took > longest_yielding && !is_worth(now() - progress, took)) {
                break;
            }
            yield();
        }
        set(yields_, yields / 2);
        return false;
    }

    // Whether so many messages are worth so long a time.
    static bool is_worth(std::uint64_t messages, std::chrono::nanoseconds took) noexcept {
        return messages >= static_cast<std::uint64_t>(took / worth_a_message);
    }

    // Where it took long: whether it was worth that is known when the next wait begins.
    WEIR_NOINLINE void yielding_helped(int yields, std::uint64_t progress, steady_clock::time_point start) noexcept {
        if (!can_spin()) {
            if (const auto took = steady_clock::now() - start; took > long_yield) {
                const auto messages = static_cast<std::uint32_t>(took / worth_a_message);
                const std::uint32_t worth = static_cast<std::uint32_t>(progress) + messages;
                worth_.store(worth != 0 ? worth : 1, memory_order_relaxed);
                return;
            }
        }
        lengthen_yielding(yields);
    }
    void lengthen_yielding(int yields) noexcept { set(yields_, std::min(2 * yields, most_yields)); }

    // The next wait begins: whether the long yield before, if there was one, was worth it.
    void judge(std::uint64_t progress) noexcept {
        const std::uint32_t worth = worth_.load(memory_order_relaxed);
        if (worth == 0) {
            return;
        }
        worth_.store(0, memory_order_relaxed);
        const int yields = next(yields_, probe_yields);
        if (static_cast<std::int32_t>(static_cast<std::uint32_t>(progress) - worth) >= 0) {
            lengthen_yielding(yields);
        } else if (yields > probe_yields) {
            set(yields_, yields / 2);
        } else {
            set(yields_, 0);
            set(waits_, -waits_after_bad_yield);
        }
    }

    template <class T>
    static void set(hint<T>& place, int value) noexcept {
        place.store(static_cast<T>(value), memory_order_relaxed);
    }

    void set_budget(int microseconds) noexcept { set(budget_, std::min(microseconds, most_microseconds)); }

    lag lag_;
    hint<std::uint32_t> worth_{0}; // the progress until then, modulo 2^32; 0 where no yield is to be judged
    small_hint waits_{0};          // since the last probe; below zero, so many more until that of yields can come
    small_hint yielded_{0};
    tiny_hint brief_{0};
    tiny_hint budget_{most_microseconds};
    tiny_hint yields_{most_yields};
};

} // namespace weir::detail

#endif
