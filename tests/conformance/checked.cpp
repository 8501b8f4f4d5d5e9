// SPDX-License-Identifier: BSL-1.0
//
// Two threads in one receiver at once end the program, in a message that names the call.

#define WEIR_CHECKED 1

#include <unistd.h>

#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "support/flavor.hpp"
#include "support/mixed.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;

namespace {

class checked_death : public flavor_test {
protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
INSTANTIATE_TEST_SUITE_P(flavors, checked_death, testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}),
                         flavor_name);

// Calls `second` on a receiver in which another thread waits.
template <class Second>
void intrude(const flavor& which, Second second) {
    alarm(60); // ends the child that was to die and waits instead
    auto [tx, rx] = open<message>(which);
    worker waits([&rx] { static_cast<void>(rx.recv()); });
    waits.wait_until_asleep();
    second(rx);
    static_cast<void>(tx.send(message{1})); // reached where nothing was caught; lets the other thread go
}

TEST_P(checked_death, a_second_thread_in_recv) {
    EXPECT_DEATH(intrude(GetParam(), [](auto& rx) { static_cast<void>(rx.recv()); }), "weir.*recv");
}
TEST_P(checked_death, a_second_thread_in_try_recv) {
    EXPECT_DEATH(intrude(GetParam(), [](auto& rx) { static_cast<void>(rx.try_recv()); }), "weir.*try_recv");
}
TEST_P(checked_death, a_second_thread_in_recv_timeout) {
    EXPECT_DEATH(intrude(GetParam(), [](auto& rx) { static_cast<void>(rx.recv_timeout(1ms)); }), "weir.*recv_timeout");
}
TEST_P(checked_death, a_second_thread_in_recv_many) {
    EXPECT_DEATH(intrude(GetParam(),
                         [](auto& rx) {
                             std::vector<message> out;
                             static_cast<void>(rx.recv_many(std::back_inserter(out), 1));
                         }),
                 "weir.*recv_many");
}
TEST_P(checked_death, a_second_thread_in_a_select) {
    EXPECT_DEATH(intrude(GetParam(), [](auto& rx) { weir::select(weir::on_recv(rx, [](auto) {})); }), "weir.*select");
}
TEST_P(checked_death, a_thread_in_a_receiver_that_a_select_waits_for) {
    const auto receive_beside_a_select = [](const flavor& which) {
        alarm(60);
        auto [tx, rx] = open<message>(which);
        worker waits([&in = rx] { weir::select(weir::on_recv(in, [](auto) {}), weir::on_recv(in, [](auto) {})); });
        waits.wait_until_asleep();
        static_cast<void>(rx.try_recv());
        static_cast<void>(tx.send(message{1}));
    };
    EXPECT_DEATH(receive_beside_a_select(GetParam()), "weir.*try_recv");
}
TEST_P(checked_death, a_second_thread_in_close) {
    EXPECT_DEATH(intrude(GetParam(), [](auto& rx) { rx.close(); }), "weir.*close");
}
TEST_P(checked_death, a_second_thread_in_a_loop) {
    EXPECT_DEATH(intrude(GetParam(),
                         [](auto& rx) {
                             for ([[maybe_unused]] auto value : rx)
                                 break;
                         }),
                 "weir");
}

// Nor does it matter to others that a part of the program is compiled without the check.
TEST_P(checked_death, an_unchecked_part_of_the_program_works_beside_this) {
    auto [tx, rx] = open<message>(GetParam());
    worker sends([handle = std::move(tx)] { EXPECT_TRUE(handle.send(message{1})); });
    receive_unchecked(rx);
    EXPECT_TRUE(rx.is_disconnected());
}

// One thread after another is no misuse, nor is what a receiver's own loop body does with it.
TEST_P(checked_death, one_thread_at_a_time_is_let_through) {
    auto [tx, rx] = open<message>(GetParam());
    for (int turn = 0; turn < 20; ++turn) {
        worker receives([&] { EXPECT_EQ(rx.recv().value().number, turn); });
        EXPECT_TRUE(tx.send(message{turn}));
    }
    worker sends([&tx] {
        for (int i = 0; i < 4; ++i)
            EXPECT_TRUE(tx.send(message{i}));
    });
    for (auto outer : rx) {
        EXPECT_EQ(outer.number, 0);
        EXPECT_EQ(rx.recv().value().number, 1);
        EXPECT_EQ(rx.recv_timeout(patience).value().number, 2);
        for (auto inner : rx) {
            EXPECT_EQ(inner.number, 3);
            break;
        }
        break;
    }
}

} // namespace
