// SPDX-License-Identifier: BSL-1.0
//
// How long a side that has run after a stream holds back before it goes on. Where the other side works without pause, one
// that follows at its heels makes both of them wait for the cache line between them, for every message. So waits that
// ended at once, time and again, are followed by a short lag.
//
// weight  1 for small messages, more for large ones, which take longer to come over: so many times as long "at once" is, and
//         the first lag.
// lag     begins with a quarter of a microsecond, by weight, and grows by half while it is followed by large batches; so it is
//         never longer than half of the time that the stream has lasted, and that first one. Falls back to nothing after a
//         batch of one or two, as a partner that waits for the answer would cause, and after a wait that did not end at
//         once: what comes after a silence is not held back.
// quick   waits in a row that ended at once; below zero, so many more until a lag is tried again where one did not help.
// All are hints, read and written without order.
#ifndef WEIR_DETAIL_WAIT_LAG_HPP
#define WEIR_DETAIL_WAIT_LAG_HPP

#include <weir/detail/platform/atomic.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weir::detail {

class lag {
public:
    // `most_batch`: how much there can be at a time, at most; a lag is not to last until then.
    constexpr lag(std::uint64_t most_batch, std::size_t message_bytes) noexcept
        : most_batch_(most_batch),
          weight_(static_cast<std::int16_t>(std::min(1 + message_bytes / bytes_a_weight, most_weight))) {}

    // Whether a wait of so many pauses ended at once.
    bool is_quick(int pauses, int pauses_per_microsecond) const noexcept {
        return pauses * quick_fraction <= weight_ * pauses_per_microsecond;
    }

    // A wait is over; `progress` counts what this side had got through before. How many pauses to hold back now, where so
    // many last a microsecond; none unless the wait was a `quick` one.
    int next(bool quick, std::uint64_t progress, int pauses_per_microsecond) noexcept {
        const std::uint64_t batch = progress - progress_.load(memory_order_relaxed);
        progress_.store(progress, memory_order_relaxed);
        int pauses = pauses_.load(memory_order_relaxed);
        int in_a_row = quick_.load(memory_order_relaxed);
        if (most_batch_ < 2 * large_batch || !quick) {
            pauses = 0;
            in_a_row = std::min(in_a_row, 0);
        } else if (pauses == 0) {
            in_a_row = std::min(in_a_row + 1, quick_waits);
            pauses = in_a_row == quick_waits ? first_pauses(pauses_per_microsecond) : 0;
        } else if (batch > most_batch_ / 2) {
            pauses = pauses / 2;
        } else if (batch >= large_batch) {
            pauses = pauses < most_microseconds * pauses_per_microsecond ? pauses + pauses / 2 + 1 : pauses;
        } else if (batch <= small_batch) {
            pauses = 0;
            in_a_row = quick_waits - waits_after_failure;
        }
        quick_.store(static_cast<std::int16_t>(in_a_row), memory_order_relaxed);
        pauses_.store(pauses, memory_order_relaxed);
        return pauses;
    }

private:
    int first_pauses(int pauses_per_microsecond) const noexcept {
        return weight_ * pauses_per_microsecond / first_fraction;
    }

    static constexpr std::size_t bytes_a_weight = 128;
    static constexpr std::size_t most_weight = 5;
    static constexpr int quick_fraction = 8;       // 1/8 microsecond
    static constexpr int quick_waits = 4;          // so many in a row bring a lag
    static constexpr int waits_after_failure = 64; // or so many, after one that did not help
    static constexpr int first_fraction = 4;       // 1/4 microsecond
    static constexpr int most_microseconds = 8;
    static constexpr std::uint64_t large_batch = 16;
    static constexpr std::uint64_t small_batch = 2;

    // Small, as those of spin_policy are.
    const std::uint64_t most_batch_;
    hint<std::uint64_t> progress_{0};
    hint<int> pauses_{0};
    hint<std::int16_t> quick_{0};
    const std::int16_t weight_;
};

} // namespace weir::detail

#endif
