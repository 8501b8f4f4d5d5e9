// SPDX-License-Identifier: BSL-1.0
//
// A receive that found nothing at its turn looks at some more turns before it waits. After a wait the thread of the context has to be
// woken, which takes far longer than a turn; and whoever else is ready has one in between.
//
// turns  for a while it looks at each of its next turns: a sender on another processor has often sent by then.
// way    then it gives the processor away, once, and looks at one more turn. This is for a sender that shares the processor and is put
//        off by each wake, so that it never gets to send two messages at a time: the last waits were each for one or two. Where the two
//        never sleep the system may take long to find another processor, even an idle one; so after many in a row one waits, and who
//        is woken is placed anew.
//
// Where another thread wants the processor neither helps: a receive gives way to it by waiting, and finds more messages at once when
// it is woken. So turns are broken off where a yield between them finds somebody (each at twice the time of the one before).
//
// Each thread learns whether they help. After one that was in vain some are left out, more each time. A processor that comes back late
// went to somebody with work of its own, and the context's other handlers waited too: that is not tried again for so long that it is
// a small part of the time.
#ifndef WEIR_DETAIL_ASIO_LOOKING_HPP
#define WEIR_DETAIL_ASIO_LOOKING_HPP

#include <weir/detail/platform/clock.hpp>
#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/platform/storage.hpp>
#include <weir/detail/wait/effort.hpp>

#include <chrono>
#include <utility>

namespace weir::detail {

class looking {
public:
    using time_point = steady_clock::time_point;
    static time_point time() noexcept { return steady_clock::now(); }

    // Nothing was found: whether to look once more. `yields`: gives the processor away, and whether another thread had it.
    bool goes_on(bool (*yields)() noexcept = yield_to_another, time_point (*now)() noexcept = time) noexcept {
        learnt& here = per_thread<learnt>::here();
        switch (std::exchange(tries_, what::nothing)) {
        case what::nothing:
            if (!here.alone.is_due()) {
                here.begin_wait();
                return false;
            }
            if (can_spin() && here.turns.is_due()) {
                until_ = now() + longest;
                asked_ = 0;
                tries_ = what::turns;
                return true;
            }
            break;
        case what::turns:
            if (const auto left = until_ - now(); left > left.zero()) {
                if (longest - left > first_stretch * (1 << asked_)) {
                    ++asked_;
                    if (yields()) {
                        here.alone.fail(most_left_out);
                        here.begin_wait();
                        return false;
                    }
                    here.alone.help();
                }
                tries_ = what::turns;
                return true;
            }
            here.turns.fail();
            break;
        case what::way:
            here.way.fail();
            here.begin_wait();
            return false;
        }
        if (here.small_batches >= enough_small_batches && here.way.is_due() && gives_way(here)) {
            tries_ = what::way;
            return true;
        }
        here.begin_wait();
        return false;
    }

    // There is no more to look for.
    void end() noexcept {
        learnt& here = per_thread<learnt>::here();
        ++here.batch;
        if (tries_ != what::nothing) {
            tries_ == what::turns ? here.turns.help() : here.help_way();
        }
    }

private:
    struct learnt {
        void begin_wait() noexcept {
            small_batches = std::exchange(batch, 0) <= small_batch ? small_batches + 1 : 0;
            ways_in_a_row = 0;
        }
        void help_way() noexcept {
            way.help();
            if (++ways_in_a_row == most_in_a_row) {
                way.leave_one_out();
            }
        }

        effort alone; // with the processor
        effort turns;
        effort way;
        unsigned batch;         // receives since the last wait
        unsigned small_batches; // waits in a row with one
        unsigned ways_in_a_row; // that helped
        time_point stays_until;
    };

    // As long as a thread that blocks looks. A processor with nothing else to do takes about as long to wake.
    static constexpr std::chrono::microseconds longest{32};
    static constexpr std::chrono::microseconds first_stretch{1};
    static constexpr int most_left_out = 255;            // waits, where another thread wants the processor
    static constexpr std::chrono::microseconds late{50}; // for a processor to come back
    static constexpr int late_apart = 64;                // so many times as long
    static constexpr unsigned small_batch = 2;
    static constexpr unsigned enough_small_batches = 8;
    static constexpr unsigned most_in_a_row = 64;

    static bool gives_way(learnt& here) noexcept {
        const auto start = steady_clock::now();
        if (start < here.stays_until) {
            return false;
        }
        WEIR_POINT("asio.gives_way");
        yield();
        const auto end = steady_clock::now();
        if (end - start > late) {
            here.stays_until = end + late_apart * (end - start);
            return false;
        }
        return true;
    }

    enum class what : unsigned char { nothing, turns, way };

    time_point until_{};
    what tries_ = what::nothing;
    unsigned char asked_ = 0; // how often since the turns began
};

} // namespace weir::detail

#endif
