// SPDX-License-Identifier: BSL-1.0
//
// Event loops against threads: nothing is lost and no wake is, with poll and epoll, level and edge triggered, whether a loop
// clears before it drains or after; and a descriptor is written at most once a clear.
// WEIR_TEST_TIMES makes the messages so many times as many.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../conformance/support/traffic.hpp"
#include "support/descriptors.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using namespace posix;
using std::uint64_t;

namespace {

enum class loop { poll, level, edge };
enum class order { clear_first, drain_first };

// Counts all writes of the program while it lives.
class counted_writes {
public:
    counted_writes() {
        count_ = 0;
        weir::detail::injected.store(&reach, std::memory_order_release);
    }
    counted_writes(const counted_writes&) = delete;
    counted_writes& operator=(const counted_writes&) = delete;
    ~counted_writes() { weir::detail::injected.store(nullptr, std::memory_order_release); }

    static uint64_t value() { return count_; }

private:
    static void reach(const char* point) noexcept {
        if (std::strcmp(point, "descriptor.signal") == 0)
            ++count_;
    }
    static inline std::atomic<uint64_t> count_{0};
};

// Waits for one descriptor, as a loop of that kind does.
class waits_for {
public:
    waits_for(loop kind, const event_fd& fd) : kind_(kind), fd_(fd) {
        if (kind != loop::poll)
            set_.emplace().add(fd, kind == loop::edge);
    }
    bool wait() { return kind_ == loop::poll ? becomes_readable(fd_) : set_->wait(patience).has_value(); }

private:
    loop kind_;
    const event_fd& fd_;
    std::optional<epoll> set_;
};

class loops : public testing::TestWithParam<std::tuple<flavor, loop, order>> {
protected:
    flavor which() const { return std::get<0>(GetParam()); }
    loop kind() const { return std::get<1>(GetParam()); }
    bool clears_first() const { return std::get<2>(GetParam()) == order::clear_first; }

    // One turn of the loop; drain(): until there is nothing, or no room.
    template <class Drain>
    void turn(waits_for& loop, event_fd& fd, Drain drain) {
        ASSERT_TRUE(loop.wait()) << "a wake was lost";
        if (clears_first())
            fd.clear();
        drain();
        if (!clears_first())
            fd.clear();
        ++clears_;
    }
    // At most one a clear; without one before the first no loop would have begun.
    void expect_few_writes(const counted_writes& writes, uint64_t descriptors) const {
        std::printf("%llu clears, %llu writes\n", static_cast<unsigned long long>(clears_),
                    static_cast<unsigned long long>(writes.value()));
        EXPECT_GE(writes.value(), 1u);
        EXPECT_LE(writes.value(), clears_ + descriptors);
    }

    uint64_t clears_ = 0;
};

std::string loop_name(const testing::TestParamInfo<loops::ParamType>& info) {
    static const char* const kinds[] = {"poll", "level", "edge"};
    return std::get<0>(info.param).name() + "_" + kinds[static_cast<int>(std::get<1>(info.param))] +
           (std::get<2>(info.param) == order::clear_first ? "_clear_first" : "_drain_first");
}

INSTANTIATE_TEST_SUITE_P(all, loops,
                         testing::Combine(testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{2}, flavor{64}),
                                          testing::Values(loop::poll, loop::level, loop::edge),
                                          testing::Values(order::clear_first, order::drain_first)),
                         loop_name);

