// SPDX-License-Identifier: BSL-1.0
//
// The ends leave at once, each standing still at each point of its leaving: the channel is freed, once, and what was in it is
// destroyed.
//
// crossbeam#838, rust-lang/rust#107466, crossbeam#1102: the last sender against the receiver, and a reply sender in a message
// that nobody receives.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
#include "../conformance/support/threads.hpp"
#include "support/script.hpp"

using namespace conformance;
using namespace injection;
using std::uint64_t;

namespace {

constexpr const char* sender_points[] = {"channel.last_sender", "channel.senders_gone"};
constexpr const char* receiver_points[] = {"channel.drop_receiver", "channel.drained", "channel.receiver_out"};

class leaving : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, leaving, every_flavor(), flavor_name);
class leaving_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, leaving_buffered, buffered_flavors(), flavor_name);

TEST_P(leaving, both_ends_at_once_free_the_channel_once) {
    for (const char* sender_at : sender_points) {
        for (const char* receiver_at : receiver_points) {
            for (const bool sender_first : {true, false}) {
                tally messages;
                {
                    auto [tx, rx] = open<counted>(GetParam());
                    for (uint64_t i = 0; i < GetParam().room(20); ++i)
                        EXPECT_TRUE(tx.try_send(counted(messages, i)));
                    halt sends("sender", sender_at);
                    halt receives("receiver", receiver_at);
                    actor sender("sender", [handle = std::move(tx)]() mutable { handle.reset(); });
                    sends.wait_until_there();
                    actor receiver("receiver", [handle = std::move(rx)]() mutable { handle.reset(); });
                    // A receiver that is the only one left has nothing to do but to go.
                    receives.wait_until_there();
                    (sender_first ? sends : receives).let_go();
                    (sender_first ? sender : receiver).join();
                    (sender_first ? receives : sends).let_go();
                }
                EXPECT_EQ(messages.made, messages.gone) << sender_at << ", " << receiver_at;
            }
        }
    }
}

TEST_P(leaving, a_receiver_that_goes_while_the_last_sender_stands_still_in_going_waits_for_nobody) {
    for (const char* point : sender_points) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        halt sends("sender", point);
        actor sender("sender", [handle = std::move(tx)]() mutable { handle.reset(); });
        sends.wait_until_there();
        const auto came_to = outcome(rx.try_recv());
        EXPECT_TRUE(came_to == channel_errc::empty || came_to == channel_errc::disconnected);
        EXPECT_EQ(rx.sender_count(), 0u);
        rx.reset();
        sends.let_go();
    }
}

// What the last sender sent is there before the channel says that it is gone.
TEST_P(leaving_buffered, messages_come_before_disconnected_however_late_the_look) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    halt looks("receiver", "receiver.missed");
    actor receiver("receiver", [&rx] {
        EXPECT_EQ(rx.try_recv().value(), 5u);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    });
    looks.wait_until_there(); // it found nothing, and has not yet asked whether a sender is left
    EXPECT_TRUE(tx.send(5));
    tx.reset();
    looks.let_go();
}

struct request {
    any_sender<int> reply;
};

// A sender stands still in the middle of sending a message that holds a reply sender; the receiver goes.
TEST_P(leaving_buffered, a_reply_sender_in_a_message_that_comes_too_late_is_released) {
    const bool is_list = GetParam().is_unbounded();
    for (const char* point : {is_list ? "list.claimed" : "ring.claimed", is_list ? "list.made" : "ring.made",
                              is_list ? "list.written" : "ring.written"}) {
        auto [tx, rx] = open<request>(GetParam());
        auto [reply_tx, reply_rx] = open<int>(flavor{});
        halt here("sender", point);
        actor sender("sender", [handle = tx, message = request{std::move(reply_tx)}]() mutable {
            EXPECT_TRUE(handle.send(std::move(message)));
        });
        here.wait_until_there();
        rx.reset();
        here.let_go();
        sender.join();
        EXPECT_EQ(outcome(reply_rx.recv()), channel_errc::disconnected) << point;
    }
}

// One stands still with the right to take messages out; what another sends too late is destroyed all the same.
TEST_P(leaving_buffered, a_message_that_comes_while_another_is_cleared_away_is_destroyed) {
    if (GetParam().capacity == 1)
        return; // two sends are under way here
    tally messages;
    const char* claimed = GetParam().is_unbounded() ? "list.claimed" : "ring.claimed";
    auto [tx, rx] = open<counted>(GetParam());
    halt first_here("first", claimed);
    halt second_here("second", claimed);
    halt leaves("first", "channel.give_back");
    const auto send = [&messages, &tx](uint64_t value) {
        counted message(messages, value);
        EXPECT_TRUE(tx.send(std::move(message)));
    };
    actor first("first", [&] { send(1); });
    actor second("second", [&] { send(2); });
    first_here.wait_until_there();
    second_here.wait_until_there();
    rx.reset();
    first_here.let_go();
    leaves.wait_until_there();
    second_here.let_go();
    second.join();
    leaves.let_go();
    first.join();
    EXPECT_EQ(messages.made, messages.gone);
}

// The receiver stands still in going, with senders in the middle of their sends.
TEST_P(leaving_buffered, sends_that_end_while_the_receiver_goes_leave_nothing) {
    const char* claimed = GetParam().is_unbounded() ? "list.claimed" : "ring.claimed";
    for (const char* point : {"channel.drop_receiver", "channel.drained", "channel.receiver_gone", "channel.give_back",
                              "channel.receiver_out"}) {
        tally messages;
        auto [tx, rx] = open<counted>(GetParam());
        halt sends("sender", claimed);
        halt leaves("receiver", point);
        actor sender("sender", [&messages, &tx] {
            counted message(messages, 1);
            EXPECT_TRUE(tx.send(std::move(message)));
        });
        sends.wait_until_there();
        actor receiver("receiver", [handle = std::move(rx)]() mutable { handle.reset(); });
        leaves.wait_until_there();
        sends.let_go();
        sender.join();
        leaves.let_go();
        receiver.join();
        EXPECT_EQ(messages.made, messages.gone) << point;
    }
}

} // namespace
