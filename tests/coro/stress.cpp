// SPDX-License-Identifier: BSL-1.0
//
// Threads and coroutines at both ends of one channel, coroutines that are destroyed while they are served, and every message
// accounted for. WEIR_TEST_TIMES makes the rounds so many times as many.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
#include "../conformance/support/threads.hpp"
#include "../conformance/support/traffic.hpp"
#include "support/task.hpp"

using namespace conformance;
using namespace coro;
using std::uint64_t;

namespace {

std::size_t how_often(std::size_t native) { return scaled(native) * times(); }

class coroutine_stress : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, coroutine_stress,
                         testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{2}, flavor{64}), flavor_name);

task send_numbered(any_sender<counted> tx, tally& messages, uint64_t producer, uint64_t count, run_queue& queue) {
    const handles<counted> to(tx);
    for (uint64_t i = 0; i < count; ++i) {
        counted message(messages, arrivals::value_of(producer, i));
        std::expected<void, weir::send_error> sent;
        if (to.unbounded != nullptr)
            sent = co_await weir::async_send(*to.unbounded, std::move(message));
        else if (i % 2 == 0)
            sent = co_await weir::async_send(*to.bounded, std::move(message));
        else
            sent = co_await weir::resume_on(weir::async_send(*to.bounded, std::move(message)), queued{&queue});
        EXPECT_TRUE(sent);
    }
    tx.reset();
}

task receive_numbered(weir::receiver<counted>& rx, arrivals& seen, run_queue& queue) {
    for (uint64_t i = 0;; ++i) {
        std::expected<counted, weir::recv_error> next = std::unexpected(weir::recv_error::disconnected);
        if (i % 2 == 0) {
            auto got = co_await weir::async_recv(rx);
            if (!got)
                co_return;
            seen.take(std::move(*got));
        } else {
            auto got = co_await weir::resume_on(weir::async_recv(rx), queued{&queue});
            if (!got)
                co_return;
            seen.take(std::move(*got));
        }
    }
}

// However long it takes, as long as messages move.
bool ends_or_stands_still(const task& waited_for, const tally& messages) {
    for (;;) {
        const uint64_t before = messages.made;
        if (waited_for.ends())
            return true;
        if (messages.made == before)
            return false;
    }
}

TEST_P(coroutine_stress, threads_and_coroutines_send_and_one_or_the_other_receives) {
    for (const bool receives_in_coroutine : {true, false}) {
        const uint64_t each = how_often(20000);
        tally messages;
        {
            run_queue queue;
            worker runs([&] { queue.run_until_end(); });
            auto [tx, rx] = open<counted>(GetParam());
            arrivals seen(4);
            task receives;
            if (receives_in_coroutine)
                receives = receive_numbered(rx, seen, queue);
            std::vector<task> sends(2);
            std::vector<std::unique_ptr<worker>> threads;
            for (uint64_t producer = 0; producer < 4; ++producer) {
                threads.push_back(std::make_unique<worker>([&, producer, handle = tx]() mutable {
                    if (producer < 2) {
                        sends[producer] = send_numbered(std::move(handle), messages, producer, each, queue);
                        return;
                    }
                    for (uint64_t i = 0; i < each; ++i)
                        EXPECT_TRUE(handle.send(counted(messages, arrivals::value_of(producer, i))));
                    handle.reset();
                }));
            }
            tx.reset();
            if (receives_in_coroutine) {
                EXPECT_TRUE(ends_or_stands_still(receives, messages));
            } else {
                for (auto&& message : rx)
                    seen.take(std::move(message));
            }
            threads.clear();
            for (const task& each_task : sends)
                EXPECT_TRUE(each_task.ends());
            EXPECT_EQ(seen.count(), 4 * each);
            EXPECT_EQ(seen.wrong(), 0u);
            queue.end();
        }
        EXPECT_EQ(messages.made, messages.gone);
    }
}

// ---- Ends of waits against deliveries ----
//
// One thread delivers, this one ends the wait, both as fast as they can: a receive loses no message, a send succeeds or keeps its
// value. Each test prints how often either was first.

