// SPDX-License-Identifier: BSL-1.0
//
// In which order messages arrive, and what has happened before they do.

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <vector>

#include "support/flavor.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class order : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, order, every_flavor(), flavor_name);
class order_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, order_bounded, bounded_flavors(), flavor_name);

struct note {
    std::size_t producer;
    std::size_t number;
};

TEST_P(order, one_producers_messages_arrive_as_sent) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr std::size_t count = scaled(10000);
    auto feeder = feed(std::move(tx), 0, count);
    for (uint64_t i = 0; i < count; ++i)
        ASSERT_EQ(rx.recv().value(), i);
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
}

// Whichever way each message is sent and received.
TEST_P(order, ways_to_send_and_receive_keep_one_order) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t count = scaled(3000);
    worker sends([&, clone = tx] {
        for (uint64_t i = 0; i < count; ++i) {
            const auto& handle = i % 3 == 0 ? clone : tx;
            switch (i % 5) {
            case 0:
                EXPECT_TRUE(handle.send(i));
                break;
            case 1:
                EXPECT_TRUE(handle.emplace(i));
                break;
            case 2:
                EXPECT_TRUE(handle.send_timeout(i, patience));
                break;
            case 3:
                EXPECT_TRUE(handle.send_deadline(i, std::chrono::steady_clock::now() + patience));
                break;
            default:
                while (!handle.try_send(i))
                    std::this_thread::yield();
            }
        }
    });
    std::vector<uint64_t> got;
    got.reserve(count + 7);
    while (got.size() < count) {
        switch (got.size() % 5) {
        case 0:
            got.push_back(rx.recv().value());
            break;
        case 1:
            got.push_back(rx.recv_timeout(patience).value());
            break;
        case 2:
            EXPECT_TRUE(rx.recv_many(std::back_inserter(got), std::min<std::size_t>(7, count - got.size())));
            break;
        case 3:
            for (auto value : rx.try_iter()) {
                got.push_back(value);
                if (got.size() % 5 == 4)
                    break;
            }
            if (got.size() % 5 == 3)
                got.push_back(rx.recv().value());
            break;
        default:
            for (auto value : rx) {
                got.push_back(value);
                break;
            }
        }
    }
    ASSERT_EQ(got.size(), count);
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(got[i], i);
}

TEST_P(order, each_producers_messages_arrive_as_sent) {
    constexpr std::size_t producers = 4;
    constexpr std::size_t each = scaled(2500);
    auto [tx, rx] = open<note>(GetParam());
    std::vector<std::unique_ptr<worker>> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
        threads.push_back(std::make_unique<worker>([handle = tx, producer] {
            for (std::size_t i = 0; i < each; ++i)
                EXPECT_TRUE(handle.send(note{producer, i}));
        }));
    }
    tx.reset();
    std::size_t next[producers] = {};
    for (auto message : rx) {
        ASSERT_EQ(message.number, next[message.producer]);
        ++next[message.producer];
    }
    for (const std::size_t reached : next)
        EXPECT_EQ(reached, each);
}

// Of two sends on different threads the first to return arrives first, when it returned before the other began.
TEST_P(order, arrival_agrees_with_the_real_time_order_of_the_sends) {
    struct span {
        uint64_t begin;
        uint64_t end;
    };
    constexpr std::size_t producers = 4;
    constexpr std::size_t each = scaled(2500);
    auto [tx, rx] = open<note>(GetParam());
    std::atomic<uint64_t> clock{0};
    std::vector<std::vector<span>> sends(producers, std::vector<span>(each));
    std::vector<note> arrived;
    arrived.reserve(producers * each);
    {
        std::vector<std::unique_ptr<worker>> threads;
        for (std::size_t producer = 0; producer < producers; ++producer) {
            threads.push_back(std::make_unique<worker>([&, handle = tx, producer] {
                for (std::size_t i = 0; i < each; ++i) {
                    span& when = sends[producer][i];
                    when.begin = clock.fetch_add(1);
                    EXPECT_TRUE(handle.send(note{producer, i}));
                    when.end = clock.fetch_add(1);
                }
            }));
        }
        tx.reset();
        for (auto message : rx)
            arrived.push_back(message);
    }
    ASSERT_EQ(arrived.size(), producers * each);
    // From the last to the first: no later arrival had returned before this send began.
    uint64_t earliest_end = std::numeric_limits<uint64_t>::max();
    for (std::size_t i = arrived.size(); i-- > 0;) {
        const span& when = sends[arrived[i].producer][arrived[i].number];
        ASSERT_GT(earliest_end, when.begin) << "overtaken at " << i;
        earliest_end = std::min(earliest_end, when.end);
    }
}

