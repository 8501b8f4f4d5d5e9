// SPDX-License-Identifier: BSL-1.0
//
// Which parker the library uses: the one place where that is decided.
#ifndef WEIR_DETAIL_WAIT_PARKER_HPP
#define WEIR_DETAIL_WAIT_PARKER_HPP

#include <weir/detail/platform/config.hpp>

#if WEIR_PORTABLE_PARKER
#include <weir/detail/wait/portable_parker.hpp>
#else
#include <weir/detail/wait/futex_parker.hpp>
#endif

namespace weir::detail {

#if WEIR_PORTABLE_PARKER
using parker = portable_parker;
#else
using parker = futex_parker;
#endif

} // namespace weir::detail

#endif