void report(std::size_t rounds, uint64_t delivered) {
    std::printf("%zu rounds, %llu delivered\n", rounds, static_cast<unsigned long long>(delivered));
}
// Another time each round, so that the end comes before the delivery, with it, or after.
void pause_for(std::size_t round) {
    for (std::size_t pauses = 0; pauses < round % 128; ++pauses)
        weir::detail::pause();
}

// Keeps the handle of the coroutine that was woken, and does nothing with it.
class slot {
public:
    void put(std::coroutine_handle<> handle) { address_.store(handle.address(), std::memory_order_release); }

private:
    std::atomic<void*> address_{nullptr};
};
struct to_slot {
    slot* where;
    void operator()(std::coroutine_handle<> handle) const noexcept { where->put(handle); }
};

// However it ends, it ends soon.
bool ends_soon(const task& waited_for) {
    for (int i = 0; i < 1000 && !waited_for.has_ended(); ++i)
        std::this_thread::yield();
    return waited_for.ends();
}

// A thread that sends 0, 1, 2 and so on.
class numbers {
public:
    explicit numbers(any_sender<uint64_t> tx) : thread_([this, tx] { send_to(tx); }) {}

    // How many went in.
    uint64_t end() {
        has_ended_ = true;
        thread_.join();
        return sent_;
    }

private:
    void send_to(const any_sender<uint64_t>& tx) {
        for (; !has_ended_; ++sent_) {
            for (auto result = tx.try_send(sent_); !result; result = tx.try_send(sent_)) {
                if (has_ended_)
                    return;
            }
            for (uint64_t i = 0; i < sent_ % 64; ++i)
                weir::detail::pause();
        }
    }

    std::atomic<bool> has_ended_{false};
    uint64_t sent_ = 0;
    worker thread_;
};

// Each round makes a receive, and ends it; what it has received follows what was received before.
template <class Round>
void expect_all_received(const flavor& of, std::size_t rounds, Round round) {
    auto [tx, rx] = open<uint64_t>(of);
    numbers sends(tx);
    uint64_t expected = 0;
    uint64_t wrong = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        if (const std::optional<uint64_t> got = round(rx, i))
            wrong += *got == expected++ ? 0 : 1;
    }
    report(rounds, expected);
    const uint64_t sent = sends.end();
    while (const auto rest = rx.try_recv())
        wrong += *rest == expected++ ? 0 : 1;
    EXPECT_EQ(expected, sent);
    EXPECT_EQ(wrong, 0u);
}

TEST_P(coroutine_stress, a_receive_that_is_destroyed_while_it_is_served_loses_nothing) {
    const auto receive = [](weir::receiver<uint64_t>& rx, slot& woken, std::optional<uint64_t>& got) -> task {
        if (const auto message = co_await weir::resume_on(weir::async_recv(rx), to_slot{&woken}))
            got = *message;
    };
    expect_all_received(GetParam(), how_often(100000), [&](weir::receiver<uint64_t>& rx, std::size_t round) {
        slot woken;
        std::optional<uint64_t> got;
        task receives = receive(rx, woken, got);
        pause_for(round);
        receives.destroy();
        return got;
    });
}

TEST_P(coroutine_stress, a_receive_that_is_stopped_while_it_is_served_loses_nothing) {
    const auto receive = [](weir::receiver<uint64_t>& rx, std::stop_token stop, std::optional<uint64_t>& got) -> task {
        const auto message = co_await weir::async_recv(rx, stop);
        if (message)
            got = *message;
        else
            EXPECT_EQ(message.error(), weir::recv_stop_error::stopped);
    };
    expect_all_received(GetParam(), how_often(100000), [&](weir::receiver<uint64_t>& rx, std::size_t round) {
        std::stop_source stop;
        std::optional<uint64_t> got;
        const task receives = receive(rx, stop.get_token(), got);
        pause_for(round);
        stop.request_stop();
        EXPECT_TRUE(ends_soon(receives));
        return got;
    });
}

// A value that tells whether it was sent.
struct telling {
    telling(std::atomic<bool>& told, uint64_t value) : is_sent(&told), number(value) {}
    telling(telling&& other) noexcept : number(other.number) {
        if (std::atomic<bool>* const told = std::exchange(other.is_sent, nullptr))
            told->store(true);
    }
    std::atomic<bool>* is_sent = nullptr;
    uint64_t number;
};

