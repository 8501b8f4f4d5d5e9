// SPDX-License-Identifier: BSL-1.0
//
// What a thread does between attempts at a compare-exchange that others at the same word made fail: it leaves the word
// to them for a moment, longer each time, so that they get through many of theirs without losing the cache line.
// T. Anderson, "The performance of spin lock alternatives for shared-memory multiprocessors", 1990.
#ifndef WEIR_DETAIL_WAIT_BACKOFF_HPP
#define WEIR_DETAIL_WAIT_BACKOFF_HPP

#include <weir/detail/platform/cpu.hpp>

namespace weir::detail {

class backoff {
public:
    void pause() noexcept {
        for (int i = 0; i < pauses_; ++i) {
            detail::pause();
        }
        pauses_ = pauses_ < most_pauses ? 2 * pauses_ : pauses_;
    }

private:
    static constexpr int most_pauses = 64;

    int pauses_ = 1;
};

} // namespace weir::detail

#endif
