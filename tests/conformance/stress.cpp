// SPDX-License-Identifier: BSL-1.0
//
// Many messages from many producers, sent and received in every way at once.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class stress : public testing::TestWithParam<flavor> {};
INSTANTIATE_TEST_SUITE_P(flavors, stress, every_flavor(), flavor_name);

// One message in a way that depends on its number; returns when it went in.
void send_somehow(const any_sender<counted>& tx, tally& all, uint64_t producer, uint64_t number) {
    counted message(all, producer << 32 | number);
    switch (number % 64) {
    case 10:
        while (!tx.try_send(std::move(message)))
            std::this_thread::yield();
        break;
    case 20:
        while (!tx.send_timeout(std::move(message), std::chrono::microseconds(number % 50))) {
            EXPECT_TRUE(message.holds());
        }
        break;
    case 30: {
        const auto clone = tx;
        EXPECT_TRUE(clone.send(std::move(message)));
        break;
    }
    case 40: {
        const auto locked = tx.downgrade().lock();
        EXPECT_TRUE(locked.send_deadline(std::move(message), std::chrono::steady_clock::now() + patience));
        break;
    }
#if WEIR_HAS_STOP_TOKEN
    case 50: {
        std::stop_source stop;
        EXPECT_TRUE(tx.send(std::move(message), stop.get_token()));
        break;
    }
#endif
    default:
        EXPECT_TRUE(tx.send(std::move(message)));
    }
    EXPECT_FALSE(message.holds());
}

// Checks each message that arrives: it holds its value, and it is its producer's next.
class arrivals {
public:
    explicit arrivals(std::size_t producers) : next_(producers, 0) {}
    void take(counted&& message) {
        const auto producer = static_cast<std::size_t>(message.value() >> 32);
        const uint64_t number = message.value() & 0xffffffffu;
        if (!message.holds() || producer >= next_.size() || number != next_[producer])
            ++wrong_;
        if (producer < next_.size())
            next_[producer] = number + 1;
        ++count_;
    }
    uint64_t count() const { return count_; }
    uint64_t wrong() const { return wrong_; }

    // An output iterator, for recv_many.
    struct output {
        using difference_type = std::ptrdiff_t;
        arrivals* where;
        output& operator*() { return *this; }
        output& operator++() { return *this; }
        output operator++(int) { return *this; }
        output& operator=(counted&& message) {
            where->take(std::move(message));
            return *this;
        }
    };

private:
    std::vector<uint64_t> next_;
    uint64_t count_ = 0;
    uint64_t wrong_ = 0;
};

void receive_all(weir::receiver<counted> rx, arrivals& seen) {
    for (std::size_t turn = 0;; ++turn) {
        channel_errc came_to = ok;
        const auto take = [&](auto&& got) {
            if (got)
                seen.take(std::move(*got));
            came_to = outcome(got);
        };
        switch (turn % 32) {
        case 3:
            take(rx.try_recv());
            break;
        case 7:
            take(rx.recv_timeout(std::chrono::microseconds(turn % 40)));
            break;
        case 11:
            take(rx.recv_deadline(std::chrono::steady_clock::now() + patience));
            break;
        case 15:
        case 16:
        case 17:
            came_to = outcome(rx.recv_many(arrivals::output{&seen}, turn % 30));
            break;
        case 19:
            for (auto&& message : rx) {
                seen.take(std::move(message));
                if (seen.count() % 5 == 0)
                    break;
            }
            break;
        case 23:
            for (auto&& message : rx.try_iter()) {
                seen.take(std::move(message));
                if (seen.count() % 50 == 0)
                    break;
            }
            break;
#if WEIR_HAS_STOP_TOKEN
        case 27: {
            std::stop_source stop;
            take(rx.recv(stop.get_token()));
            break;
        }
#endif
        default:
            take(rx.recv());
        }
        if (came_to == channel_errc::disconnected)
            break;
    }
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
}

void expect_every_message_once(const flavor& which, std::size_t producers, std::size_t messages) {
    const std::size_t each = scaled(messages) / producers + 1;
    tally all;
    arrivals seen(producers);
    {
        auto [tx, rx] = open<counted>(which);
        std::vector<std::unique_ptr<worker>> threads;
        for (std::size_t producer = 0; producer < producers; ++producer) {
            threads.push_back(std::make_unique<worker>([&all, handle = tx, producer, each]() mutable {
                for (std::size_t i = 0; i < each; ++i)
                    send_somehow(handle, all, producer, i);
                handle.reset();
            }));
        }
        tx.reset();
        receive_all(std::move(rx), seen);
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
