// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/slot_state.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>

namespace {

using weir::detail::slot_state;
using weir::detail::taken_in;
using weir::detail::written_in;

TEST(slot_state, of_a_lap_differs_from_the_start_and_from_the_lap_before) {
    constexpr std::uint64_t far = std::numeric_limits<std::uint64_t>::max() - 2;
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1}, far}) {
        const std::set<slot_state> states{0, written_in(first), taken_in(first), written_in(first + 1),
                                          taken_in(first + 1)};
        EXPECT_EQ(states.size(), 5U);
        EXPECT_EQ(written_in(first), written_in(first + 2)) << "one bit of the lap is enough";
    }
}

} // namespace
