// SPDX-License-Identifier: BSL-1.0
//
// The words that threads share, and the distance that keeps two of them off one cache line. Three kinds, so that a
// checker can tell them apart:
//   atomic   what the protocols are written in
//   hint     guides, and never decides: every value that it may have is right
//   plain    no atomic at all, though more than one thread comes to it: the protocol keeps them apart
#ifndef WEIR_DETAIL_PLATFORM_ATOMIC_HPP
#define WEIR_DETAIL_PLATFORM_ATOMIC_HPP

#include <weir/detail/platform/config.hpp>

#include <atomic>
#include <cstddef>

namespace weir::detail {

template <class T>
using atomic = std::atomic<T>;

template <class T>
using hint = std::atomic<T>;

template <class T>
using plain = T;

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

inline constexpr std::size_t cache_line = 64;

} // namespace weir::detail

#endif
