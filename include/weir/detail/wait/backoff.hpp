// SPDX-License-Identifier: BSL-1.0
//
// What a thread does that meets others at a word which all of them change: it leaves the word to them for a moment, longer
// each time, so that they get through many of theirs without losing the cache line.
// T. Anderson, "The performance of spin lock alternatives for shared-memory multiprocessors", 1990.
//
// Where a compare-exchange tells of the others, by its failure, a thread backs off between its attempts. Where a
// read-modify-write cannot fail it stands back after its own.
#ifndef WEIR_DETAIL_WAIT_BACKOFF_HPP
#define WEIR_DETAIL_WAIT_BACKOFF_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/cpu.hpp>

#include <algorithm>
#include <cstdint>

namespace weir::detail {

class backoff {
public:
    void pause() noexcept {
        detail::pause(pauses_);
        pauses_ = pauses_ < most_pauses ? 2 * pauses_ : pauses_;
    }

private:
    static constexpr int most_pauses = 64;

    int pauses_ = 1;
};

// Of all threads that meet at one word. How long to stand back is learnt: for twice as long the next time where the others
// made use of it, and for half as long where they did not.
class crowd {
public:
    // For half a microsecond to eight. `progress()` counts what the others have got through, and was `seen` before.
    template <class Progress>
    void stand_back(std::uint64_t seen, Progress progress) noexcept {
        const int quarters = this->quarters();
        detail::pause(quarters * detail::pauses_per_microsecond() / 4);
        const bool helped = progress() - seen > static_cast<std::uint64_t>(worth_a_quarter * quarters);
        const int next = helped ? std::min(2 * quarters, most_quarters) : std::max(quarters / 2, fewest_quarters);
        if (next != quarters) { // else the line is left to those who read it
            quarters_.store(next, memory_order_relaxed);
        }
    }

    // How long the next will stand back, in quarters of a microsecond.
    int quarters() const noexcept { return quarters_.load(memory_order_relaxed); }

private:
    static constexpr int fewest_quarters = 2;
    static constexpr int most_quarters = 32;
    static constexpr int worth_a_quarter = 2;

    hint<int> quarters_{fewest_quarters};
};

} // namespace weir::detail

#endif
