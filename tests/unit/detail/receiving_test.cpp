// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/receiving.hpp>

#include "support/fake_channel.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace {

using namespace unit;
using weir::channel_errc;
using weir::detail::deadline;
using weir::detail::no_stop;
using weir::detail::poll;
using weir::detail::receiver_use;
using weir::detail::take;
using weir::detail::take_from;
using weir::detail::taken_message;
using weir::detail::try_take;
using weir::detail::wait_result;

// A flavor that answers as the test says.
struct scripted {
    std::function<int*()> acquires = [] { return nullptr; };
    std::function<void()> holds_back = [] { ADD_FAILURE() << "held back"; };
    bool senders = true;
    bool closed = false;
    bool under_way = false;
    wait_result wait_ends = wait_result::timeout;
    int polls = 1; // so many at most, until one is true
    int* released = nullptr;
    int found_nothing = 0;

    int* acquire() noexcept { return acquires(); }
    int* acquire_head() noexcept { return acquire(); }
    void release(int* message) noexcept { released = message; }
    bool has_senders() const noexcept { return senders; }
    bool is_closed() const noexcept { return closed; }
    bool is_send_under_way() const noexcept { return under_way; }
    void run_completions() const noexcept {}
    void found_empty() noexcept { ++found_nothing; }
    void hold_back() noexcept { holds_back(); }
    template <class Stop, class Poll>
    wait_result wait(deadline, const Stop&, Poll poll) noexcept {
        for (int i = 0; i < polls; ++i) {
            if (poll()) {
                return wait_result::ready;
            }
        }
        return wait_ends;
    }
};

TEST(try_take, gives_the_message_that_is_there_whatever_else_is_so) {
    int message = 1;
    for (const bool senders : {false, true}) {
        for (const bool closed : {false, true}) {
            scripted flavor;
            flavor.acquires = [&] { return &message; };
            flavor.senders = senders;
            flavor.closed = closed;
            EXPECT_EQ(try_take(flavor).message, &message);
        }
    }
}

TEST(try_take, says_empty_where_there_may_come_more) {
    scripted flavor;
    const auto taken = try_take(flavor);
    EXPECT_EQ(taken.message, nullptr);
    EXPECT_EQ(taken.error, channel_errc::empty);
}

TEST(try_take, says_disconnected_where_every_sender_is_gone) {
    scripted flavor;
    flavor.senders = false;
    const auto taken = try_take(flavor);
    EXPECT_EQ(taken.message, nullptr);
    EXPECT_EQ(taken.error, channel_errc::disconnected);
}

TEST(try_take, says_disconnected_where_it_is_closed_and_no_send_is_under_way) {
    scripted flavor;
    flavor.closed = true;
    flavor.under_way = true;
    EXPECT_EQ(try_take(flavor).error, channel_errc::empty);
    flavor.under_way = false;
    EXPECT_EQ(try_take(flavor).error, channel_errc::disconnected);
}

TEST(try_take, looks_once_more_when_it_has_found_every_sender_gone) {
    int message = 1;
    int looks = 0;
    scripted flavor;
    flavor.senders = false; // the last one sent between the first look and this
    flavor.acquires = [&] { return ++looks == 2 ? &message : nullptr; };
    EXPECT_EQ(try_take(flavor).message, &message);
}

TEST(poll, holds_back_where_it_is_empty) {
    int times = 0;
    scripted flavor;
    flavor.holds_back = [&] { ++times; };
    EXPECT_EQ(poll(flavor).error, channel_errc::empty);
    EXPECT_EQ(times, 1);
}

TEST(poll, does_not_where_it_has_something_to_say) {
    int message = 1;
    scripted full;
    full.acquires = [&] { return &message; };
    EXPECT_EQ(poll(full).message, &message);
    scripted disconnected;
    disconnected.senders = false;
    EXPECT_EQ(poll(disconnected).error, channel_errc::disconnected);
}

// Else a caller who takes all that there is would not come to an end beside a fast sender.
TEST(poll, says_empty_though_a_message_came_meanwhile) {
    int message = 1;
    scripted flavor;
    flavor.holds_back = [&] { flavor.acquires = [&] { return &message; }; };
    EXPECT_EQ(poll(flavor).message, nullptr);
    EXPECT_EQ(poll(flavor).message, &message);
}

