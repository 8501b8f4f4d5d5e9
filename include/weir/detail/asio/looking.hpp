// SPDX-License-Identifier: BSL-1.0
//
// A receive that found nothing at its turn looks at its next turns too, for a while, before it waits: where the sender is another
// thread, the message is often there by then. A turn costs far less than a wait, after which the thread of the context sleeps and
// has to be woken; and whoever else is ready has a turn in between.
//
// Whether that helps is learnt by each thread. After one that was in vain some are left out, more each time.
#ifndef WEIR_DETAIL_ASIO_LOOKING_HPP
#define WEIR_DETAIL_ASIO_LOOKING_HPP

#include <weir/detail/platform/clock.hpp>
#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/platform/storage.hpp>

#include <algorithm>
#include <chrono>

namespace weir::detail {

class looking {
public:
    // Nothing was found: whether to look once more.
    bool goes_on() noexcept {
        learnt& here = per_thread<learnt>::here();
        if (!has_begun()) {
            if (here.left_out != 0) {
                --here.left_out;
                return false;
            }
            if (!can_spin()) {
                return false;
            }
            until_ = steady_clock::now() + longest;
            return true;
        }
        if (steady_clock::now() < until_) {
            return true;
        }
        until_ = {};
        here.pause = std::min(2 * here.pause + 1, longest_pause);
        here.left_out = here.pause;
        return false;
    }

    // There is no more to look for.
    void end() noexcept {
        if (has_begun()) {
            per_thread<learnt>::here().pause = 0;
        }
    }

private:
    struct learnt {
        int pause;    // how many were left out after the last that was in vain
        int left_out; // how many still are to be
    };

    static constexpr std::chrono::microseconds longest{8}; // about what it takes to let a thread sleep and to wake it
    static constexpr int longest_pause = 31;

    bool has_begun() const noexcept { return until_ != steady_clock::time_point(); }

    steady_clock::time_point until_{};
};

} // namespace weir::detail

#endif
