// SPDX-License-Identifier: BSL-1.0
//
// Messages that may be copied.
#include "kinds.hpp"

#include "world.hpp"

namespace fuzz {

void run_numbers(std::span<const std::uint8_t> input) {
    byte_reader bytes(input);
    world<std::uint32_t>(bytes).run();
}

void run_bytes(std::span<const std::uint8_t> input) {
    byte_reader bytes(input);
    world<fuzz::bytes>(bytes).run();
}

void run_copyable(std::span<const std::uint8_t> input) {
    byte_reader bytes(input);
    world<copyable>(bytes).run();
}

} // namespace fuzz
