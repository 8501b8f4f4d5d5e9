// SPDX-License-Identifier: BSL-1.0
//
// When a descriptor is readable and when it is not, over every kind of channel and both ends; who owns it; how often it is
// written.

#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "../conformance/support/messages.hpp"
#include "support/descriptors.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using namespace posix;
using std::uint64_t;

namespace {

static_assert(!std::is_copy_constructible_v<event_fd> && !std::is_copy_assignable_v<event_fd>);
static_assert(std::is_nothrow_move_constructible_v<event_fd> && std::is_nothrow_move_assignable_v<event_fd>);
static_assert(!std::is_constructible_v<event_fd, weir::sender<int>&>); // it would always be readable

class receiver_descriptor : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, receiver_descriptor, every_flavor(), flavor_name);
class receiver_descriptor_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, receiver_descriptor_buffered, buffered_flavors(), flavor_name);
class sender_descriptor : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, sender_descriptor, bounded_flavors(), flavor_name);
class sender_descriptor_ring : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, sender_descriptor_ring, ring_flavors(), flavor_name);

weir::sync_sender<uint64_t> bounded(const any_sender<uint64_t>& tx) {
    return tx.visit([](const auto& handle) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(handle)>, weir::sync_sender<uint64_t>>)
            return handle;
        else
            return weir::sync_sender<uint64_t>();
    });
}

void fill(const any_sender<uint64_t>& tx) {
    for (uint64_t i = 0; tx.try_send(i); ++i) {
    }
}

// ---- A receiver's ----

TEST_P(receiver_descriptor_buffered, is_readable_from_the_first_message_until_it_is_cleared) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    for (int round = 0; round < 3; ++round) {
        EXPECT_FALSE(is_readable(fd));
        EXPECT_TRUE(tx.send(1u));
        EXPECT_TRUE(is_readable(fd));
        EXPECT_TRUE(is_readable(fd)) << "it stays so";
        EXPECT_TRUE(rx.try_recv());
        EXPECT_TRUE(is_readable(fd)) << "until it is cleared";
        fd.clear();
        EXPECT_FALSE(is_readable(fd));
        fd.clear();
        EXPECT_FALSE(is_readable(fd));
    }
}

TEST_P(receiver_descriptor_buffered, is_readable_from_the_start_where_a_message_is_there) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    EXPECT_TRUE(tx.send(1u));
    const event_fd fd(rx);
    EXPECT_TRUE(is_readable(fd));
}

TEST_P(receiver_descriptor_buffered, a_clear_before_the_messages_are_received_signals_again_at_once) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    const std::size_t count = GetParam().room(100);
    for (uint64_t i = 0; i < count; ++i)
        EXPECT_TRUE(tx.send(i));
    for (uint64_t i = 0; i < count; ++i) {
        fd.clear();
        EXPECT_TRUE(is_readable(fd)) << i;
        EXPECT_EQ(rx.try_recv().value(), i);
    }
    fd.clear();
    EXPECT_FALSE(is_readable(fd));
}

TEST_P(receiver_descriptor_buffered, many_messages_are_one_write) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    for (uint64_t i = 0; i < 1000; ++i) {
        EXPECT_TRUE(tx.send(i));
        EXPECT_EQ(rx.try_recv().value(), i);
    }
    for (uint64_t i = 0; i < GetParam().room(1000); ++i)
        EXPECT_TRUE(tx.send(i));
    tx.reset();
    EXPECT_EQ(writes_into(fd), 1u);
}

TEST_P(receiver_descriptor, is_readable_for_ever_once_the_last_sender_has_gone) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    any_sender<uint64_t> other = tx;
    tx.reset();
    EXPECT_FALSE(is_readable(fd));
    other.reset();
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
        fd.clear();
    }
}

TEST_P(receiver_descriptor, is_readable_for_ever_once_it_was_closed) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    rx.close();
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(is_readable(fd));
        fd.clear();
    }
}

TEST_P(receiver_descriptor, is_readable_for_ever_once_the_receiver_has_gone) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    (void)tx.try_send(1u);
    fd.clear();
    rx.reset();
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(is_readable(fd));
        fd.clear();
    }
}

