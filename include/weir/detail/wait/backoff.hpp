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

#include <weir/detail/platform/cpu.hpp>

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

// Up to 8 microseconds, as long as the others make use of it. `progress()` counts what they have got through, and was
// `seen` before.
template <class Progress>
void stand_back(std::uint64_t seen, Progress progress) noexcept {
    constexpr int most_quarters = 16; // of a microsecond, at a time
    constexpr std::uint64_t worth_it = 8;

    for (int quarters = 1; quarters <= most_quarters; quarters *= 2) {
        detail::pause(quarters * detail::pauses_per_microsecond() / 4);
        const std::uint64_t now = progress();
        if (now - seen <= worth_it) {
            return;
        }
        seen = now;
    }
}

} // namespace weir::detail

#endif
