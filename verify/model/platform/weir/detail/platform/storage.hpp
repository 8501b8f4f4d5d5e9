// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: once for each thread of the model, and once for each execution.
#ifndef WEIR_DETAIL_PLATFORM_STORAGE_HPP
#define WEIR_DETAIL_PLATFORM_STORAGE_HPP

#include "checker/execution.hpp"

namespace weir::detail {

// Plain data, the same at the end of an execution as at its beginning.
template <class T>
class per_thread {
public:
    static T& here() noexcept { return all_[rl::thread_index()]; }

private:
    static constexpr unsigned most_threads = 8; // the one that makes the model among them
    static inline T all_[most_threads] = {};
};

// A model that comes to it has one as a member.
template <class T>
class for_all {
public:
    for_all() noexcept { current_ = &own_; }
    for_all(const for_all&) = delete;
    for_all& operator=(const for_all&) = delete;
    ~for_all() { current_ = nullptr; }

    static T& place() noexcept { return *current_; }

private:
    static inline T* current_ = nullptr;
    T own_{};
};

} // namespace weir::detail

#endif
