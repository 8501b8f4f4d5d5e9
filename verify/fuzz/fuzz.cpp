// SPDX-License-Identifier: BSL-1.0
#include "fuzz.hpp"

#include "kinds.hpp"
#include "messages.hpp"
#include "partner.hpp"

#include <cstddef>

namespace fuzz {

void run(std::span<const std::uint8_t> input) {
    partner::be_there();
    const std::ptrdiff_t before = live_allocations();
    const std::ptrdiff_t messages_before = all_messages.live();
    if (!input.empty()) {
        constexpr std::size_t count = std::size(every_kind);
        every_kind[input.front() % count](input.subspan(1));
    }
    doing = "the end";
    check(all_messages.live() == messages_before, "a message lives on");
    check(live_allocations() == before, "memory was not given back");
}

} // namespace fuzz
