// SPDX-License-Identifier: BSL-1.0
//
// What may end a wait beside the clock and the channel: nothing, or a stop token.
#ifndef WEIR_DETAIL_WAIT_STOP_HPP
#define WEIR_DETAIL_WAIT_STOP_HPP

#include <weir/detail/platform/config.hpp>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace weir::detail {

struct no_stop {
    static constexpr bool stop_requested() noexcept { return false; }
};

struct no_callback {};

template <class Callback>
no_callback on_stop(const no_stop&, const Callback&) noexcept {
    return {};
}

#if WEIR_HAS_STOP_TOKEN
// Calls `callback` when a stop is requested, at once where it was already; its end waits for a call in progress
// elsewhere.
template <class Callback>
std::stop_callback<Callback> on_stop(const std::stop_token& token, Callback callback) noexcept {
    return std::stop_callback<Callback>(token, callback);
}
#endif

} // namespace weir::detail

#endif