// The same, with the order made certain: each thread sends after it saw the other's send return.
TEST_P(order, two_threads_that_take_turns_arrive_in_turn) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t count = scaled(3000);
    std::atomic<uint64_t> turn{0};
    const auto play = [&turn](const any_sender<uint64_t>& handle, uint64_t first) {
        for (uint64_t i = first; i < count; i += 2) {
            for (uint64_t seen = turn.load(); seen != i; seen = turn.load())
                turn.wait(seen);
            EXPECT_TRUE(handle.send(i));
            turn.store(i + 1);
            turn.notify_one();
        }
    };
    worker even([&play, handle = tx] { play(handle, 0); });
    worker odd([&play, handle = tx] { play(handle, 1); });
    worker noise([&, handle = tx] {
        while (handle.send(count + 1))
            std::this_thread::sleep_for(20us);
    });
    auto receiver = std::move(rx); // goes before the threads are joined, and so ends them
    uint64_t expected = 0;
    while (expected < count) {
        const uint64_t got = receiver.recv().value();
        if (got == count + 1)
            continue;
        ASSERT_EQ(got, expected);
        ++expected;
    }
}

// All that a thread did before a send is there for whoever received the message; what stands in plain memory is what
// the thread sanitizer looks at.
TEST_P(order, what_came_before_a_send_is_seen_after_its_receive) {
    auto [tx, rx] = open<uint64_t*>(GetParam());
    constexpr std::size_t count = scaled(5000);
    std::vector<uint64_t> written(count, 0);
    worker sends([&] {
        for (std::size_t i = 0; i < count; ++i) {
            written[i] = i + 1;
            EXPECT_TRUE(tx.send(&written[i]));
        }
    });
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(*rx.recv().value(), i + 1);
}

// A receive that frees room happens before the send that uses it.
TEST_P(order_bounded, what_came_before_a_receive_is_seen_by_the_send_that_uses_its_room) {
    const std::size_t capacity = *GetParam().capacity;
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t count = capacity + scaled(3000);
    std::vector<uint64_t> written(count, 0);
    worker sends([&] {
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_TRUE(tx.send(i));
            // This message went where receive number i - capacity made room.
            if (i >= capacity) {
                EXPECT_EQ(written[i - capacity], i - capacity + 1);
            }
        }
    });
    for (std::size_t i = 0; i < count; ++i) {
        written[i] = i + 1;
        ASSERT_EQ(rx.recv().value(), i);
    }
}

// Two threads that answer each other over two channels sleep and wake in every phase of the other's send: a wake that
// gets lost ends in a hang.
// uxlfoundation/oneTBB#2136: no barrier between "I sleep" and "I sent".
TEST_P(order, an_answer_always_finds_its_waiter) {
    auto [ask, asked] = open<uint64_t>(GetParam());
    auto [answer, answered] = open<uint64_t>(GetParam());
    constexpr uint64_t rounds = scaled(2000);
    const auto work_for = [](uint64_t microseconds) {
        const stopwatch watch;
        while (watch.elapsed() < std::chrono::microseconds(microseconds)) {
        }
    };
    worker answers([&] {
        for (auto question : asked) {
            work_for(question * 7 % 120);
            EXPECT_TRUE(answer.send(question + 1));
        }
    });
    const auto asks = std::move(ask); // goes before the thread is joined, and so ends it
    for (uint64_t i = 0; i < rounds; ++i) {
        ASSERT_TRUE(asks.send(i));
        work_for(i * 11 % 50);
        const auto got = answered.recv_timeout(patience);
        ASSERT_TRUE(got) << "round " << i;
        ASSERT_EQ(*got, i + 1);
    }
}

// golang.org/test/chan/sieve1.go: a channel a prime, a thread a channel.
TEST_P(order, a_sieve_of_threads_finds_the_primes) {
    std::vector<uint64_t> primes;
    std::vector<std::unique_ptr<worker>> threads;
    auto first = open<uint64_t>(GetParam());
    auto source = std::move(first.rx);
    worker numbers([tx = std::move(first.tx)]() mutable {
        for (uint64_t i = 2; tx.send(i); ++i) {
        }
    });
    while (primes.size() < 15) {
        const uint64_t prime = source.recv().value();
        primes.push_back(prime);
        auto next = open<uint64_t>(GetParam());
        threads.push_back(std::make_unique<worker>([prime, in = std::move(source), out = std::move(next.tx)]() mutable {
            for (auto value : in) {
                if (value % prime != 0 && !out.send(value))
                    break;
            }
        }));
        source = std::move(next.rx);
    }
    source.reset(); // and every stage ends because its sends fail
    EXPECT_EQ(primes, (std::vector<uint64_t>{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47}));
}

} // namespace
