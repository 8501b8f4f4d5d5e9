// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/flavor.hpp>

#include "support/held.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace {

using namespace unit;
using weir::detail::flavor_kind;
using weir::detail::list;
using weir::detail::rendezvous;
using weir::detail::ring;
using weir::detail::visit_flavor;
using weir::detail::visit_sync_flavor;

template <class Flavor>
constexpr flavor_kind kind_of = std::is_same_v<Flavor, list<int>>   ? flavor_kind::list
                                : std::is_same_v<Flavor, ring<int>> ? flavor_kind::ring
                                                                    : flavor_kind::rendezvous;

// That visiting `channel` gives it as what it was made.
template <class Flavor>
void expect_visited_as_made(Flavor& channel) {
    EXPECT_EQ(channel.kind(), kind_of<Flavor>);
    const auto visit = [&](auto& visited) {
        EXPECT_EQ(static_cast<void*>(&visited), static_cast<void*>(&channel));
        return kind_of<std::remove_cvref_t<decltype(visited)>>;
    };
    EXPECT_EQ(visit_flavor<int>(channel, visit), kind_of<Flavor>);
    if constexpr (!std::is_same_v<Flavor, list<int>>) {
        EXPECT_EQ(visit_sync_flavor<int>(channel, visit), kind_of<Flavor>);
    }
}

TEST(visit_flavor, gives_each_channel_as_what_it_was_made) {
    expect_visited_as_made(*held(list<int>::make()));
    expect_visited_as_made(*held(ring<int>::make(1)));
    expect_visited_as_made(*held(rendezvous<int>::make()));
}

// A counter of 32 bits goes round within a minute of full traffic.
TEST(indices, have_64_bits_on_every_machine) {
    static_assert(std::is_same_v<decltype(std::declval<const list<int>&>().tail_index()), std::uint64_t>);
    static_assert(std::is_same_v<decltype(std::declval<const ring<int>&>().tail_index()), std::uint64_t>);
    static_assert(std::is_same_v<ring<int>::position, std::uint64_t>);
    static_assert(std::is_same_v<decltype(list<int>::index_of({})), std::uint64_t>);
}

} // namespace
