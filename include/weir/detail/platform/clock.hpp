// SPDX-License-Identifier: BSL-1.0
//
// The clock of every wait.
#ifndef WEIR_DETAIL_PLATFORM_CLOCK_HPP
#define WEIR_DETAIL_PLATFORM_CLOCK_HPP

#include <chrono>

namespace weir::detail {

using steady_clock = std::chrono::steady_clock;

} // namespace weir::detail

#endif
