// SPDX-License-Identifier: BSL-1.0
//
// A sender that stands still at each point of its send in turn: nobody waits for it, nothing is lost, and what it sends
// arrives, or is destroyed, or is given back.
//
// Bounded queues in the manner of Vyukov's say empty though a later element is complete; crossbeam#971, #972, #1084 and #1187:
// the first block's installation against the receiver's drop; crossbeam 9d42394: the closed bit lost at a block's end;
// tokio#8075 and #8260: messages after close.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
#include "../conformance/support/threads.hpp"
#include "support/script.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using namespace injection;
using std::uint64_t;

namespace {

// Where a sender stands still, and which message of the channel it is sending.
struct place {
    flavor which;
    const char* point;
    uint64_t before; // how many messages went through before
    bool is_there;   // the message can be received from there

    friend void PrintTo(const place& at, std::ostream* out) { *out << at.which.name() << " " << at.point; }
};

std::string name_of(const testing::TestParamInfo<place>& info) {
    std::string name = info.param.which.name() + "_" + info.param.point + "_" + std::to_string(info.param.before);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

// The message that finds the first slots used up: its sender links the first block. The first whose sender links a block
// ahead. The last in its block.
using sizes = weir::detail::list_sizes<counted>;
constexpr uint64_t links_first = sizes::embedded_slots;
constexpr uint64_t links_ahead = links_first + sizes::slots - sizes::reserve;
constexpr uint64_t last_in_block = links_first + sizes::slots - 1;

using number_sizes = weir::detail::list_sizes<uint64_t>;
constexpr uint64_t a_block = number_sizes::slots;

std::vector<place> places() {
    std::vector<place> all;
    const flavor unbounded{};
    for (const char* point : {"list.pinned", "list.link", "list.linked", "list.hint_moved"})
        all.push_back({unbounded, point, links_first, false});
    all.push_back({unbounded, "list.link", links_ahead, false});
    all.push_back({unbounded, "list.linked", links_ahead, false});
    for (const uint64_t before : {uint64_t{0}, links_first - 1, links_first, last_in_block, last_in_block + 1}) {
        all.push_back({unbounded, "list.claimed", before, false});
        all.push_back({unbounded, "list.hinted", before, false});
        all.push_back({unbounded, "list.made", before, false});
        all.push_back({unbounded, "list.written", before, true});
    }
    for (const std::size_t capacity : {1u, 2u, 3u, 5u, 64u}) {
        for (const std::size_t before : std::set<std::size_t>{0, capacity - 1, capacity}) {
            all.push_back({flavor{capacity}, "ring.claim", before, false});
            all.push_back({flavor{capacity}, "ring.claimed", before, false});
            all.push_back({flavor{capacity}, "ring.made", before, false});
            all.push_back({flavor{capacity}, "ring.written", before, true});
        }
    }
    return all;
}

constexpr uint64_t held_value = 77777;

class stalled : public testing::TestWithParam<place> {
protected:
    stalled() {
        auto channel = open<counted>(GetParam().which);
        tx = std::move(channel.tx);
        rx = std::move(channel.rx);
        for (uint64_t i = 0; i < GetParam().before; ++i) {
            EXPECT_TRUE(tx.send(counted(messages, i)));
            EXPECT_EQ(rx.try_recv().value().value(), i);
        }
        sender.emplace("sender", [this, handle = tx]() mutable {
            counted message(messages, held_value);
            result = outcome(handle.send(std::move(message)));
            EXPECT_EQ(message.holds(), result != ok);
            handle.reset();
        });
        here.wait_until_there();
    }
    ~stalled() override {
        here.let_go();
        sender.reset();
        tx.reset();
        rx.reset();
        EXPECT_EQ(messages.made, messages.gone);
    }

    // How many messages may pass.
    std::size_t passing(std::size_t wanted) const {
        return GetParam().which.capacity ? std::min(*GetParam().which.capacity - 1, wanted) : wanted;
    }
    channel_errc finish() {
        here.let_go();
        sender->join();
        return result;
    }
    void expect_held_if_there() {
        if (GetParam().is_there) {
            EXPECT_EQ(rx.try_recv().value().value(), held_value);
        }
    }

    tally messages;
    any_sender<counted> tx;
    weir::receiver<counted> rx;
    channel_errc result{};
    halt here{"sender", GetParam().point};
    std::optional<actor> sender;
};
INSTANTIATE_TEST_SUITE_P(points, stalled, testing::ValuesIn(places()), name_of);

TEST_P(stalled, others_pass_it_and_receives_are_on_time) {
    expect_held_if_there();
    const std::size_t count = passing(3000);
    for (uint64_t i = 0; i < count; ++i)
        ASSERT_TRUE(tx.try_send(counted(messages, i)));
    for (uint64_t i = 0; i < count; ++i)
        ASSERT_EQ(rx.recv().value().value(), i);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_EQ(rx.len(), 0u);
    const stopwatch watch;
    EXPECT_EQ(outcome(rx.recv_timeout(5ms)), channel_errc::timeout);
    EXPECT_LT(watch.elapsed(), on_time);
    EXPECT_EQ(finish(), ok);
    if (!GetParam().is_there) {
        EXPECT_EQ(rx.try_recv().value().value(), held_value);
    }
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    const std::size_t room = GetParam().which.room(100);
    for (uint64_t i = 0; i < room; ++i)
        ASSERT_TRUE(tx.try_send(counted(messages, i))) << "all room is back";
    for (uint64_t i = 0; i < room; ++i)
        ASSERT_EQ(rx.try_recv().value().value(), i);
}

TEST_P(stalled, the_last_sender_counts_until_it_is_done) {
    tx.reset();
    expect_held_if_there();
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_FALSE(rx.is_disconnected());
    EXPECT_EQ(finish(), ok);
    if (!GetParam().is_there) {
        EXPECT_EQ(rx.recv().value().value(), held_value);
    }
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
}

TEST_P(stalled, a_close_lets_it_succeed_or_fail_and_others_fail) {
    const std::size_t count = passing(3);
    for (uint64_t i = 0; i < count; ++i)
        ASSERT_TRUE(tx.try_send(counted(messages, i)));
    rx.close();
    EXPECT_EQ(outcome(tx.send(counted(messages, 1))), channel_errc::disconnected);
    expect_held_if_there();
    for (uint64_t i = 0; i < count; ++i)
        EXPECT_EQ(rx.recv().value().value(), i);
    EXPECT_FALSE(rx.try_recv());
    if (finish() == ok && !GetParam().is_there) {
        EXPECT_EQ(rx.recv().value().value(), held_value);
    }
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    EXPECT_TRUE(rx.is_empty());
}

TEST_P(stalled, the_receiver_may_go_and_everything_is_destroyed) {
    const std::size_t count = passing(1000);
    for (uint64_t i = 0; i < count; ++i)
        ASSERT_TRUE(tx.try_send(counted(messages, i)));
    const uint64_t dropped = messages.dropped;
    rx.reset();
    EXPECT_EQ(messages.dropped, dropped + count + (GetParam().is_there ? 1 : 0)) << "while the receiver went";
    EXPECT_EQ(outcome(tx.send(counted(messages, 1))), channel_errc::disconnected);
    finish();
    EXPECT_EQ(messages.made, messages.gone) << "no message outlives its send, though senders remain";
}

TEST_P(stalled, both_ends_may_go) {
    tx.reset();
    rx.reset();
    finish();
    EXPECT_EQ(messages.made, messages.gone);
}

// A sender that stands still between its looks at the tail and at the head, while so many messages pass that the head is past
// that tail: the ring is not full.
TEST(stalled_ring, a_sender_whose_look_at_the_tail_is_old_does_not_find_it_full) {
    for (const std::size_t capacity : {1u, 2u, 3u, 5u, 64u}) {
        auto ends = weir::sync_channel<uint64_t>(capacity);
        const auto pass_lap = [&ends, capacity] {
            for (uint64_t i = 0; i < capacity; ++i)
                EXPECT_TRUE(ends.tx.try_send(i));
            for (uint64_t i = 0; i < capacity; ++i)
                EXPECT_EQ(ends.rx.try_recv().value(), i);
        };
        pass_lap(); // so the ring seems to be full, until somebody looks at the head
        halt here("sender", "ring.claim_again");
        actor sender("sender", [&ends] { EXPECT_TRUE(ends.tx.try_send(held_value)); });
        here.wait_until_there();
        pass_lap();
        pass_lap();
        here.let_go();
        sender.join();
        EXPECT_EQ(ends.rx.try_recv().value(), held_value) << capacity;
    }
}

// Likewise where it only looks whether there is room, before it makes a message that may throw.
TEST(stalled_ring, a_look_for_room_that_messages_pass_finds_the_room_that_was_there_all_the_time) {
    for (const std::size_t capacity : {2u, 3u, 5u, 64u}) {
        auto [tx, rx] = weir::sync_channel<std::string>(capacity);
        halt here("sender", "ring.look");
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.try_send("held")); });
        here.wait_until_there();
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(tx.send("passes"));
            EXPECT_EQ(rx.try_recv().value(), "passes");
        }
        here.let_go();
        sender.join();
        EXPECT_EQ(rx.try_recv().value(), "held") << capacity;
    }
}