TEST_P(receiver_descriptor, follows_the_channel_where_handles_move) {
    auto channel = open<uint64_t>(GetParam());
    event_fd fd(channel.rx);
    auto tx = std::make_unique<any_sender<uint64_t>>(std::move(channel.tx));
    auto rx = std::make_unique<weir::receiver<uint64_t>>(std::move(channel.rx));
    EXPECT_FALSE(is_readable(fd));
    const worker sends([&] { EXPECT_TRUE(tx->send(5u)); });
    EXPECT_TRUE(becomes_readable(fd));
    EXPECT_EQ(rx->recv().value(), 5u);
}

TEST_P(receiver_descriptor, outlives_both_ends_in_either_order) {
    for (const bool receiver_first : {false, true}) {
        tally messages;
        auto [tx, rx] = open<counted>(GetParam());
        event_fd fd(rx);
        const event_fd untouched(rx);
        (void)tx.try_send(counted(messages, 1));
        if (receiver_first)
            rx.reset();
        tx.reset();
        rx.reset();
        EXPECT_EQ(messages.made, messages.gone) << "the messages do not live on with it";
        EXPECT_TRUE(is_readable(fd));
        fd.clear();
        EXPECT_TRUE(is_readable(fd));
        EXPECT_TRUE(is_readable(untouched));
    }
}

TEST_P(receiver_descriptor, every_one_that_was_cleared_since_is_told) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::vector<event_fd> fds;
    for (int i = 0; i < 5; ++i)
        fds.emplace_back(rx);
    for (int round = 0; round < 3; ++round) {
        const worker sends([&, &out = tx] { EXPECT_TRUE(out.send(1u)); });
        for (event_fd& fd : fds)
            EXPECT_TRUE(becomes_readable(fd));
        EXPECT_TRUE(rx.recv());
        for (std::size_t i = 0; i < fds.size(); ++i) {
            if (i != 2)
                fds[i].clear();
        }
        for (std::size_t i = 0; i < fds.size(); ++i)
            EXPECT_EQ(is_readable(fds[i]), i == 2);
    }
    EXPECT_EQ(writes_into(fds[2]), 1u);
}

TEST_P(receiver_descriptor, goes_without_a_trace) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto first = std::make_unique<event_fd>(rx);
    auto second = std::make_unique<event_fd>(rx);
    event_fd third(rx);
    const int numbers[] = {first->native_handle(), second->native_handle()};
    first.reset(); // while it watches
    worker sends([&, &out = tx] { EXPECT_TRUE(out.send(1u)); });
    EXPECT_TRUE(becomes_readable(*second));
    second.reset(); // when it was told
    EXPECT_TRUE(becomes_readable(third));
    EXPECT_TRUE(rx.recv());
    sends.join(); // who tells has let go of it
    for (const int number : numbers)
        EXPECT_FALSE(is_open(number));
}

// Beside other ways to wait for the same end.
TEST_P(receiver_descriptor, disturbs_no_receive_and_no_select) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    weir::selector any;
    (void)any.add(rx);
    for (uint64_t i = 0; i < 30; ++i) {
        worker sends([&, &out = tx] { EXPECT_TRUE(out.send(i)); });
        switch (i % 3) {
        case 0:
            EXPECT_EQ(rx.recv().value(), i);
            break;
        case 1:
            weir::select(weir::on_recv(rx, [&](auto message) { EXPECT_EQ(message.value(), i); }));
            break;
        default:
            EXPECT_EQ(any.ready_timeout(patience), 0u);
            EXPECT_EQ(rx.recv().value(), i);
        }
        sends.join(); // who may come to tell of the message when it was received already
        fd.clear();
        EXPECT_FALSE(is_readable(fd)) << i;
    }
}

// On a rendezvous: while a sender waits.
TEST(receiver_descriptor_rendezvous, is_readable_while_a_sender_waits) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    event_fd fd(rx);
    EXPECT_EQ(outcome(tx.try_send(1u)), channel_errc::full);
    EXPECT_FALSE(is_readable(fd));
    {
        const worker sends([&, &out = tx] { EXPECT_TRUE(out.send(2u)); });
        EXPECT_TRUE(becomes_readable(fd));
        fd.clear();
        EXPECT_TRUE(becomes_readable(fd));
        EXPECT_EQ(rx.recv().value(), 2u);
    }
    fd.clear();
    EXPECT_FALSE(is_readable(fd));
}

