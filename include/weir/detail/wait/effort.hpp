// SPDX-License-Identifier: BSL-1.0
//
// Whether to try something that helps at times and costs time when it does not: after a try that was in vain some are left out,
// more each time, up to a bound; after one that helped, none.
#ifndef WEIR_DETAIL_WAIT_EFFORT_HPP
#define WEIR_DETAIL_WAIT_EFFORT_HPP

#include <algorithm>

namespace weir::detail {

// One thread's.
class effort {
public:
    bool is_due() noexcept {
        if (left_out_ == 0) {
            return true;
        }
        --left_out_;
        return false;
    }
    void fail(int longest_pause = usual_pause) noexcept {
        pause_ = std::min(2 * pause_ + 1, longest_pause);
        left_out_ = pause_;
    }
    void help() noexcept { pause_ = 0; }
    void leave_one_out() noexcept { left_out_ = 1; }

private:
    static constexpr int usual_pause = 31;

    int pause_ = 0;    // how many were left out after the last that was in vain
    int left_out_ = 0; // how many still are to be
};

} // namespace weir::detail

#endif
