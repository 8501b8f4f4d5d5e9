// SPDX-License-Identifier: BSL-1.0
//
// What a select's arms come to at compile time: what it returns, and one sentence for each way to get it wrong.
#ifndef WEIR_DETAIL_SELECT_RESULT_HPP
#define WEIR_DETAIL_SELECT_RESULT_HPP

#include <weir/detail/select/arm.hpp>
#include <weir/detail/wait/deadline.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace weir::detail {

template <class Arm>
inline constexpr bool is_channel_arm = std::is_base_of_v<select_arm, Arm>;
template <class Arm>
inline constexpr bool is_limit = requires(const Arm& arm) { arm.until(); };

template <class Arm>
using arm_result = decltype(std::declval<Arm&>().run());

struct no_result {};

// All the same: that, a reference too. Else the common type of the values.
template <class First, class... Rest>
constexpr auto common_result() {
    if constexpr ((std::is_same_v<First, Rest> && ...)) {
        return std::type_identity<First>();
    } else if constexpr (requires { typename std::common_type_t<First, Rest...>; }) {
        return std::type_identity<std::common_type_t<First, Rest...>>();
    } else {
        return std::type_identity<no_result>();
    }
}

template <class... Arms>
constexpr auto check_select() {
    constexpr bool has_arms_only = ((is_channel_arm<Arms> || is_limit<Arms>) && ...);
    constexpr std::size_t limits = (std::size_t{0} + ... + (is_limit<Arms> ? 1 : 0));
    if constexpr (sizeof...(Arms) == 0) {
        static_assert(sizeof...(Arms) != 0, "weir: a select needs at least one arm");
        return std::type_identity<no_result>();
    } else if constexpr (!has_arms_only) {
        static_assert(has_arms_only, "weir: a select takes arms only: on_recv, on_send, on_disconnected, on_stop, "
                                     "on_timeout, on_deadline or on_idle");
        return std::type_identity<no_result>();
    } else if constexpr (limits > 1) {
        static_assert(limits <= 1, "weir: a select may have one of on_timeout, on_deadline and on_idle, and that once");
        return std::type_identity<no_result>();
    } else {
        using result = decltype(detail::common_result<arm_result<Arms>...>());
        static_assert(!std::is_same_v<result, std::type_identity<no_result>>,
                      "weir: the handlers of a select must return a common type, or all nothing");
        return result();
    }
}

// no_result: it is wrong, and that was said.
template <class... Arms>
using select_result = typename decltype(detail::check_select<Arms...>())::type;

template <class List, class Arm>
void add_arm(List& list, std::size_t& count, Arm& arm) noexcept {
    if constexpr (is_channel_arm<Arm>) {
        list[count++] = &arm;
    }
}

template <class Arm>
bool is_chosen(const select_arm* chosen, const Arm& arm) noexcept {
    if constexpr (is_channel_arm<Arm>) {
        return chosen == &arm;
    } else {
        return chosen == nullptr;
    }
}

inline deadline limit_of() noexcept { return deadline::never(); }
template <class First, class... Rest>
auto limit_of(const First& first, const Rest&... rest) {
    if constexpr (is_limit<First>) {
        return first.until();
    } else {
        return detail::limit_of(rest...);
    }
}

// Runs the handler of `chosen`; of the limit where that is null. Arms of one type need not be told apart: which it is can
// be guessed by no processor.
template <class Result, class First, class... Rest>
Result run_arm(select_arm* chosen, First& first, Rest&... rest) {
    if constexpr (sizeof...(Rest) == 0) {
        return static_cast<Result>(first.run());
    } else if constexpr (is_channel_arm<First> && (std::is_same_v<First, Rest> && ...)) {
        return static_cast<Result>(static_cast<First*>(chosen)->run());
    } else {
        if (detail::is_chosen(chosen, first)) {
            return static_cast<Result>(first.run());
        }
        return detail::run_arm<Result>(chosen, rest...);
    }
}

} // namespace weir::detail

#endif