TEST(receiver_descriptor_rendezvous, is_a_hint_since_the_sender_may_give_up) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    event_fd fd(rx);
    EXPECT_EQ(outcome(tx.send_timeout(1u, 20ms)), channel_errc::timeout);
    EXPECT_TRUE(is_readable(fd));
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    fd.clear();
    EXPECT_FALSE(is_readable(fd));
}

// ---- A sender's ----

TEST_P(sender_descriptor_ring, is_readable_once_there_is_room_until_it_is_cleared) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(bounded(tx));
    EXPECT_TRUE(is_readable(fd));
    fill(tx);
    fd.clear();
    for (int round = 0; round < 3; ++round) {
        EXPECT_FALSE(is_readable(fd));
        EXPECT_TRUE(rx.try_recv());
        EXPECT_TRUE(is_readable(fd));
        EXPECT_TRUE(tx.try_send(1u));
        EXPECT_TRUE(is_readable(fd)) << "until it is cleared";
        fd.clear();
    }
}

TEST_P(sender_descriptor_ring, much_room_is_one_write) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx);
    const event_fd fd(bounded(tx));
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(rx.try_recv());
        EXPECT_TRUE(tx.try_send(1u));
    }
    while (rx.try_recv()) {
    }
    rx.reset();
    EXPECT_EQ(writes_into(fd), 1u);
}

// Room that a waiting sender takes is not its own.
TEST_P(sender_descriptor_ring, takes_no_turn_from_a_sender_that_waits) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx);
    const event_fd fd(bounded(tx));
    {
        worker sends([&, &out = tx] { EXPECT_TRUE(out.send(77u)); });
        sends.wait_until_asleep();
        EXPECT_TRUE(rx.try_recv());
    }
    EXPECT_FALSE(is_readable(fd));
    EXPECT_TRUE(rx.try_recv());
    EXPECT_TRUE(is_readable(fd));
}

TEST_P(sender_descriptor, is_readable_for_ever_once_the_receiver_has_gone) {
    for (const bool closes : {false, true}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        fill(tx);
        event_fd fd(bounded(tx));
        EXPECT_FALSE(is_readable(fd));
        closes ? rx.close() : rx.reset();
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(is_readable(fd));
            EXPECT_EQ(outcome(tx.try_send(1u)), channel_errc::disconnected);
            fd.clear();
        }
    }
}

TEST_P(sender_descriptor, outlives_both_ends_in_either_order) {
    for (const bool receiver_first : {false, true}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        fill(tx);
        event_fd fd(bounded(tx));
        if (receiver_first)
            rx.reset();
        tx.reset();
        rx.reset();
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(is_readable(fd));
            fd.clear();
        }
    }
}

TEST_P(sender_descriptor, every_one_that_was_cleared_since_is_told) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx);
    std::vector<event_fd> fds;
    for (int i = 0; i < 5; ++i)
        fds.emplace_back(bounded(tx));
    for (int round = 0; round < 3; ++round) {
        worker receives([&, &in = rx] { EXPECT_TRUE(in.recv()); });
        for (event_fd& fd : fds)
            EXPECT_TRUE(becomes_readable(fd));
        EXPECT_TRUE(tx.send(1u));
        receives.join();
        for (std::size_t i = 0; i < fds.size(); ++i) {
            if (i != 2)
                fds[i].clear();
        }
        for (std::size_t i = 0; i < fds.size(); ++i)
            EXPECT_EQ(is_readable(fds[i]), i == 2);
    }
}

TEST_P(sender_descriptor, goes_without_a_trace) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    fill(tx);
    auto first = std::make_unique<event_fd>(bounded(tx));
    event_fd second(bounded(tx));
    const int number = first->native_handle();
    first.reset();
    EXPECT_FALSE(is_open(number));
    const worker receives([&, &in = rx] { EXPECT_TRUE(in.recv()); });
    EXPECT_TRUE(becomes_readable(second));
    EXPECT_TRUE(tx.send(1u));
}

