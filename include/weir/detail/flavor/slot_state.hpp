// SPDX-License-Identifier: BSL-1.0
//
// The byte beside each slot that tells whether its message is there.
//
// A slot is used again and again, once a lap. Its byte holds what happened last, with the parity of the lap:
//   unwritten in lap n   any value but the two of lap n: the start (0), or what lap n-1 left
//   written in lap n     its sender stored the message                         (release)
//   taken in lap n       the receiver took it ahead of an unwritten one        (receiver only)
// The receiver that takes messages in order writes nothing here: the next lap's sender knows from the head that the
// slot is free. One bit of lap is enough, since a slot is claimed for lap n+1 only when it is empty of lap n's
// message.
#ifndef WEIR_DETAIL_FLAVOR_SLOT_STATE_HPP
#define WEIR_DETAIL_FLAVOR_SLOT_STATE_HPP

#include <weir/detail/platform/atomic.hpp>

#include <cstdint>

namespace weir::detail {

using slot_state = std::uint8_t;

constexpr slot_state written_in(std::uint64_t lap) noexcept { return static_cast<slot_state>(2 | (lap & 1)); }
constexpr slot_state taken_in(std::uint64_t lap) noexcept { return static_cast<slot_state>(4 | (lap & 1)); }

} // namespace weir::detail

#endif
