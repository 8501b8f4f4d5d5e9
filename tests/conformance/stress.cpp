// SPDX-License-Identifier: BSL-1.0
//
// Many messages from many producers, sent and received in every way at once.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"
#include "support/traffic.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class stress : public testing::TestWithParam<flavor> {};
INSTANTIATE_TEST_SUITE_P(flavors, stress, every_flavor(), flavor_name);

void expect_every_message_once(const flavor& which, std::size_t producers, std::size_t messages) {
    const std::size_t each = scaled(messages) / producers + 1;
    tally all;
    arrivals seen(producers);
    {
        auto [tx, rx] = open<counted>(which);
        std::vector<std::unique_ptr<worker>> threads;
        for (std::size_t producer = 0; producer < producers; ++producer) {
            threads.push_back(std::make_unique<worker>([&all, handle = tx, producer, each]() mutable {
                stops never;
                for (std::size_t i = 0; i < each; ++i) {
                    counted message(all, arrivals::value_of(producer, i));
                    EXPECT_EQ(send_somehow(handle, message, i, never), ok);
                    EXPECT_FALSE(message.holds());
                }
                handle.reset();
            }));
        }
        tx.reset();
        stops never;
        EXPECT_EQ(receive_somehow(rx, seen, never), channel_errc::disconnected);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    }
    EXPECT_EQ(seen.wrong(), 0u);
    EXPECT_EQ(seen.count(), producers * each);
    EXPECT_EQ(all.made, all.gone);
    EXPECT_EQ(all.dropped, producers * each);
}

// Each message arrives once and in its producer's order: 10^6 messages a flavor. The more producers, the more of the
// messages change the thread.
TEST_P(stress, one_producer) { expect_every_message_once(GetParam(), 1, 500000); }
TEST_P(stress, two_producers) { expect_every_message_once(GetParam(), 2, 200000); }
TEST_P(stress, four_producers) { expect_every_message_once(GetParam(), 4, 150000); }
TEST_P(stress, eight_producers) { expect_every_message_once(GetParam(), 8, 100000); }
TEST_P(stress, sixteen_producers) { expect_every_message_once(GetParam(), 16, 50000); }

// The receiver goes at some point in the traffic: each message is received, destroyed, or still its sender's.
TEST_P(stress, the_receiver_leaving_in_full_traffic_loses_count_of_nothing) {
    for (std::size_t round = 0; round < scaled(150); ++round) {
        constexpr std::size_t producers = 4;
        tally all;
        std::atomic<uint64_t> sent{0};
        std::atomic<uint64_t> kept{0};
        {
            auto [tx, rx] = open<counted>(GetParam());
            std::vector<std::unique_ptr<worker>> threads;
            for (std::size_t producer = 0; producer < producers; ++producer) {
                threads.push_back(std::make_unique<worker>([&, handle = tx] {
                    for (uint64_t i = 0;; ++i) {
                        counted message(all, i);
                        const auto came_to = i % 2 == 0 ? outcome(handle.send(std::move(message)))
                                                        : outcome(handle.send_timeout(std::move(message), 20us));
                        EXPECT_EQ(message.holds(), came_to != ok);
                        came_to == ok ? ++sent : ++kept;
                        if (came_to == channel_errc::disconnected)
                            break;
                    }
                }));
            }
            auto receiver = std::move(rx);
            for (std::size_t i = 0; i < round * 7; ++i)
                EXPECT_TRUE(receiver.recv());
            receiver.reset();
            threads.clear();
        }
        ASSERT_EQ(all.made, all.gone);
        ASSERT_EQ(all.dropped, sent + kept);
    }
}

// A string may be moved by its sender's thread or, while that waits, by the receiver's: it is whole either way, and still its
// sender's where the time is up before.
TEST_P(stress, strings_arrive_whole_and_in_order_whoever_moves_them) {
    const auto text_of = [](char producer, uint64_t number) {
        const std::string filling(number % 2 * 40, '.'); // with memory of its own, and without
        return producer + std::to_string(number) + filling;
    };
    constexpr uint64_t each = scaled(10000);
    const std::string producers = "abcd";
    auto [tx, rx] = open<std::string>(GetParam());
    std::vector<std::unique_ptr<worker>> threads;
    for (const char producer : producers) {
        threads.push_back(std::make_unique<worker>([&text_of, handle = tx, producer] {
            for (uint64_t i = 0; i < each; ++i) {
                const std::string expected = text_of(producer, i);
                std::string text = expected;
                while (i % 3 == 0 && outcome(handle.send_timeout(std::move(text), 20us)) != ok)
                    ASSERT_EQ(text, expected);
                if (i % 3 != 0) {
                    ASSERT_EQ(outcome(i % 3 == 1 ? handle.send(std::move(text)) : handle.send(expected)), ok);
                }
            }
        }));
    }
    tx.reset();
    std::map<char, uint64_t> next;
    for (const std::string& text : rx)
        ASSERT_EQ(text, text_of(text.front(), next[text.front()]++));
    for (const char producer : producers)
        EXPECT_EQ(next[producer], each);
}

// Handles are cloned, dropped and locked while others send; the count comes out even.
TEST_P(stress, senders_come_and_go) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t each = scaled(3000);
    constexpr uint64_t producers = 4;
    std::vector<std::unique_ptr<worker>> threads;
    for (uint64_t producer = 0; producer < producers; ++producer) {
        threads.push_back(std::make_unique<worker>([handle = tx]() mutable {
            for (uint64_t i = 0; i < each; ++i) {
                auto clone = handle;
                auto weak = clone.downgrade();
                handle.reset();
                EXPECT_TRUE(clone.send(i));
                handle = weak.lock();
                EXPECT_TRUE(handle);
                clone.reset();
            }
            handle.reset();
        }));
    }
    tx.reset();
    uint64_t received = 0;
    for ([[maybe_unused]] auto value : rx)
        ++received;
    EXPECT_EQ(received, each * producers);
    EXPECT_EQ(rx.sender_count(), 0u);
}

} // namespace
