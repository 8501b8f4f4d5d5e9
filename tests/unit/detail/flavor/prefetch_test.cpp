// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/prefetch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

namespace {

template <std::size_t Size>
struct slot_bytes {
    std::array<unsigned char, Size> all;
};

// A slot of that size, wherever it begins in a line, and a line at each side that is others'.
template <std::size_t Size>
void expect_only_its_own_lines() {
    constexpr std::size_t line = weir::detail::cache_line;
    constexpr unsigned char untouched = 0xaa;
    for (std::size_t at = 0; at < line; ++at) {
        alignas(line) std::array<unsigned char, Size + 3 * line> memory;
        memory.fill(untouched);
        const std::size_t first = line + at;
        weir::detail::take_lines(reinterpret_cast<slot_bytes<Size>*>(memory.data() + first));

        const auto is_untouched = [](unsigned char byte) { return byte == untouched; };
        EXPECT_TRUE(std::all_of(memory.begin(), memory.begin() + first, is_untouched));
        EXPECT_TRUE(std::all_of(memory.begin() + first + Size, memory.end(), is_untouched));
        if (Size > sizeof(std::uint64_t) && Size <= 1024) {
            for (std::size_t begin = first / line * line; begin < first + Size; begin += line) {
                const auto from = memory.begin() + std::max(begin, first);
                const auto to = memory.begin() + std::min(begin + line, first + Size);
                EXPECT_FALSE(std::all_of(from, to, is_untouched)) << "line " << begin << " of " << Size << " at " << at;
            }
        }
    }
}

TEST(take_lines, stores_to_each_line_of_a_slot_and_to_nothing_beside_it) {
    expect_only_its_own_lines<1>();
    expect_only_its_own_lines<8>();
    expect_only_its_own_lines<9>();
    expect_only_its_own_lines<16>();
    expect_only_its_own_lines<63>();
    expect_only_its_own_lines<64>();
    expect_only_its_own_lines<65>();
    expect_only_its_own_lines<200>();
    expect_only_its_own_lines<1024>();
    expect_only_its_own_lines<1025>();
}

} // namespace