// A sender that holds an old block while all others go through many, and blocks are used again.
TEST(stalled_list, blocks_that_it_may_touch_are_not_used_again) {
    for (const char* point : {"list.pinned", "list.link", "list.linked", "list.claimed", "list.hinted",
                              "list.hint_moved", "list.made", "list.written"}) {
        auto [tx, rx] = weir::channel<uint64_t>();
        constexpr uint64_t before = number_sizes::embedded_slots;
        constexpr uint64_t behind = 10 * a_block;
        for (uint64_t i = 0; i < before; ++i) {
            EXPECT_TRUE(tx.send(i));
            EXPECT_EQ(rx.try_recv().value(), i);
        }
        halt here("sender", point);
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(held_value)); });
        here.wait_until_there();
        uint64_t received = 0;
        bool came = false;
        for (uint64_t i = 0; i < behind; ++i) {
            ASSERT_TRUE(tx.send(i));
            if (i % (3 * a_block) == 0 || i + 1 == behind) {
                for (auto value : rx.try_iter()) {
                    if (value == held_value)
                        came = true;
                    else
                        ASSERT_EQ(value, received++);
                }
            }
        }
        EXPECT_EQ(received, behind);
        here.let_go();
        sender.join();
        if (!came) {
            EXPECT_EQ(rx.try_recv().value(), held_value) << point;
        }
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
}

