// SPDX-License-Identifier: BSL-1.0
//
// Loops over a receiver, and taking many messages at once.

#include <array>
#include <concepts>
#include <iterator>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

using move_only = std::unique_ptr<uint64_t>;
using iterator = decltype(std::declval<weir::receiver<move_only>&>().begin());
static_assert(std::ranges::input_range<weir::receiver<move_only>>);
static_assert(std::ranges::input_range<weir::receiver<int>>);
static_assert(!std::ranges::forward_range<weir::receiver<int>>);
static_assert(std::input_iterator<iterator>);
static_assert(std::movable<iterator> && !std::copyable<iterator>);
static_assert(std::same_as<std::iter_reference_t<iterator>, move_only&&>);
static_assert(std::same_as<std::iter_value_t<iterator>, move_only>);
static_assert(std::sentinel_for<std::default_sentinel_t, iterator>);
static_assert(std::same_as<decltype(std::declval<const weir::receiver<int>&>().end()), std::default_sentinel_t>);
using try_range = decltype(std::declval<weir::receiver<move_only>&>().try_iter());
static_assert(std::ranges::input_range<try_range>);

class iteration : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, iteration, every_flavor(), flavor_name);
class iteration_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, iteration_buffered, buffered_flavors(), flavor_name);

TEST_P(iteration, a_loop_runs_until_the_senders_are_gone) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto feeder = feed(std::move(tx), 0, 500);
    uint64_t expected = 0;
    for (auto value : rx)
        EXPECT_EQ(value, expected++);
    EXPECT_EQ(expected, 500u);
    for ([[maybe_unused]] auto value : rx)
        ADD_FAILURE() << "a second loop ends at once";
}

TEST_P(iteration, a_loop_moves_messages_out) {
    auto [tx, rx] = open<move_only>(GetParam());
    worker sends([handle = std::move(tx)] {
        for (uint64_t i = 0; i < 100; ++i)
            EXPECT_TRUE(handle.send(std::make_unique<uint64_t>(i)));
    });
    std::vector<move_only> kept;
    for (auto message : rx)
        kept.push_back(std::move(message));
    ASSERT_EQ(kept.size(), 100u);
    for (std::size_t i = 0; i < 100; ++i)
        EXPECT_EQ(*kept[i], i);
}

TEST_P(iteration, a_message_nobody_moved_out_is_destroyed_with_its_turn) {
    tally all;
    {
        auto [tx, rx] = open<counted>(GetParam());
        worker sends([&, handle = std::move(tx)] {
            for (uint64_t i = 0; i < 20; ++i)
                EXPECT_TRUE(handle.send(counted(all, i)));
        });
        uint64_t seen = 0;
        for (auto&& message : rx) {
            EXPECT_TRUE(message.holds());
            EXPECT_EQ(message.value(), seen);
            EXPECT_EQ(all.dropped, seen);
            ++seen;
        }
        EXPECT_EQ(seen, 20u);
        EXPECT_EQ(all.dropped, 20u);
    }
    EXPECT_EQ(all.made, all.gone);
}

TEST_P(iteration, leaving_a_loop_early_loses_nothing) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto feeder = feed(std::move(tx), 0, 30);
    std::vector<uint64_t> got;
    for (auto value : rx) {
        got.push_back(value);
        if (got.size() == 3)
            break;
    }
    got.push_back(rx.recv().value());
    for (auto value : rx) {
        got.push_back(value);
        if (got.size() == 10)
            break;
    }
    for (auto value : rx)
        got.push_back(value);
    std::vector<uint64_t> expected(30);
    std::iota(expected.begin(), expected.end(), uint64_t{0});
    EXPECT_EQ(got, expected);
}

