// SPDX-License-Identifier: BSL-1.0
//
// Data that is there once for each thread, or once for all: constant initialised and never destroyed, so that it may be used at
// any time.
#ifndef WEIR_DETAIL_PLATFORM_STORAGE_HPP
#define WEIR_DETAIL_PLATFORM_STORAGE_HPP

#include <weir/detail/platform/config.hpp>

#include <type_traits>

namespace weir::detail {

template <class T>
class per_thread {
    static_assert(std::is_trivially_destructible_v<T>);

public:
    WEIR_INLINE static T& here() noexcept { return here_; }

private:
    static constinit inline thread_local T here_{};
};

template <class T>
class for_all {
    static_assert(std::is_trivially_destructible_v<T>);

public:
    static T& place() noexcept { return place_; }

private:
    static constinit inline T place_{};
};

} // namespace weir::detail

#endif