// While it looks it keeps what a stream needs.
TEST(take, tells_the_channel_that_it_is_empty_once_it_says_so_itself) {
    scripted flavor;
    EXPECT_EQ(try_take(flavor).message, nullptr);
    EXPECT_EQ(flavor.found_nothing, 1);
    flavor.polls = 10;
    EXPECT_EQ(take(flavor, deadline::never(), no_stop()).message, nullptr);
    EXPECT_EQ(flavor.found_nothing, 2);
    int message = 1;
    int looks = 0;
    flavor.acquires = [&] { return ++looks == 5 ? &message : nullptr; };
    EXPECT_EQ(take(flavor, deadline::never(), no_stop()).message, &message);
    EXPECT_EQ(try_take(flavor).message, nullptr);
    EXPECT_EQ(flavor.found_nothing, 3);
}

TEST(take, gives_the_message_at_hand_without_a_wait) {
    int message = 1;
    scripted flavor;
    flavor.polls = 0;
    flavor.acquires = [&] { return &message; };
    EXPECT_EQ(take(flavor, deadline::never(), no_stop()).message, &message);
}

TEST(take, gives_the_message_that_a_wait_brought) {
    int message = 1;
    int looks = 0;
    scripted flavor;
    flavor.polls = 10;
    flavor.acquires = [&] { return ++looks == 5 ? &message : nullptr; };
    EXPECT_EQ(take(flavor, deadline::never(), no_stop()).message, &message);
}

TEST(take, says_why_a_wait_ended_without_one) {
    scripted flavor;
    EXPECT_EQ(take(flavor, deadline::never(), no_stop()).error, channel_errc::timeout);
    flavor.wait_ends = wait_result::stopped;
    EXPECT_EQ(take(flavor, deadline::never(), no_stop()).error, channel_errc::stopped);
    flavor.senders = false;
    const auto taken = take(flavor, deadline::never(), no_stop());
    EXPECT_EQ(taken.message, nullptr);
    EXPECT_EQ(taken.error, channel_errc::disconnected);
}

// A deadline that asks a clock.
struct costly_deadline {
    int& waits;

    template <class Attempt, class TimedOut>
    auto wait(Attempt attempt, const TimedOut& timed_out) const {
        ++waits;
        const auto ended = attempt(deadline::never());
        EXPECT_EQ(timed_out(ended), ended.message == nullptr && ended.error == channel_errc::timeout);
        return ended;
    }
};

TEST(take_from, does_not_begin_to_wait_where_a_message_is_there) {
    fake_history log;
    auto* const channel = new fake_channel<>(log);
    int waits = 0;
    int message = 1;
    channel->head = &message;
    EXPECT_EQ(take_from(*channel, costly_deadline{waits}).message, &message);
    EXPECT_EQ(waits, 0);
    channel->drop_receiver();
    channel->drop_sender();
}

TEST(take_from, gives_what_the_channel_gives_when_it_has_waited) {
    fake_history log;
    auto* const channel = new fake_channel<>(log);
    int waits = 0;
    int message = 1;
    channel->awaited.message = &message;
    EXPECT_EQ(take_from(*channel, costly_deadline{waits}).message, &message);
    for (const channel_errc error : {channel_errc::timeout, channel_errc::disconnected}) {
        channel->awaited = {nullptr, error};
        const auto taken = take_from(*channel, costly_deadline{waits});
        EXPECT_EQ(taken.message, nullptr);
        EXPECT_EQ(taken.error, error);
    }
    EXPECT_EQ(waits, 3);
    channel->drop_receiver();
    channel->drop_sender();
}

TEST(taken_message, gives_its_slot_back_when_it_goes) {
    int message = 1;
    scripted flavor;
    {
        const taken_message taken(flavor, &message);
        EXPECT_EQ(flavor.released, nullptr);
    }
    EXPECT_EQ(flavor.released, &message);
}

TEST(receiver_use, a_second_one_at_the_same_time_ends_a_checked_program_with_the_name_of_the_call) {
    fake_history log;
    auto* const channel = new fake_channel<>(log);
    {
        const receiver_use<true> first(*channel, "recv");
        EXPECT_DEATH(receiver_use<true>(*channel, "try_recv"), "weir: .*try_recv");
    }
    EXPECT_TRUE(channel->enter_receiver()) << "nobody is inside any more";
    channel->drop_receiver();
    channel->drop_sender();
}

TEST(receiver_use, is_of_no_effect_where_nothing_is_checked) {
    fake_history log;
    auto* const channel = new fake_channel<>(log);
    const receiver_use<false> first(*channel, "recv");
    const receiver_use<false> second(*channel, "try_recv");
    EXPECT_TRUE(channel->enter_receiver());
    channel->drop_receiver();
    channel->drop_sender();
}

} // namespace
