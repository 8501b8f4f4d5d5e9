// SPDX-License-Identifier: BSL-1.0
//
// How a send ends.
#ifndef WEIR_DETAIL_FLAVOR_SEND_RESULT_HPP
#define WEIR_DETAIL_FLAVOR_SEND_RESULT_HPP

#include <weir/detail/platform/config.hpp>

#include <cstdint>
#include <expected>

namespace weir::detail {

// The failures have the values of channel_errc.
enum class send_result : std::uint8_t { sent = 0, disconnected = 1, full = 2, timeout = 4, stopped = 5 };

template <class E>
WEIR_INLINE std::expected<void, E> to_expected(send_result result) noexcept {
    if (result == send_result::sent) [[likely]] {
        return {};
    }
    return std::unexpected(static_cast<E>(result));
}

} // namespace weir::detail

#endif
