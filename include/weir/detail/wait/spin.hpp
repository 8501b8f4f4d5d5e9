// SPDX-License-Identifier: BSL-1.0
//
// How long one side of a channel looks for what it waits for before it parks, and how often: learnt from what helped lately.
//
// budget  microseconds of spinning. Halved when a wait went on to park, doubled when spinning ended it. Never all gone, so
//         that a change for the better is noticed.
// lag     pauses between looks. A side that finds much at a time looks less often, so that the other can work on its cache
//         lines undisturbed; one that finds single messages looks at once.
// Both are hints, read and written without order.
#ifndef WEIR_DETAIL_WAIT_SPIN_HPP
#define WEIR_DETAIL_WAIT_SPIN_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/cpu.hpp>

#include <cstdint>

namespace weir::detail {

class spin_policy {
public:
    // Looks until `poll()` is true or the budget and a bounded number of yields are spent; true if poll() was. Most looks are
    // at `glance()`, which is cheap and may miss what poll() sees. `progress` counts what this side has got through so far.
    template <class Glance, class Poll>
    bool wait(std::uint64_t progress, Glance glance, Poll poll) noexcept {
        if (can_spin()) {
            const int rate = pauses_per_microsecond();
            int lag = next_lag(progress, rate);
            const int budget = budget_.load(memory_order_relaxed) * rate;
            for (int spent = 0, look = 1; spent < budget; ++look) {
                for (int i = 0; i < lag; ++i) {
                    pause();
                }
                spent += lag;
                if ((glance() || look % looks_a_poll == 0) && poll()) {
                    set_budget(2 * budget_.load(memory_order_relaxed));
                    return true;
                }
                lag = lag < longest_gap ? lag + 1 : lag;
            }
        }
        for (int i = 0; i < yields; ++i) {
            yield();
            if (poll()) {
                return true;
            }
        }
        set_budget(budget_.load(memory_order_relaxed) / 2);
        return false;
    }

private:
    static constexpr int most_microseconds = 32;
    static constexpr int fewest_microseconds = 2;
    static constexpr int looks_a_poll = 8;
    static constexpr int longest_gap = 16;
    static constexpr int longest_lag_microseconds = 4;
    static constexpr int yields = 32;
    static constexpr std::uint64_t large_batch = 32;
    static constexpr std::uint64_t small_batch = 4;

    int next_lag(std::uint64_t progress, int rate) noexcept {
        const std::uint64_t batch = progress - last_progress_.load(memory_order_relaxed);
        last_progress_.store(progress, memory_order_relaxed);
        int lag = lag_.load(memory_order_relaxed);
        if (batch >= large_batch) {
            lag = lag + lag / 2 + 1;
            lag = lag > longest_lag_microseconds * rate ? longest_lag_microseconds * rate : lag;
        } else if (batch <= small_batch) {
            lag = lag / 2;
        }
        lag_.store(lag, memory_order_relaxed);
        return lag > 0 ? lag : 1;
    }

    void set_budget(int microseconds) noexcept {
        const int bounded = microseconds > most_microseconds     ? most_microseconds
                            : microseconds < fewest_microseconds ? fewest_microseconds
                                                                 : microseconds;
        budget_.store(bounded, memory_order_relaxed);
    }

    atomic<std::uint64_t> last_progress_{0};
    atomic<int> budget_{most_microseconds};
    atomic<int> lag_{0};
};

} // namespace weir::detail

#endif
