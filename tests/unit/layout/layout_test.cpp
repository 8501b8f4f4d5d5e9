// SPDX-License-Identifier: BSL-1.0
//
// How large a channel's state is, and what lies beside what in it.
#include "layout/sizes.hpp"

#include "support/allocation.hpp"
#include "support/held.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace unit;
using weir::detail::cache_line;
using weir::detail::list;
using weir::detail::rendezvous;
using weir::detail::ring;

TEST(layout, does_not_depend_on_whether_the_receiver_is_checked) {
    EXPECT_EQ(sizes_where_checked(), sizes_where_not_checked());
    EXPECT_GT(sizes_where_checked().size(), 1U);
}

TEST(layout, of_a_handle_is_that_of_a_pointer) {
    EXPECT_EQ(sizeof(weir::sender<int>), sizeof(void*));
    EXPECT_EQ(sizeof(weir::sync_sender<int>), sizeof(void*));
    EXPECT_EQ(sizeof(weir::weak_sender<int>), sizeof(void*));
    EXPECT_EQ(sizeof(weir::weak_sync_sender<int>), sizeof(void*));
    EXPECT_EQ(sizeof(weir::receiver<int>), sizeof(void*));
}

// What make() asks the system for.
template <class Make>
std::size_t bytes_of(Make make) {
    auto* const channel = make();
    const std::size_t bytes = last_allocation_size();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(channel) % cache_line, 0U);
    channel->drop_receiver();
    channel->drop_sender();
    return bytes;
}

template <class T>
void expect_idle_channels_within(std::size_t most) {
    EXPECT_LE(bytes_of([] { return list<T>::make(); }), most) << sizeof(T) << " bytes a message";
    EXPECT_LE(bytes_of([] { return ring<T>::make(1); }), most + sizeof(T)) << sizeof(T) << " bytes a message";
    EXPECT_LE(bytes_of([] { return rendezvous<T>::make(); }), most + sizeof(T)) << sizeof(T) << " bytes a message";
}

TEST(layout, of_an_idle_channel_takes_at_most_a_kibibyte_beside_its_slots) {
    constexpr std::size_t kibibyte = 1024;
    expect_idle_channels_within<char>(kibibyte);
    expect_idle_channels_within<std::uint64_t>(kibibyte);
    expect_idle_channels_within<std::string>(kibibyte);
    expect_idle_channels_within<std::array<std::byte, 64>>(kibibyte);
    expect_idle_channels_within<std::array<std::byte, 127>>(kibibyte);
    expect_idle_channels_within<std::array<std::byte, 100'000>>(kibibyte);
}

// Adds the cache lines of the channel's state in which `action` changes a byte.
template <class Flavor, class Action>
void add_lines_written(const Flavor& channel, std::set<std::size_t>& lines, Action action) {
    const auto* const state = reinterpret_cast<const std::byte*>(&channel);
    std::array<std::byte, sizeof(Flavor)> before;
    std::memcpy(before.data(), state, before.size());
    action();
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] != state[i]) {
            lines.insert(i / cache_line);
        }
    }
}

// That, once `warm_up` messages have passed, a send writes to no line of the state that a receive writes to.
template <class Flavor>
void expect_sides_apart(held<Flavor>& channel, unsigned warm_up) {
    constexpr unsigned messages = 500; // within one block of a list; several laps of a ring
    std::set<std::size_t> of_sends;
    std::set<std::size_t> of_receives;
    for (unsigned i = 0; i < warm_up; ++i) {
        ASSERT_EQ(channel.try_send(i), send_result::sent);
        ASSERT_TRUE(channel.try_receive());
    }
    for (unsigned i = 0; i < messages; ++i) {
        add_lines_written(*channel, of_sends, [&] { ASSERT_EQ(channel.try_send(i), send_result::sent); });
        add_lines_written(*channel, of_receives, [&] { ASSERT_TRUE(channel.try_receive()); });
    }
    std::vector<std::size_t> shared;
    std::ranges::set_intersection(of_sends, of_receives, std::back_inserter(shared));
    EXPECT_EQ(shared, std::vector<std::size_t>());
    EXPECT_FALSE(of_sends.empty());
    EXPECT_FALSE(of_receives.empty());
}

TEST(layout, of_a_list_keeps_what_senders_write_and_what_the_receiver_writes_on_different_cache_lines) {
    held channel(list<std::uint64_t>::make());
    expect_sides_apart(channel, 100);
}

TEST(layout, of_a_ring_keeps_what_senders_write_and_what_the_receiver_writes_on_different_cache_lines) {
    for (const std::size_t capacity : {16UZ, 64UZ, 1000UZ}) {
        held channel(ring<std::uint64_t>::make(capacity));
        expect_sides_apart(channel, 2000);
    }
}

} // namespace