// On a rendezvous: while a receive waits, of whatever kind.
TEST(sender_descriptor_rendezvous, is_readable_while_a_receive_waits) {
    for (const bool selects : {false, true}) {
        auto [tx, rx] = weir::sync_channel<uint64_t>(0);
        event_fd fd(tx);
        EXPECT_FALSE(is_readable(fd));
        {
            const worker receives([&, &in = rx] {
                if (selects)
                    weir::select(weir::on_recv(in, [](auto message) { EXPECT_EQ(message.value(), 5u); }));
                else
                    EXPECT_EQ(in.recv().value(), 5u);
            });
            EXPECT_TRUE(becomes_readable(fd));
            EXPECT_TRUE(tx.send(5u));
        }
        fd.clear();
        EXPECT_FALSE(is_readable(fd));
        EXPECT_EQ(outcome(tx.try_send(6u)), channel_errc::full);
    }
}

TEST(sender_descriptor_rendezvous, two_ends_that_both_wait_by_descriptor_do_not_meet) {
    auto [tx, rx] = weir::sync_channel<uint64_t>(0);
    event_fd sending(tx);
    event_fd receiving(rx);
    for (int i = 0; i < 2; ++i) {
        EXPECT_FALSE(is_readable(sending));
        EXPECT_FALSE(is_readable(receiving));
        EXPECT_EQ(outcome(tx.try_send(1u)), channel_errc::full);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
        sending.clear();
        receiving.clear();
    }
}

// ---- The descriptor itself ----

TEST(event_fd, of_an_empty_handle_is_readable_for_ever) {
    const weir::receiver<int> no_receiver;
    const weir::sync_sender<int> no_sender;
    event_fd fds[] = {event_fd(no_receiver), event_fd(no_sender)};
    for (event_fd& fd : fds) {
        EXPECT_TRUE(is_readable(fd));
        fd.clear();
        EXPECT_TRUE(is_readable(fd));
    }
}

TEST(event_fd, is_closed_by_exec_and_does_not_block) {
    auto [tx, rx] = weir::sync_channel<int>(1);
    auto timer = weir::after(1h);
    for (const event_fd& fd : {event_fd(rx), event_fd(tx), event_fd(timer)}) {
        EXPECT_EQ(::fcntl(fd.native_handle(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        EXPECT_EQ(::fcntl(fd.native_handle(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    }
}

TEST(event_fd, moves_and_leaves_nothing) {
    auto [tx, rx] = weir::channel<int>();
    auto [other_tx, other_rx] = weir::channel<int>();
    event_fd one(rx);
    event_fd two(other_rx);
    const int first = one.native_handle();
    const int second = two.native_handle();
    swap(one, two);
    EXPECT_EQ(one.native_handle(), second);
    EXPECT_EQ(two.native_handle(), first);
    one = std::move(two);
    EXPECT_EQ(one.native_handle(), first);
    EXPECT_FALSE(is_open(second));
    event_fd three(std::move(one));
    EXPECT_EQ(three.native_handle(), first);
    EXPECT_EQ(one.native_handle(), -1);
    one.clear();
    event_fd& same = three;
    three = std::move(same);
    EXPECT_EQ(three.native_handle(), first);
    EXPECT_TRUE(tx.send(1));
    EXPECT_TRUE(is_readable(three));
    EXPECT_TRUE(other_tx.send(1));
}

TEST(event_fd, throws_where_no_descriptor_is_to_be_had_and_the_channel_stays_good) {
    if (conformance::is_address_sanitized) {
        GTEST_SKIP() << "the sanitizer of undefined behaviour opens a pipe to look at an exception";
    }
    auto [tx, rx] = weir::sync_channel<int>(1);
    auto timer = weir::after(0s);
    const auto expect_failure = [](const auto& end) {
        rlimit before{};
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
        const rlimit none{0, before.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
        bool has_thrown = false;
        try {
            const event_fd fd(end);
        } catch (const std::system_error& error) {
            has_thrown = error.code() == std::errc::too_many_files_open;
        }
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
        EXPECT_TRUE(has_thrown);
    };
    expect_failure(rx);
    expect_failure(tx);
    expect_failure(timer);
    EXPECT_TRUE(tx.send(1));
    EXPECT_TRUE(is_readable(event_fd(rx)));
    EXPECT_TRUE(rx.recv());
}

} // namespace
