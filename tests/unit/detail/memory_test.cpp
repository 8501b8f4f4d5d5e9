// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/memory.hpp>

#include "support/allocation.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace {

using namespace unit;
using weir::detail::allocate;
using weir::detail::allocation_overhead;
using weir::detail::deallocate;
using weir::detail::round_up;
using weir::detail::try_allocate;

static_assert(round_up(0, 8) == 0 && round_up(1, 8) == 8 && round_up(8, 8) == 8 && round_up(9, 8) == 16);
static_assert(round_up(10, 3) == 12);

bool is_aligned(const void* place, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(place) % alignment == 0;
}

// Every byte can be written to: the address sanitizer holds it to that.
TEST(memory, is_aligned_and_as_large_as_asked) {
    for (std::size_t alignment = alignof(void*); alignment <= 4096; alignment *= 2) {
        for (const std::size_t size : {1UZ, 7UZ, 64UZ, 1000UZ}) {
            void* const place = allocate(size, alignment);
            EXPECT_TRUE(is_aligned(place, alignment));
            std::memset(place, 0x5a, size);
            void* const other = try_allocate(size, alignment);
            ASSERT_NE(other, nullptr);
            EXPECT_TRUE(is_aligned(other, alignment));
            std::memset(other, 0xa5, size);
            EXPECT_EQ(*static_cast<unsigned char*>(place), 0x5a);
            deallocate(place);
            deallocate(other);
        }
    }
}

TEST(memory, is_asked_for_with_the_overhead_that_is_told) {
    for (std::size_t alignment = alignof(void*); alignment <= 256; alignment *= 2) {
        void* const place = allocate(100, alignment);
        EXPECT_EQ(last_allocation_size(), 100 + allocation_overhead(alignment));
        deallocate(place);
    }
}

TEST(memory, is_given_back) {
    const std::ptrdiff_t before = live_allocations();
    void* const one = allocate(10, 64);
    void* const other = try_allocate(10, 64);
    EXPECT_EQ(live_allocations(), before + 2);
    deallocate(one);
    deallocate(other);
    EXPECT_EQ(live_allocations(), before);
}

TEST(memory, that_is_out_is_thrown_or_told) {
    const std::ptrdiff_t before = live_allocations();
    bool is_thrown = false;
    void* tried = &is_thrown;
    {
        const no_memory without;
        try {
            allocate(10, 64);
        } catch (const std::bad_alloc&) {
            is_thrown = true;
        }
        tried = try_allocate(10, 64);
    }
    EXPECT_TRUE(is_thrown);
    EXPECT_EQ(tried, nullptr);
    EXPECT_EQ(live_allocations(), before);
}

} // namespace
