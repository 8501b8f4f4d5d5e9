// SPDX-License-Identifier: BSL-1.0
//
// Messages that can only be moved.
#include "kinds.hpp"

#include "world.hpp"

namespace fuzz {

void run_counted(std::span<const std::uint8_t> input) {
    byte_reader bytes(input);
    world<counted>(bytes).run();
}

void run_vast(std::span<const std::uint8_t> input) {
    byte_reader bytes(input);
    world<vast>(bytes).run();
}

void run_carriers(std::span<const std::uint8_t> input) {
    byte_reader bytes(input);
    world<carrier>(bytes).run();
}

} // namespace fuzz
