// SPDX-License-Identifier: BSL-1.0
//
// The whole of it: a byte says what kind of messages, the others what is done.
#pragma once

#include <cstdint>
#include <span>

namespace fuzz {

// Runs the operations that the bytes say. Ends the program where the library and the model disagree.
void run(std::span<const std::uint8_t> input);

} // namespace fuzz
