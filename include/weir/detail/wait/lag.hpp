// SPDX-License-Identifier: BSL-1.0
//
// How long a side that has caught up with the other holds back before it looks again. Where the other works without
// pause, one that follows at its heels makes both wait for the cache lines between them, for every message. Whether to
// hold back helps, and how long, depends on the messages, on what the two sides do with them, and on how far the processors
// are from each other. So it is found out, by climbing: what is measured is the time that a message takes, all in all.
//
// round    waits_a_round waits, and what was received, or sent, between them. At its end its time a message is compared with
//          that of the round before.
// lag      how long to hold back at the beginning of a wait.
// course   off      no lag. The next is tried after a round in which a message took no more than a microsecond.
//          trial    a first lag, of a microsecond, for one round: stays if messages took less time by an eighth.
//          longer, shorter  where the lag goes: by half of it after each round. The course is reversed by a round in which a
//                   message took more time by an eighth. It becomes longer only while there are large batches, so that
//                   no message waits for more than a few others.
// failures trials in a row that led to nothing, and lags that ended that were never lengthened: the next comes after 16 waits,
//          and after twice as many each time.
//
// A wait that was not ended by looking ends a lag: what comes after a silence is not held back. And since each step takes a
// round, a lag is never longer than a fraction of the time that the stream has lasted, and a microsecond.
// All are hints, read and written without order.
#ifndef WEIR_DETAIL_WAIT_LAG_HPP
#define WEIR_DETAIL_WAIT_LAG_HPP

#include <weir/detail/platform/atomic.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::detail {

class lag {
public:
    // `most_batch`: how many messages there can be at a time, at most, and how many `bytes` each has. Where there is room for few
    // there is no lag.
    constexpr explicit lag(std::uint64_t most_batch, std::size_t bytes = 1) noexcept
        : doublings_(static_cast<std::uint8_t>(std::bit_width(std::min(most_batch, unlimited)))),
          size_(static_cast<std::uint8_t>(std::clamp<std::size_t>(bytes / bytes_a_size, 1, largest_size))) {}

    static constexpr int microsecond = 8;
    static constexpr std::size_t bytes_a_size = 512;
    static constexpr std::size_t largest_size = 8;

    // A wait begins; `progress` counts what this side has got through. `now()`: nanoseconds, modulo 2^32. How long to hold
    // back, in eighths of a microsecond.
    template <class Clock>
    int next(std::uint64_t progress, Clock now) noexcept {
        if (most_batch() < fewest_batch) {
            return 0;
        }
        const int waits = waits_.load(memory_order_relaxed);
        if (waits == waits_a_round) {
            const std::uint32_t time = now();
            end_round(size_ * (static_cast<std::uint32_t>(progress) - progress_.load(memory_order_relaxed)),
                      time - began_.load(memory_order_relaxed));
            begin_round(progress, time);
        } else {
            if (waits == 0) {
                begin_round(progress, now());
            }
            set(waits_, waits + 1);
        }
        return length_.load(memory_order_relaxed);
    }

    // A wait was not ended by looking.
    void stop() noexcept {
        set(course_, off);
        set(length_, 0);
        set(waits_, std::min<int>(waits_.load(memory_order_relaxed), 0));
    }

private:
    enum course : std::uint8_t { off, trial, longer, shorter };

    static constexpr std::uint64_t unlimited = 0xffff; // or so
    static constexpr std::uint32_t large_batch = 8;
    static constexpr std::uint32_t fewest_batch = 2 * large_batch;
    static constexpr int waits_a_round = 8;
    static constexpr int longest = 8 * microsecond; // and `size_` times that, as for the first
    static constexpr int most_failures = 9;
    static constexpr int waits_after_failure = 8; // doubled by each

    // Times a message, in sixteenths of a nanosecond.
    static constexpr std::uint32_t longest_tried = 16 * 1000;
    static constexpr std::uint32_t endless = std::uint32_t{1} << 30;
    static constexpr std::uint32_t longest_round = endless / 16;

    // Rounded down to a power of two.
    std::uint32_t most_batch() const noexcept { return doublings_ == 0 ? 0 : std::uint32_t{1} << (doublings_ - 1); }

    void begin_round(std::uint64_t progress, std::uint32_t time) noexcept {
        began_.store(time, memory_order_relaxed);
        progress_.store(static_cast<std::uint32_t>(progress), memory_order_relaxed);
    }

    void end_round(std::uint32_t messages, std::uint32_t nanoseconds) noexcept {
        const std::uint32_t each = messages == 0 ? endless : 16 * std::min(nanoseconds, longest_round) / messages;
        const std::uint32_t before = each_.load(memory_order_relaxed);
        const bool is_slower = each > before + before / 8;
        const std::uint32_t batch = messages / waits_a_round;
        each_.store(each, memory_order_relaxed);
        set(waits_, 1);
        switch (course_.load(memory_order_relaxed)) {
        case off:
            if (each <= longest_tried) {
                set(course_, trial);
                set(length_, size_ * microsecond);
            }
            break;
        case trial:
            if (each > before - before / 8) {
                give_up();
            } else {
                go(longer, batch);
            }
            break;
        case longer:
            go(is_slower ? shorter : longer, batch);
            break;
        case shorter:
            go(is_slower ? longer : shorter, batch);
            break;
        }
    }

    void go(course where, std::uint32_t batch) noexcept {
        set(course_, where);
        if (where == longer) {
            lengthen(batch);
        } else if (const int half = length_.load(memory_order_relaxed) / 2; half != 0) {
            set(length_, half);
        } else {
            give_up();
        }
    }

    void lengthen(std::uint32_t batch) noexcept {
        if (batch >= large_batch && batch <= size_ * most_batch() / 2) {
            const int length = length_.load(memory_order_relaxed);
            set(length_, std::min(length + length / 2 + 1, size_ * longest));
            set(failures_, 0);
        }
    }

    void give_up() noexcept {
        const int failures = std::min(failures_.load(memory_order_relaxed) + 1, most_failures);
        set(failures_, failures);
        set(course_, off);
        set(length_, 0);
        set(waits_, -(waits_after_failure << failures));
    }

    template <class T>
    static void set(hint<T>& place, int value) noexcept {
        place.store(static_cast<T>(value), memory_order_relaxed);
    }

    // Small, as those of spin_policy are.
    hint<std::uint32_t> began_{0};    // when the round did
    hint<std::uint32_t> progress_{0}; // what had been got through then
    hint<std::uint32_t> each_{0};     // the time a message of the round before
    const std::uint8_t doublings_; // of one, that most_batch() has
    const std::uint8_t size_;
    hint<std::int16_t> length_{0};    // of the lag
    hint<std::int16_t> waits_{0};     // of the round; below zero, so many more until one begins
    hint<std::uint8_t> course_{off};
    hint<std::uint8_t> failures_{0};
};

} // namespace weir::detail

#endif
