// SPDX-License-Identifier: BSL-1.0
//
// Threads and coroutines at both ends of one channel, coroutines that are destroyed while they are served, and every message
// accounted for. WEIR_TEST_TIMES makes the rounds so many times as many.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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

// One thread sends, one resumes, and this one destroys the receiving coroutine and makes another: each message is received
// once, in order.
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

task receive_next(weir::receiver<uint64_t>& rx, slot& woken, uint64_t& got, bool& has_got) {
    const auto message = co_await weir::resume_on(weir::async_recv(rx), to_slot{&woken});
    if (message) {
        got = *message;
        has_got = true;
    }
}

TEST_P(coroutine_stress, a_receive_that_is_destroyed_while_it_is_served_loses_nothing) {
    const std::size_t rounds = how_often(100000);
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::atomic<bool> has_ended{false};
    std::atomic<uint64_t> sent{0};
    worker sends([&] {
        for (uint64_t number = 0; !has_ended; ++number) {
            for (auto result = tx.try_send(number); !result; result = tx.try_send(number)) {
                if (has_ended)
                    return;
            }
            sent = number + 1;
            for (uint64_t i = 0; i < number % 64; ++i)
                weir::detail::pause();
        }
    });
    uint64_t expected = 0;
    uint64_t wrong = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        slot woken;
        uint64_t got = 0;
        bool has_got = false;
        task receives = receive_next(rx, woken, got, has_got);
        for (std::size_t pauses = 0; pauses < i % 128; ++pauses)
            weir::detail::pause();
        receives.destroy();
        if (has_got)
            wrong += got == expected++ ? 0 : 1;
    }
    has_ended = true;
    sends.join();
    while (const auto rest = rx.try_recv())
        wrong += *rest == expected++ ? 0 : 1;
    EXPECT_EQ(expected, sent);
    EXPECT_EQ(wrong, 0u);
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

TEST_P(coroutine_stress, a_send_that_is_destroyed_while_it_is_served_is_sent_or_not_and_the_next_gets_its_room) {
    if (GetParam().is_unbounded())
        return;
    const std::size_t rounds = how_often(50000);
    auto [tx, rx] = open<telling>(GetParam());
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
    uint64_t sent = rounds / 4;
    const auto send = [](const weir::sync_sender<telling>& to, telling& message, slot& woken) -> task {
        static_cast<void>(co_await weir::resume_on(weir::async_send(to, std::move(message)), to_slot{&woken}));
    };
    for (std::size_t i = 0; i < rounds; ++i) {
        slot woken;
        std::atomic<bool> is_sent{false};
        telling message(is_sent, i + 1);
        task sends = send(*handles<telling>(tx).bounded, message, woken);
        for (std::size_t pauses = 0; pauses < i % 128; ++pauses)
            weir::detail::pause();
        sends.destroy();
        sent += is_sent ? 1 : 0;
    }
    tx.reset();
    competes.join();
    receives.join();
    EXPECT_EQ(received, sent);
    EXPECT_EQ(wrong, 0u);
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
