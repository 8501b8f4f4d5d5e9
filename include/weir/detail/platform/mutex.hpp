// SPDX-License-Identifier: BSL-1.0
//
// What the portable parker sleeps on.
#ifndef WEIR_DETAIL_PLATFORM_MUTEX_HPP
#define WEIR_DETAIL_PLATFORM_MUTEX_HPP

#include <condition_variable>
#include <mutex>

namespace weir::detail {

using std::condition_variable;
using std::mutex;

} // namespace weir::detail

#endif
