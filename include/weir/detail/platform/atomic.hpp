// SPDX-License-Identifier: BSL-1.0
//
// The atomics that the protocols are written in, and the distance that keeps two of them off one cache line.
#ifndef WEIR_DETAIL_PLATFORM_ATOMIC_HPP
#define WEIR_DETAIL_PLATFORM_ATOMIC_HPP

#include <weir/detail/platform/config.hpp>

#include <atomic>
#include <cstddef>

namespace weir::detail {

template <class T>
using atomic = std::atomic<T>;

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

inline constexpr std::size_t cache_line = 64;

} // namespace weir::detail

#endif
