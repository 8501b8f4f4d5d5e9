// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/channel_core.hpp>

#include "support/allocation.hpp"
#include "support/fake_channel.hpp"
#include "support/scale.hpp"
#include "support/test_waiter.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace unit;
using weir::detail::message_places;

// ---- The places that iterators stand on ----

struct small {
    std::uint64_t content;
};
struct large {
    std::array<std::byte, 100> content;
};
struct alignas(128) wide {
    std::array<std::byte, 100> content;
};

template <class T>
class message_places_for : public testing::Test {};
using every_size = testing::Types<small, large, wide>;
struct size_names {
    template <class T>
    static std::string GetName(int) {
        return std::is_same_v<T, small> ? "inside" : std::is_same_v<T, large> ? "outside" : "over_aligned";
    }
};
TYPED_TEST_SUITE(message_places_for, every_size, size_names);

TYPED_TEST(message_places_for, are_aligned_and_do_not_overlap) {
    message_places<TypeParam> places;
    std::vector<void*> taken;
    for (int i = 0; i < 4; ++i) {
        taken.push_back(places.take());
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(taken.back()) % alignof(TypeParam), 0U);
        std::memset(taken.back(), i + 1, sizeof(TypeParam));
    }
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(*static_cast<unsigned char*>(taken[static_cast<std::size_t>(i)]), i + 1);
    }
    for (void* const place : taken) {
        places.give_back(place);
    }
}

TYPED_TEST(message_places_for, take_memory_once_for_one_loop_if_at_all_and_give_it_back) {
    const bool is_inside = std::is_same_v<TypeParam, small>;
    const std::ptrdiff_t before = live_allocations();
    {
        message_places<TypeParam> places;
        EXPECT_EQ(live_allocations(), before);
        for (int i = 0; i < 3; ++i) {
            void* const outer = places.take();
            EXPECT_EQ(live_allocations(), before + (is_inside ? 0 : 1));
            void* const inner = places.take();
            EXPECT_EQ(live_allocations(), before + (is_inside ? 1 : 2));
            places.give_back(inner);
            places.give_back(outer);
            EXPECT_EQ(live_allocations(), before + (is_inside ? 0 : 1));
        }
    }
    EXPECT_EQ(live_allocations(), before);
}

TYPED_TEST(message_places_for, throw_without_memory_and_can_be_used_later) {
    message_places<TypeParam> places;
    void* first = nullptr;
    bool is_thrown = false;
    try {
        const no_memory without;
        first = places.take();
    } catch (const std::bad_alloc&) {
        is_thrown = true;
    }
    EXPECT_EQ(is_thrown, !(std::is_same_v<TypeParam, small>));
    void* const place = places.take();
    EXPECT_NE(place, nullptr);
    places.give_back(place);
    if (first != nullptr) {
        places.give_back(first);
    }
}

// ---- Who holds a channel ----

using fake = fake_channel<>;

TEST(channel_base, begins_with_one_sender_and_its_receiver) {
    fake_history log;
    auto* const channel = new fake(log);
    EXPECT_EQ(channel->sender_count(), 1U);
    EXPECT_TRUE(channel->has_receiver());
    EXPECT_TRUE(channel->has_senders());
    EXPECT_FALSE(channel->is_closed());
    channel->drop_receiver();
    channel->drop_sender();
    EXPECT_EQ(log.destroyed.load(), 1);
}

TEST(channel_base, is_freed_by_the_last_of_its_holders_whoever_that_is) {
    enum class holder : std::uint8_t { sender, receiver, weak };
    std::array order{holder::sender, holder::receiver, holder::weak};
    std::ranges::sort(order);
    do {
        fake_history log;
        auto* const channel = new fake(log);
        channel->retain();
        for (std::size_t i = 0; i < order.size(); ++i) {
            EXPECT_EQ(log.destroyed.load(), 0);
            switch (order[i]) {
            case holder::sender:
                channel->drop_sender();
                break;
            case holder::receiver:
                channel->drop_receiver();
                break;
            case holder::weak:
                static_cast<weir::detail::channel_base*>(channel)->release();
                break;
            }
        }
        EXPECT_EQ(log.destroyed.load(), 1);
    } while (std::ranges::next_permutation(order).found);
}

TEST(channel_base, is_disconnected_by_the_last_sender_only) {
    fake_history log;
    auto* const channel = new fake(log);
    channel->add_sender();
    EXPECT_TRUE(channel->try_add_sender());
    EXPECT_EQ(channel->sender_count(), 3U);
    channel->drop_sender();
    channel->drop_sender();
    EXPECT_TRUE(channel->has_senders());
    channel->drop_sender();
    EXPECT_FALSE(channel->has_senders());
    EXPECT_FALSE(channel->try_add_sender()) << "for ever";
    EXPECT_EQ(channel->sender_count(), 0U);
    EXPECT_EQ(log.destroyed.load(), 0);
    channel->drop_receiver();
    EXPECT_EQ(log.destroyed.load(), 1);
}

