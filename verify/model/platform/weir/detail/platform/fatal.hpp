// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: what would end the program is a failure.
#ifndef WEIR_DETAIL_PLATFORM_FATAL_HPP
#define WEIR_DETAIL_PLATFORM_FATAL_HPP

#include <weir/detail/platform/config.hpp>

#include "checker/execution.hpp"

#include <new>
#include <stdexcept>

namespace weir::detail {

[[noreturn]] inline void fatal(const char* why) noexcept {
    model::execution::fail(rl::test_result_user_assert_failed, why);
}
[[noreturn]] inline void throw_bad_alloc() { throw std::bad_alloc(); }
[[noreturn]] inline void throw_length_error(const char* why) { throw std::length_error(why); }

} // namespace weir::detail

#endif
