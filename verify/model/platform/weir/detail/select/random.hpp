// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: always the first in the exhaustive search, any at random.
#ifndef WEIR_DETAIL_SELECT_RANDOM_HPP
#define WEIR_DETAIL_SELECT_RANDOM_HPP

#include "checker/execution.hpp"

#include <cstddef>

namespace weir::detail {

class fair_choice {
public:
    static std::size_t below(std::size_t count) noexcept {
        return rl::ctx().is_random_sched() ? model::choose(static_cast<unsigned>(count)) : 0;
    }
};

} // namespace weir::detail

#endif