TEST_P(iteration, loops_may_nest) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto feeder = feed(std::move(tx), 0, 9);
    std::vector<uint64_t> got;
    for (auto outer : rx) {
        got.push_back(outer);
        for (auto inner : rx) {
            got.push_back(inner);
            if (got.size() % 3 == 0)
                break;
        }
    }
    EXPECT_EQ(got, (std::vector<uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

// A sender remains: a fourth message would be waited for, for ever.
TEST_P(iteration, take_takes_exactly_as_many_and_waits_for_no_more) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto feeder = feed(tx, 0, 5);
    std::vector<uint64_t> got;
    for (auto value : rx | std::views::take(3))
        got.push_back(value);
    EXPECT_EQ(got, (std::vector<uint64_t>{0, 1, 2}));
    EXPECT_EQ(rx.recv().value(), 3u);
    EXPECT_EQ(rx.recv().value(), 4u);
    for (auto value : rx | std::views::take(0))
        ADD_FAILURE() << value;
}

TEST_P(iteration, views_compose) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto feeder = feed(std::move(tx), 0, 10);
    std::vector<uint64_t> got;
    for (auto value : rx | std::views::filter([](const uint64_t& n) { return n % 2 == 1; }) |
                          std::views::transform([](uint64_t n) { return n * n; })) {
        got.push_back(value);
    }
    EXPECT_EQ(got, (std::vector<uint64_t>{1, 9, 25, 49, 81}));
}

TEST_P(iteration, an_iterator_moves_with_its_message) {
    auto [tx, rx] = open<move_only>(GetParam());
    worker sends([handle = std::move(tx)] {
        for (uint64_t i = 0; i < 3; ++i)
            EXPECT_TRUE(handle.send(std::make_unique<uint64_t>(i)));
    });
    auto first = rx.begin();
    ASSERT_FALSE(first == std::default_sentinel);
    ASSERT_FALSE(first == std::default_sentinel) << "asking twice takes one";
    EXPECT_EQ(**first, 0u);
    auto second = std::move(first);
    EXPECT_EQ(**second, 0u);
    ++second;
    ASSERT_TRUE(second != std::default_sentinel);
    EXPECT_EQ(**second, 1u);
    first = std::move(second);
    const move_only kept = *first;
    EXPECT_EQ(*kept, 1u);
    first++;
    EXPECT_EQ(**first, 2u) << "the message is fetched where nobody asked before";
    ++first;
    EXPECT_TRUE(first == std::default_sentinel);
}

// The message is taken when the loop asks for it, and the room it had is free while the body runs.
TEST_P(iteration_buffered, the_body_of_a_loop_may_use_the_room) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (uint64_t i = 0; i < GetParam().capacity.value_or(1); ++i)
        EXPECT_TRUE(tx.send(0));
    uint64_t turns = 0;
    for (auto&& value : rx) {
        if (value == 1)
            break;
        EXPECT_EQ(outcome(tx.try_send(++turns < 5 ? 0u : 1u)), ok);
        EXPECT_EQ(rx.len(), GetParam().capacity.value_or(1));
    }
    EXPECT_GE(turns, 5u);
}

TEST_P(iteration_buffered, closing_in_a_loop_ends_it_after_what_is_queued) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t queued = GetParam().room(3);
    for (uint64_t i = 0; i < queued; ++i)
        EXPECT_TRUE(tx.send(i));
    uint64_t expected = 0;
    for (auto value : rx) {
        EXPECT_EQ(value, expected++);
        rx.close();
    }
    EXPECT_EQ(expected, queued);
}

TEST_P(iteration, a_loop_may_drop_the_last_sender) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker sends([&tx] { EXPECT_TRUE(tx.send(1)); });
    std::size_t turns = 0;
    for ([[maybe_unused]] auto value : rx) {
        ++turns;
        sends.join();
        tx.reset();
    }
    EXPECT_EQ(turns, 1u);
}

