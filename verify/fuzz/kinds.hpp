// SPDX-License-Identifier: BSL-1.0
//
// A run for each kind of message, in sources of their own: they take long to compile.
#pragma once

#include <cstdint>
#include <span>

namespace fuzz {

void run_numbers(std::span<const std::uint8_t> input);
void run_bytes(std::span<const std::uint8_t> input);
void run_copyable(std::span<const std::uint8_t> input);
void run_counted(std::span<const std::uint8_t> input);
void run_vast(std::span<const std::uint8_t> input);
void run_carriers(std::span<const std::uint8_t> input);

using run_kind = void (*)(std::span<const std::uint8_t> input);
inline constexpr run_kind every_kind[] = {run_numbers, run_bytes, run_copyable, run_counted, run_vast, run_carriers};

} // namespace fuzz
