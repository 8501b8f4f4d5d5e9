// SPDX-License-Identifier: BSL-1.0
//
// A descriptor is cleared while somebody tells it, and told while it is cleared; with either one stopped in the middle.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../injection/support/script.hpp"
#include "support/descriptors.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using namespace injection;
using namespace posix;
using std::uint64_t;

namespace {

class descriptor : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, descriptor, buffered_flavors(), flavor_name);
class descriptor_ring : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, descriptor_ring, ring_flavors(), flavor_name);

// Who has taken the claim and not yet written.
TEST_P(descriptor, a_clear_beside_a_teller_that_stands_still_waits_for_nobody_and_loses_nothing) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    halt here("sender", "descriptor.told");
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(1u)); });
    here.wait_until_there();
    EXPECT_EQ(rx.try_recv().value(), 1u) << "the message is there";
    fd.clear();
    EXPECT_FALSE(is_readable(fd));
    EXPECT_TRUE(tx.send(2u));
    here.let_go();
    sender.join();
    EXPECT_TRUE(is_readable(fd)) << "one wake stands for both messages";
    EXPECT_EQ(rx.try_recv().value(), 2u);
    fd.clear();
    EXPECT_FALSE(is_readable(fd));
    EXPECT_TRUE(tx.send(3u));
    EXPECT_EQ(writes_into(fd), 1u);
}

TEST_P(descriptor, a_clear_beside_a_teller_that_stands_still_leaves_the_write_to_it) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    halt here("sender", "descriptor.told");
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(1u)); });
    here.wait_until_there();
    EXPECT_EQ(rx.try_recv().value(), 1u);
    fd.clear();
    EXPECT_TRUE(tx.send(2u));
    here.let_go();
    sender.join();
    EXPECT_EQ(writes_into(fd), 1u);
}

TEST_P(descriptor, stays_open_until_a_teller_that_stands_still_has_written) {
    for (const char* point : {"descriptor.told", "descriptor.written"}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        auto fd = std::make_unique<event_fd>(rx);
        const int number = fd->native_handle();
        halt here("sender", point);
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(1u)); });
        here.wait_until_there();
        fd.reset();
        EXPECT_TRUE(is_open(number)) << "else the number might be another file's by the time of the write";
        EXPECT_NE(event_fd(rx).native_handle(), number);
        here.let_go();
        sender.join();
        EXPECT_FALSE(is_open(number));
    }
}

TEST_P(descriptor, is_cleared_and_told_anew_though_its_last_teller_has_not_let_go) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    halt here("sender", "descriptor.written");
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(0u)); });
    here.wait_until_there();
    for (uint64_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(rx.try_recv().value(), i);
        fd.clear();
        EXPECT_FALSE(is_readable(fd));
        EXPECT_TRUE(tx.send(i + 1));
    }
    EXPECT_EQ(writes_into(fd), 1u);
    here.let_go();
}

// The owner stands still in clear().
TEST_P(descriptor, a_message_that_comes_in_the_middle_of_a_clear_is_told_once) {
    for (const char* point : {"descriptor.clear", "descriptor.watch", "receiver.enrolled", "descriptor.ready"}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        event_fd fd(rx);
        EXPECT_TRUE(tx.send(1u));
        EXPECT_TRUE(is_readable(fd));
        const bool is_left = std::string(point) == "descriptor.ready"; // it comes there only where it finds something
        halt before("owner", "receiver.enrolled");
        std::optional<halt> here;
        if (point != std::string("receiver.enrolled"))
            here.emplace("owner", point);
        actor owner("owner", [&, &in = rx] {
            EXPECT_EQ(in.try_recv().value(), 1u);
            fd.clear();
        });
        if (is_left) {
            before.wait_until_there();
            EXPECT_TRUE(tx.send(2u)); // it is told, and will be found as well
            before.let_go();
            here->let_go();
        } else {
            halt& at = here ? *here : before;
            at.wait_until_there();
            EXPECT_TRUE(tx.send(2u));
            at.let_go();
            before.let_go();
        }
        owner.join();
        EXPECT_TRUE(is_readable(fd)) << point;
        EXPECT_EQ(writes_into(fd), 1u) << point;
        EXPECT_EQ(rx.try_recv().value(), 2u);
    }
}