TEST_P(iteration_buffered, try_iter_takes_what_is_there_and_never_waits) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (auto value : rx.try_iter())
        ADD_FAILURE() << value;
    const std::size_t queued = GetParam().room(2000);
    for (uint64_t i = 0; i < queued; ++i)
        EXPECT_TRUE(tx.send(i));
    uint64_t expected = 0;
    for (auto value : rx.try_iter())
        EXPECT_EQ(value, expected++);
    EXPECT_EQ(expected, queued);
    EXPECT_TRUE(tx.send(5));
    for (auto value : rx.try_iter() | std::views::take(1))
        EXPECT_EQ(value, 5u);
    tx.reset();
    for (auto value : rx.try_iter())
        ADD_FAILURE() << value;
}

TEST_P(iteration_buffered, recv_many_takes_what_is_there_up_to_max) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t queued = GetParam().room(2000);
    for (uint64_t i = 0; i < queued; ++i)
        EXPECT_TRUE(tx.send(i));
    std::vector<uint64_t> got;
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 0).value(), 0u);
    EXPECT_EQ(rx.len(), queued);
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 1).value(), 1u);
    if (queued > 1) {
        EXPECT_EQ(rx.recv_many(std::back_inserter(got), queued).value(), queued - 1);
    }
    ASSERT_EQ(got.size(), queued);
    for (std::size_t i = 0; i < queued; ++i)
        ASSERT_EQ(got[i], i);
    EXPECT_TRUE(tx.send(9));
    tx.reset();
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 10).value(), 1u);
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 10).error(), weir::recv_error::disconnected);
}

TEST_P(iteration, recv_many_of_nothing_returns_at_once) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    std::vector<uint64_t> got;
    EXPECT_EQ(rx.recv_many(std::back_inserter(got), 0).value(), 0u);
    EXPECT_TRUE(got.empty());
}

TEST_P(iteration, recv_many_waits_for_the_first_message_and_then_no_more) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker receives([&rx] {
        uint64_t out[8] = {};
        EXPECT_EQ(rx.recv_many(out, 8).value(), 1u);
        EXPECT_EQ(out[0], 5u);
    });
    receives.wait_until_asleep();
    EXPECT_TRUE(tx.send(5));
}

TEST_P(iteration, recv_many_frees_room_for_waiting_senders) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t count = scaled(5000);
    auto feeder = feed(std::move(tx), 0, count);
    std::vector<uint64_t> got;
    while (rx.recv_many(std::back_inserter(got), 100)) {
    }
    ASSERT_EQ(got.size(), count);
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(got[i], i);
}

// Writes to `where`; the write numbered `failing` throws instead.
struct failing_output {
    using difference_type = std::ptrdiff_t;
    std::vector<uint64_t>* where;
    std::size_t failing;
    failing_output& operator*() { return *this; }
    failing_output& operator++() { return *this; }
    failing_output operator++(int) { return *this; }
    failing_output& operator=(counted&& message) {
        if (where->size() == failing)
            throw std::runtime_error("no more room here");
        where->push_back(message.value());
        return *this;
    }
};

TEST_P(iteration_buffered, a_write_that_throws_loses_its_own_message_only) {
    tally all;
    {
        auto [tx, rx] = open<counted>(GetParam());
        const std::size_t queued = GetParam().room(50);
        const std::size_t failing = queued / 2;
        for (uint64_t i = 0; i < queued; ++i)
            EXPECT_TRUE(tx.send(counted(all, i)));
        std::vector<uint64_t> got;
        EXPECT_THROW(static_cast<void>(rx.recv_many(failing_output{&got, failing}, 100)), std::runtime_error);
        EXPECT_EQ(got.size(), failing);
        EXPECT_EQ(rx.len(), queued - failing - 1);
        for (uint64_t i = failing + 1; i < queued; ++i)
            EXPECT_EQ(rx.try_recv().value().value(), i);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
        for (uint64_t i = 0; i < queued; ++i)
            EXPECT_EQ(outcome(tx.try_send(counted(all, i))), ok) << "all room is back";
    }
    EXPECT_EQ(all.made, all.gone);
}