// Senders that stream side by side take lines from each other. Who finds the slot before its own claimed and not written
// stands back when it has sent: one slot in `slots_a_look` is looked at, and never another block's.
TEST(stalled_list, a_sender_stands_back_behind_one_that_is_not_done) {
    for (uint64_t held = 0; held < 4 * number_sizes::slots_a_look; ++held) {
        auto [tx, rx] = weir::channel<uint64_t>();
        for (uint64_t i = 0; i < held; ++i)
            EXPECT_TRUE(tx.send(i));
        halt here("sender", "list.claimed");
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(held_value)); });
        here.wait_until_there();
        visits crowded("other", "list.crowded");
        actor other("other", [&tx] { EXPECT_TRUE(tx.send(held_value)); });
        other.join();
        const uint64_t index = held + 1;
        const bool looks = index % number_sizes::slots_a_look == 0 && index != number_sizes::embedded_slots;
        EXPECT_EQ(crowded.value(), looks ? 1 : 0) << "of index " << index;
        here.let_go();
    }
}

TEST(stalled_list, a_sender_does_not_stand_back_alone_or_behind_a_message_that_was_passed_on) {
    auto [tx, rx] = weir::channel<uint64_t>();
    visits crowded("other", "list.crowded");
    actor("other", [&tx] {
        for (uint64_t i = 0; i + 2 < number_sizes::slots_a_look; ++i)
            EXPECT_TRUE(tx.send(i));
    }).join();
    halt here("sender", "list.claimed");
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(held_value)); });
    here.wait_until_there();
    EXPECT_TRUE(tx.send(held_value));
    for (uint64_t i = 0; i + 1 < number_sizes::slots_a_look; ++i)
        EXPECT_TRUE(rx.try_recv());
    actor("other", [&tx] {
        for (uint64_t i = 0; i < a_block; ++i)
            EXPECT_TRUE(tx.send(i));
    }).join();
    EXPECT_EQ(crowded.value(), 0);
    here.let_go();
}

// An observer stands still between counting and looking, while a message is received: another one was there all the time.
TEST(stalled_list, an_observer_that_a_receive_overtakes_does_not_say_empty) {
    auto [tx, rx] = weir::channel<uint64_t>();
    EXPECT_TRUE(tx.send(1));
    halt here("observer", "list.pinned");
    actor observer("observer", [&tx] { EXPECT_FALSE(tx.is_empty()); });
    here.wait_until_there();
    EXPECT_TRUE(tx.send(2));
    EXPECT_EQ(rx.recv().value(), 1u);
    here.let_go();
}

// The receiver in the middle of giving a block back, while senders go on.
TEST(stalled_list, a_receiver_that_gives_a_block_back_holds_nobody_up) {
    auto [tx, rx] = weir::channel<uint64_t>();
    for (uint64_t i = 0; i < 3 * a_block; ++i)
        EXPECT_TRUE(tx.send(i));
    halt here("receiver", "list.reclaim");
    actor receiver("receiver", [&rx] {
        for (uint64_t i = 0; i < 3 * a_block; ++i)
            ASSERT_EQ(rx.recv().value(), i);
    });
    here.wait_until_there();
    for (uint64_t i = 0; i < 5 * a_block; ++i)
        EXPECT_TRUE(tx.send(i));
    EXPECT_FALSE(tx.is_empty());
    here.let_go();
    receiver.join();
    for (uint64_t i = 0; i < 5 * a_block; ++i)
        ASSERT_EQ(rx.try_recv().value(), i);
}

} // namespace
