// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/handles.hpp>

#include "support/fake_channel.hpp"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace {

using namespace unit;
using weir::detail::channel_base;
using weir::detail::channel_holder;
using weir::detail::lock_sender;
using weir::detail::sender_handle;

static_assert(std::is_nothrow_copy_constructible_v<sender_handle> &&
              std::is_nothrow_move_constructible_v<sender_handle> && std::is_nothrow_copy_assignable_v<sender_handle> &&
              std::is_nothrow_move_assignable_v<sender_handle>);
static_assert(sizeof(sender_handle) == sizeof(void*) && sizeof(channel_holder) == sizeof(void*));

// A channel with its receiver gone, so that the handles decide how long it lives.
class handles : public testing::Test {
protected:
    handles() : channel_(new fake_channel<>(log_)), first_(channel_) { channel_->drop_receiver(); }

    channel_base* channel() const { return channel_; }
    bool is_freed() const { return log_.destroyed.load() != 0; }

    fake_history log_;
    fake_channel<>* channel_;
    sender_handle first_;
};

TEST_F(handles, empty_ones_hold_nothing) {
    sender_handle sender;
    EXPECT_EQ(sender.get(), nullptr);
    EXPECT_EQ(sender.sender_count(), 0U);
    sender.reset();
    const sender_handle copy = sender;
    EXPECT_EQ(copy.get(), nullptr);
    const channel_holder holder;
    EXPECT_EQ(holder.get(), nullptr);
    EXPECT_EQ(lock_sender(holder), nullptr);
    EXPECT_EQ(channel_holder(nullptr).get(), nullptr);
}

TEST_F(handles, a_copy_of_a_sender_is_one_more_producer) {
    {
        const sender_handle copy = first_;
        EXPECT_EQ(copy.get(), channel());
        EXPECT_EQ(first_.sender_count(), 2U);
        EXPECT_EQ(copy.sender_count(), 2U);
    }
    EXPECT_EQ(first_.sender_count(), 1U);
    EXPECT_FALSE(is_freed());
    first_.reset();
    EXPECT_EQ(first_.get(), nullptr);
    EXPECT_TRUE(is_freed());
}

TEST_F(handles, a_moved_sender_leaves_an_empty_one) {
    sender_handle moved = std::move(first_);
    EXPECT_EQ(first_.get(), nullptr);
    EXPECT_EQ(moved.get(), channel());
    EXPECT_EQ(moved.sender_count(), 1U);
    first_ = std::move(moved);
    EXPECT_EQ(moved.get(), nullptr);
    EXPECT_EQ(first_.sender_count(), 1U);
}

TEST_F(handles, assignment_drops_what_the_target_held) {
    fake_history other_log;
    auto* const other = new fake_channel<>(other_log);
    other->drop_receiver();
    sender_handle target(other);
    target = first_;
    EXPECT_EQ(other_log.destroyed.load(), 1);
    EXPECT_EQ(target.get(), channel());
    EXPECT_EQ(first_.sender_count(), 2U);
}

TEST_F(handles, assignment_to_itself_changes_nothing) {
    sender_handle& same = first_;
    first_ = same;
    EXPECT_EQ(first_.sender_count(), 1U);
    first_ = std::move(same);
    EXPECT_EQ(first_.get(), channel());
    EXPECT_EQ(first_.sender_count(), 1U);
    channel_holder holder(channel());
    channel_holder& same_holder = holder;
    holder = same_holder;
    holder = std::move(same_holder);
    EXPECT_EQ(holder.get(), channel());
    EXPECT_FALSE(is_freed());
}

TEST_F(handles, reset_twice_drops_once) {
    sender_handle copy = first_;
    copy.reset();
    copy.reset();
    EXPECT_EQ(first_.sender_count(), 1U);
    EXPECT_FALSE(is_freed());
}

TEST_F(handles, a_holder_keeps_the_memory_and_no_producer) {
    channel_holder holder(channel());
    channel_holder copy = holder;
    const channel_holder moved = std::move(copy);
    EXPECT_EQ(copy.get(), nullptr);
    EXPECT_EQ(moved.get(), channel());
    EXPECT_EQ(first_.sender_count(), 1U);
    first_.reset();
    EXPECT_FALSE(is_freed());
    holder = channel_holder();
    EXPECT_FALSE(is_freed());
    EXPECT_EQ(lock_sender(moved), nullptr) << "the last sender is gone";
}

TEST_F(handles, a_holder_becomes_a_producer_while_there_is_one) {
    const channel_holder holder(channel());
    {
        const sender_handle again(lock_sender(holder));
        EXPECT_EQ(again.get(), channel());
        EXPECT_EQ(first_.sender_count(), 2U);
    }
    EXPECT_EQ(first_.sender_count(), 1U);
}

TEST_F(handles, the_last_holder_frees_the_memory) {
    {
        const channel_holder holder(channel());
        first_.reset();
        EXPECT_FALSE(is_freed());
    }
    EXPECT_TRUE(is_freed());
}

} // namespace