TEST(iteration_of_a_rendezvous, a_write_that_throws_leaves_the_senders_not_yet_served) {
    tally all;
    {
        auto [tx, rx] = open<counted>(flavor{0});
        std::vector<std::unique_ptr<worker>> threads;
        for (uint64_t i = 0; i < 3; ++i) {
            threads.push_back(std::make_unique<worker>([&, i] { EXPECT_TRUE(tx.send(counted(all, i))); }));
            threads.back()->wait_until_asleep();
        }
        std::vector<uint64_t> got;
        EXPECT_THROW(static_cast<void>(rx.recv_many(failing_output{&got, 1}, 100)), std::runtime_error);
        EXPECT_EQ(got.size(), 1u);
        EXPECT_TRUE(rx.try_recv());
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
    EXPECT_EQ(all.made, all.gone);
}

TEST(iteration_of_a_temporary, a_receiver_that_owns_itself_is_a_view) {
    auto [tx, rx] = weir::channel<uint64_t>();
    for (uint64_t i = 0; i < 5; ++i)
        EXPECT_TRUE(tx.send(i));
    tx.reset();
    uint64_t sum = 0;
    for (auto value : std::move(rx) | std::views::transform([](uint64_t n) { return n + 1; }))
        sum += value;
    EXPECT_EQ(sum, 15u);
}

// The usual way to take what has come meanwhile: a loop inside the loop. Each iterator keeps the message it stands on.
template <class Message, class Make, class Number>
void loop_inside_a_loop(const flavor& which, Make make, Number number) {
    auto [tx, rx] = open<Message>(which);
    worker sends([handle = std::move(tx), make] {
        for (uint64_t i = 0; i < 20; ++i)
            EXPECT_TRUE(handle.send(make(i)));
    });
    uint64_t expected = 0;
    for (auto&& outer : rx) {
        const uint64_t first = expected++;
        EXPECT_EQ(number(outer), first);
        for (auto&& inner : rx.try_iter()) {
            EXPECT_EQ(number(inner), expected++);
            for (auto&& innermost : rx.try_iter())
                EXPECT_EQ(number(innermost), expected++);
        }
        EXPECT_EQ(number(outer), first);
    }
    EXPECT_EQ(expected, 20u);
}
TEST_P(iteration, a_loop_inside_a_loop_leaves_the_outer_message_alone) {
    loop_inside_a_loop<move_only>(
        GetParam(), [](uint64_t i) { return std::make_unique<uint64_t>(i); }, [](const move_only& m) { return *m; });
    using large = std::array<uint64_t, 20>;
    loop_inside_a_loop<large>(
        GetParam(), [](uint64_t i) { return large{i}; }, [](const large& m) { return m[0]; });
}

// A message whose destructor takes the messages behind it out of the same channel.
struct chain {
    chain(weir::receiver<chain>& from, int& gone) : from_(&from), gone_(&gone) {}
    chain(chain&& other) noexcept : from_(std::exchange(other.from_, nullptr)), gone_(other.gone_) {}
    chain(const chain&) = delete;
    chain& operator=(const chain&) = delete;
    chain& operator=(chain&&) = delete;
    ~chain() {
        if (from_ == nullptr)
            return;
        ++*gone_;
        for ([[maybe_unused]] auto&& next : from_->try_iter())
            break;
    }

private:
    weir::receiver<chain>* from_;
    int* gone_;
};
TEST_P(iteration_buffered, the_destructor_of_a_message_may_loop_over_the_channel) {
    int gone = 0;
    const auto count = static_cast<int>(GetParam().room(10));
    auto [tx, rx] = open<chain>(GetParam());
    for (int i = 0; i < count; ++i)
        EXPECT_TRUE(tx.send(chain(rx, gone)));
    for ([[maybe_unused]] auto&& first : rx)
        break;
    EXPECT_EQ(gone, count);
}

TEST_P(iteration_buffered, an_iterator_has_an_arrow) {
    auto [tx, rx] = open<move_only>(GetParam());
    EXPECT_TRUE(tx.send(std::make_unique<uint64_t>(7)));
    auto it = rx.begin();
    EXPECT_EQ(*it->get(), 7u);
}

} // namespace
