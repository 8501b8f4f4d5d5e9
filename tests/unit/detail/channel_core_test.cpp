// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/channel_core.hpp>

#include "support/allocation.hpp"
#include "support/fake_channel.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace unit;
using weir::detail::message_stash;

// ---- The stash ----

// Counts those that hold something.
class counted {
public:
    counted(int& alive, int value) noexcept : alive_(&alive), value_(value) { ++alive; }
    counted(counted&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)), value_(other.value_) {}
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    counted& operator=(counted&&) = delete;
    ~counted() {
        if (alive_ != nullptr) {
            --*alive_;
        }
    }
    int value() const noexcept { return value_; }

private:
    int* alive_;
    int value_;
};

struct large : counted {
    using counted::counted;
    std::array<std::byte, 100> rest{};
};
struct alignas(128) wide : counted {
    using counted::counted;
};

template <class T>
class message_stash_of : public testing::Test {};
using every_size = testing::Types<counted, large, wide>;
struct size_names {
    template <class T>
    static std::string GetName(int) {
        return std::is_same_v<T, counted> ? "inside" : std::is_same_v<T, large> ? "outside" : "over_aligned";
    }
};
TYPED_TEST_SUITE(message_stash_of, every_size, size_names);

TYPED_TEST(message_stash_of, is_empty_at_first) {
    message_stash<TypeParam> stash;
    EXPECT_EQ(stash.get(), nullptr);
    EXPECT_EQ(stash.count(), 0U);
    stash.clear();
    EXPECT_EQ(stash.get(), nullptr);
}

TYPED_TEST(message_stash_of, holds_one_message_until_it_is_cleared_or_another_comes_or_it_goes) {
    int alive = 0;
    {
        message_stash<TypeParam> stash;
        stash.reserve();
        stash.put(TypeParam(alive, 1));
        ASSERT_NE(stash.get(), nullptr);
        EXPECT_EQ(stash.get()->value(), 1);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stash.get()) % alignof(TypeParam), 0U);
        EXPECT_EQ(alive, 1);
        stash.put(TypeParam(alive, 2));
        EXPECT_EQ(stash.get()->value(), 2);
        EXPECT_EQ(alive, 1);
        EXPECT_EQ(stash.count(), 2U);
        stash.clear();
        EXPECT_EQ(stash.get(), nullptr);
        EXPECT_EQ(alive, 0);
        stash.clear();
        EXPECT_EQ(stash.count(), 2U);
        stash.put(TypeParam(alive, 3));
        EXPECT_EQ(alive, 1);
        EXPECT_EQ(stash.count(), 3U);
    }
    EXPECT_EQ(alive, 0);
}

TYPED_TEST(message_stash_of, takes_memory_once_if_at_all_and_gives_it_back) {
    const bool is_inside = std::is_same_v<TypeParam, counted>;
    const std::ptrdiff_t before = live_allocations();
    {
        int alive = 0;
        message_stash<TypeParam> stash;
        EXPECT_EQ(live_allocations(), before);
        for (int i = 0; i < 3; ++i) {
            stash.reserve();
            stash.put(TypeParam(alive, i));
            EXPECT_EQ(live_allocations(), before + (is_inside ? 0 : 1));
            stash.clear();
        }
    }
    EXPECT_EQ(live_allocations(), before);
}

TYPED_TEST(message_stash_of, without_memory_throws_and_can_be_used_later) {
    int alive = 0;
    message_stash<TypeParam> stash;
    bool is_thrown = false;
    try {
        const no_memory without;
        stash.reserve();
    } catch (const std::bad_alloc&) {
        is_thrown = true;
    }
    EXPECT_EQ(is_thrown, !(std::is_same_v<TypeParam, counted>));
    stash.reserve();
    stash.put(TypeParam(alive, 4));
    EXPECT_EQ(stash.get()->value(), 4);
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

TEST(channel_core, the_stashed_message_goes_with_the_state) {
    fake_history log;
    int alive = 0;
    auto* const channel = new fake_channel<counted>(log);
    channel->current().reserve();
    channel->current().put(counted(alive, 1));
    channel->drop_receiver();
    EXPECT_EQ(alive, 1) << "an iterator may stand on it";
    channel->drop_sender();
    EXPECT_EQ(alive, 0);
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