TEST_P(loops, a_receiving_loop_gets_all_that_threads_send) {
    constexpr std::size_t producers = 3;
    const std::size_t each = scaled(20'000) * times();
    const counted_writes writes;
    auto [tx, rx] = open<uint64_t>(which());
    event_fd fd(rx);
    waits_for loop(kind(), fd);
    std::vector<std::unique_ptr<worker>> threads;
    for (uint64_t producer = 0; producer < producers; ++producer) {
        threads.push_back(std::make_unique<worker>([out = tx, producer, each]() mutable {
            for (uint64_t i = 0; i < each; ++i)
                EXPECT_TRUE(out.send(producer << 32 | i));
            out.reset();
        }));
    }
    tx.reset();
    std::vector<uint64_t> next(producers);
    bool is_over = false;
    while (!is_over) {
        ASSERT_NO_FATAL_FAILURE(turn(loop, fd, [&, &in = rx] {
            auto message = in.try_recv();
            for (; message; message = in.try_recv())
                EXPECT_EQ(*message & 0xffffffff, next[*message >> 32]++);
            is_over = message.error() == weir::try_recv_error::disconnected;
        }));
    }
    for (const uint64_t count : next)
        EXPECT_EQ(count, each);
    expect_few_writes(writes, 1);
}

TEST_P(loops, a_sending_loop_sends_all_to_a_thread) {
    if (which().is_unbounded())
        return; // has no descriptor
    const std::size_t all = scaled(30'000) * times();
    const counted_writes writes;
    auto [tx, rx] = weir::sync_channel<uint64_t>(*which().capacity);
    event_fd fd(tx);
    waits_for loop(kind(), fd);
    worker receives([&, &in = rx] {
        for (uint64_t i = 0; i < all; ++i)
            EXPECT_EQ(in.recv().value(), i);
        EXPECT_EQ(outcome(in.recv()), channel_errc::disconnected);
    });
    for (uint64_t next = 0; next < all;) {
        ASSERT_NO_FATAL_FAILURE(turn(loop, fd, [&, &out = tx] {
            while (next < all && out.try_send(next))
                ++next;
        }));
    }
    tx.reset();
    receives.join();
    expect_few_writes(writes, 1);
}

TEST_P(loops, two_loops_pass_messages_on_to_one_another) {
    if (which().is_unbounded() || which().is_rendezvous())
        return; // ends that both wait by descriptor do not meet
    const std::size_t all = scaled(20'000) * times();
    auto [tx, rx] = weir::sync_channel<uint64_t>(*which().capacity);
    event_fd sending(tx);
    event_fd receiving(rx);
    worker receives([&, &in = rx, kind = kind(), first = clears_first()] {
        waits_for loop(kind, receiving);
        for (uint64_t next = 0; next < all;) {
            ASSERT_TRUE(loop.wait()) << "a wake was lost";
            if (first)
                receiving.clear();
            while (const auto message = in.try_recv())
                EXPECT_EQ(*message, next++);
            if (!first)
                receiving.clear();
        }
    });
    waits_for loop(kind(), sending);
    for (uint64_t next = 0; next < all;) {
        ASSERT_NO_FATAL_FAILURE(turn(loop, sending, [&, &out = tx] {
            while (next < all && out.try_send(next))
                ++next;
        }));
    }
}

// Descriptors that come and go while messages are under way: who tells may be in the middle of it.
TEST_P(loops, descriptors_come_and_go_under_traffic) {
    auto [tx, rx] = open<uint64_t>(which());
    const std::size_t all = scaled(5'000) * times();
    std::atomic<uint64_t> sent{0};
    worker sends([&, out = std::exchange(tx, {})]() mutable {
        for (uint64_t i = 0; i < all; ++i) {
            EXPECT_TRUE(out.send(i));
            ++sent;
        }
        out.reset();
    });
    event_fd lasting(rx);
    waits_for loop(kind(), lasting);
    uint64_t next = 0;
    bool is_over = false;
    while (!is_over) {
        std::optional<event_fd> passing(std::in_place, rx);
        ASSERT_NO_FATAL_FAILURE(turn(loop, lasting, [&, &in = rx] {
            auto message = in.try_recv();
            if (message) {
                EXPECT_EQ(*message, next++);
            }
            is_over = !message && message.error() == weir::try_recv_error::disconnected;
        }));
        // One message a turn: where it was cleared before, it is readable again.
        if (next % 2 == 0)
            passing.reset();
    }
    EXPECT_EQ(next, all);
}

// A set of many ends, each with its own producer.
TEST(event_loop, serves_many_channels) {
    for (const bool edge : {false, true}) {
        constexpr std::uint32_t count = 20;
        const std::size_t each = scaled(2'000);
        struct entry {
            weir::receiver<uint64_t> rx;
            event_fd fd;
            uint64_t next = 0;
        };
        std::vector<entry> entries;
        std::vector<any_sender<uint64_t>> senders;
        epoll set;
        for (std::uint32_t i = 0; i < count; ++i) {
            auto channel = open<uint64_t>(i % 3 == 0 ? flavor{} : flavor{i % 3});
            event_fd fd(channel.rx);
            set.add(fd, edge, i);
            entries.push_back({std::move(channel.rx), std::move(fd), 0});
            senders.push_back(std::move(channel.tx));
        }
        const worker sends([&] {
            for (uint64_t i = 0; i < each; ++i) {
                for (const auto& tx : senders)
                    EXPECT_TRUE(tx.send(i));
            }
            senders.clear();
        });
        for (std::uint32_t open_ones = count; open_ones > 0;) {
            const auto key = set.wait(patience);
            ASSERT_TRUE(key) << "a wake was lost";
            entry& ready = entries[*key];
            if (!ready.rx)
                continue; // it is over, and told so again
            ready.fd.clear();
            auto message = ready.rx.try_recv();
            for (; message; message = ready.rx.try_recv())
                EXPECT_EQ(*message, ready.next++);
            if (message.error() == weir::try_recv_error::disconnected) {
                EXPECT_EQ(ready.next, each);
                ready.rx.reset();
                ready.fd = event_fd(weir::never<int>());
                --open_ones;
            }
        }
    }
}

} // namespace