// The owner has enrolled, and found a message that nobody has told of yet; then it is told as well.
TEST_P(descriptor, what_the_owner_finds_and_a_sender_tells_of_is_written_once) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    event_fd fd(rx);
    EXPECT_TRUE(tx.send(1u));
    const char* const written = GetParam().is_unbounded() ? "list.written" : "ring.written";
    halt enrolled("owner", "receiver.enrolled");
    halt ready("owner", "descriptor.ready");
    halt sent("sender", written);
    actor owner("owner", [&, &in = rx] {
        EXPECT_EQ(in.try_recv().value(), 1u);
        fd.clear();
    });
    enrolled.wait_until_there();
    actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(2u)); });
    sent.wait_until_there(); // the message is there, and nobody was told
    enrolled.let_go();
    ready.wait_until_there();
    EXPECT_FALSE(is_readable(fd));
    sent.let_go();
    sender.join();
    EXPECT_TRUE(is_readable(fd));
    ready.let_go();
    owner.join();
    EXPECT_EQ(writes_into(fd), 1u);
}

TEST_P(descriptor, a_producer_stalled_in_its_send_keeps_nobody_from_being_told) {
    if (GetParam().capacity == 1)
        return; // nothing can pass
    const std::vector<const char*> points =
        GetParam().is_unbounded() ? std::vector{"list.claimed", "list.made"} : std::vector{"ring.claimed", "ring.made"};
    for (const char* point : points) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        event_fd fd(rx);
        halt here("sender", point);
        actor sender("sender", [&tx] { EXPECT_TRUE(tx.send(1u)); });
        here.wait_until_there();
        fd.clear();
        EXPECT_FALSE(is_readable(fd));
        EXPECT_TRUE(tx.send(2u));
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(rx.try_recv().value(), 2u);
        fd.clear();
        EXPECT_FALSE(is_readable(fd));
        here.let_go();
        sender.join();
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(rx.try_recv().value(), 1u);
    }
}

TEST_P(descriptor, the_last_sender_leaving_in_the_middle_of_a_clear_is_told) {
    for (const char* point : {"descriptor.clear", "descriptor.watch", "receiver.enrolled"}) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        event_fd fd(rx);
        EXPECT_TRUE(tx.send(1u));
        halt here("owner", point);
        actor owner("owner", [&, &in = rx] {
            EXPECT_EQ(in.try_recv().value(), 1u);
            fd.clear();
        });
        here.wait_until_there();
        tx.reset();
        here.let_go();
        owner.join();
        EXPECT_TRUE(is_readable(fd)) << point;
        EXPECT_EQ(writes_into(fd), 1u) << point;
    }
}

// ---- A sender's descriptor ----

TEST_P(descriptor_ring, room_that_comes_in_the_middle_of_a_clear_is_told_once) {
    for (const char* point : {"descriptor.clear", "descriptor.watch", "sender.watching"}) {
        auto channel = weir::sync_channel<uint64_t>(*GetParam().capacity);
        auto& tx = channel.tx;
        auto& rx = channel.rx;
        event_fd fd(tx);
        while (tx.try_send(1u)) {
        }
        halt here("owner", point);
        actor owner("owner", [&] { fd.clear(); });
        here.wait_until_there();
        EXPECT_TRUE(rx.try_recv());
        here.let_go();
        owner.join();
        EXPECT_TRUE(is_readable(fd)) << point;
        EXPECT_EQ(writes_into(fd), 1u) << point;
    }
}

TEST_P(descriptor_ring, a_receiver_that_stands_still_over_its_room_is_not_waited_for) {
    for (const char* point : {"ring.publish", "ring.published"}) {
        auto channel = weir::sync_channel<uint64_t>(*GetParam().capacity);
        auto& tx = channel.tx;
        auto& rx = channel.rx;
        event_fd fd(tx);
        while (tx.try_send(1u)) {
        }
        halt here("receiver", point);
        actor receiver("receiver", [&] { EXPECT_TRUE(rx.try_recv()); });
        here.wait_until_there();
        fd.clear();
        EXPECT_EQ(is_readable(fd), std::string(point) == "ring.published");
        here.let_go();
        receiver.join();
        EXPECT_TRUE(is_readable(fd)) << point;
        EXPECT_EQ(writes_into(fd), 1u) << point;
    }
}

} // namespace