TEST(channel_base, is_closed_and_emptied_when_the_receiver_goes) {
    fake_history log;
    auto* const channel = new fake(log);
    channel->send();
    channel->send();
    EXPECT_EQ(log.drained.load(), 0);
    channel->drop_receiver();
    EXPECT_EQ(log.closed.load(), 1);
    EXPECT_EQ(log.taken.load(), 2U);
    EXPECT_FALSE(channel->has_receiver());
    channel->drop_sender();
    EXPECT_EQ(log.destroyed.load(), 1);
}

TEST(channel_base, a_message_that_comes_after_the_receiver_went_is_destroyed_by_its_sender) {
    fake_history log;
    auto* const channel = new fake(log);
    channel->drop_receiver();
    for (std::uint64_t i = 1; i <= 3; ++i) {
        channel->send();
        EXPECT_EQ(log.messages.load(), 0U);
        EXPECT_EQ(log.taken.load(), i);
    }
    channel->drop_sender();
}

TEST(channel_base, tells_of_a_second_one_in_the_receiver) {
    fake_history log;
    auto* const channel = new fake(log);
    EXPECT_TRUE(channel->enter_receiver());
    EXPECT_FALSE(channel->enter_receiver());
    channel->leave_receiver();
    EXPECT_TRUE(channel->enter_receiver());
    channel->drop_receiver();
    channel->drop_sender();
}

TEST(channel_base, closing_tells_each_waiter_of_the_receiving_side_and_each_watcher) {
    fake_history log;
    auto* const channel = new fake(log);
    sole_waiter receives;
    sole_waiter watches;
    channel->watch_receiving(receives.waiter);
    channel->watch_closing(watches.waiter);
    channel->close();
    for (sole_waiter* const each : {&receives, &watches}) {
        EXPECT_EQ(each->waiter.finishes(), 1);
        EXPECT_EQ(each->waiter.outcome(), weir::detail::answer::retry);
    }
    channel->unwatch_receiving(receives.waiter);
    channel->unwatch_closing(watches.waiter);
    channel->drop_receiver();
    channel->drop_sender();
}

TEST(channel_core, closing_tells_the_flavor) {
    fake_history log;
    auto* const channel = new fake(log);
    channel->close();
    EXPECT_EQ(log.closed.load(), 1);
    EXPECT_TRUE(channel->is_closed());
    EXPECT_TRUE(channel->has_receiver());
    EXPECT_EQ(log.drained.load(), 0);
    channel->drop_receiver();
    channel->drop_sender();
}

// ---- Several threads ----

// The last sender, the receiver and a weak handle leave at once; another thread makes a sender of a weak handle meanwhile.
TEST(channel_base, is_freed_once_when_all_leave_at_once) {
    constexpr unsigned native_rounds = 4'000;
    fake_history log;
    std::vector<fake*> channels(scaled(native_rounds));
    for (auto& channel : channels) {
        channel = new fake(log);
        channel->retain();
    }
    std::atomic<unsigned> locked{0};
    pace together(3);
    in_parallel(3, [&](unsigned which) {
        for (unsigned round = 0; round < channels.size(); ++round) {
            together.keep(which, round);
            fake* const channel = channels[round];
            switch ((which + round) % 3) {
            case 0:
                channel->drop_sender();
                break;
            case 1:
                channel->drop_receiver();
                break;
            default:
                if (channel->try_add_sender()) {
                    ++locked;
                    channel->drop_sender();
                }
                static_cast<weir::detail::channel_base*>(channel)->release();
            }
        }
    });
    EXPECT_EQ(log.destroyed.load(), static_cast<int>(channels.size()));
    EXPECT_LE(locked.load(), channels.size());
}

// rust-lang/rust#107466: a message whose send overlapped the going of the receiver is destroyed when both have ended.
TEST(channel_base, no_message_outlives_its_send_and_the_receiver) {
    constexpr unsigned native_rounds = 2'000;
    constexpr unsigned senders = 2;
    constexpr unsigned messages = 5;
    std::vector<std::unique_ptr<fake_history>> logs;
    std::vector<fake*> channels;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        logs.push_back(std::make_unique<fake_history>());
        channels.push_back(new fake(*logs.back()));
    }
    pace together(senders + 1);
    in_parallel(senders + 1, [&](unsigned which) {
        for (unsigned round = 0; round < channels.size(); ++round) {
            together.keep(which, round);
            if (which == senders) {
                channels[round]->drop_receiver();
                continue;
            }
            for (unsigned i = 0; i < messages; ++i) {
                channels[round]->send();
            }
        }
    });
    for (unsigned round = 0; round < channels.size(); ++round) {
        ASSERT_EQ(logs[round]->messages.load(), 0U) << "round " << round;
        ASSERT_EQ(logs[round]->taken.load(), senders * messages);
        channels[round]->drop_sender();
        ASSERT_EQ(logs[round]->destroyed.load(), 1);
    }
}

} // namespace