// Each round makes a send, and ends it. Another thread sends too, and gets the room that one leaves.
template <class Round>
void expect_all_sent(const flavor& of, std::size_t rounds, Round round) {
    auto [tx, rx] = open<telling>(of);
    std::atomic<uint64_t> received{0};
    std::atomic<uint64_t> wrong{0};
    worker receives([&] {
        uint64_t last = 0;
        while (const auto got = rx.recv()) {
            wrong += got->number > last || got->number == ~uint64_t{0} ? 0 : 1;
            last = got->number == ~uint64_t{0} ? last : got->number;
            ++received;
        }
    });
    worker competes([&, handle = tx]() mutable {
        std::atomic<bool> told{false};
        for (std::size_t i = 0; i < rounds / 4; ++i)
            EXPECT_TRUE(handle.send(telling(told, ~uint64_t{0})));
        handle.reset();
    });
    uint64_t sent = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        std::atomic<bool> is_sent{false};
        telling message(is_sent, i + 1);
        round(*handles<telling>(tx).bounded, message, i);
        sent += is_sent ? 1 : 0;
    }
    report(rounds, sent);
    tx.reset();
    competes.join();
    receives.join();
    EXPECT_EQ(received, sent + rounds / 4);
    EXPECT_EQ(wrong, 0u);
}

TEST_P(coroutine_stress, a_send_that_is_destroyed_while_it_is_served_is_sent_or_not_and_the_next_gets_its_room) {
    if (GetParam().is_unbounded())
        return;
    const auto send = [](const weir::sync_sender<telling>& to, telling& message, slot& woken) -> task {
        static_cast<void>(co_await weir::resume_on(weir::async_send(to, std::move(message)), to_slot{&woken}));
    };
    const auto round = [&](const weir::sync_sender<telling>& tx, telling& message, std::size_t number) {
        slot woken;
        task sends = send(tx, message, woken);
        pause_for(number);
        sends.destroy();
    };
    expect_all_sent(GetParam(), how_often(50000), round);
}

TEST_P(coroutine_stress, a_send_that_is_stopped_while_it_is_served_is_sent_or_not_and_the_next_gets_its_room) {
    if (GetParam().is_unbounded())
        return;
    const auto send = [](const weir::sync_sender<telling>& to, telling& message, std::stop_token stop) -> task {
        const auto sent = co_await weir::async_send(to, std::move(message), stop);
        EXPECT_EQ(sent.has_value(), message.is_sent == nullptr);
    };
    const auto round = [&](const weir::sync_sender<telling>& tx, telling& message, std::size_t number) {
        std::stop_source stop;
        const task sends = send(tx, message, stop.get_token());
        pause_for(number);
        stop.request_stop();
        EXPECT_TRUE(ends_soon(sends));
    };
    expect_all_sent(GetParam(), how_often(50000), round);
}

// The coroutine goes on in the thread of the timers, this one looks at the receiver and closes it.
TEST(coroutines_timers, a_tick_is_looked_at_and_closed_by_another_thread) {
    using clock = std::chrono::steady_clock;
    const auto receive = [](weir::receiver<clock::time_point>& rx, std::atomic<uint64_t>& count,
                            clock::time_point& last) -> task {
        for (;;) {
            const auto tick = co_await weir::async_recv(rx);
            if (!tick) {
                EXPECT_EQ(tick.error(), weir::recv_error::disconnected);
                co_return;
            }
            EXPECT_GT(*tick, last);
            last = *tick;
            ++count;
        }
    };
    const std::size_t rounds = how_often(200);
    for (std::size_t round = 0; round < rounds; ++round) {
        auto rx = weir::tick(std::chrono::microseconds(20));
        std::atomic<uint64_t> count{0};
        auto last = clock::time_point::min();
        task receives = receive(rx, count, last);
        EXPECT_TRUE(eventually([&] { return rx.len() <= 1 && count > round % 8; }));
        rx.close();
        EXPECT_TRUE(rx.is_disconnected());
        const auto closed = clock::now();
        ASSERT_TRUE(receives.ends());
        EXPECT_LE(last, closed);
    }
}

} // namespace
