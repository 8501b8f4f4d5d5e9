// SPDX-License-Identifier: BSL-1.0
//
// What the operations and the observers say, one thread at a time or nearly so.

#include <array>
#include <concepts>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "support/flavor.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

using text = std::unique_ptr<int>;

static_assert(std::same_as<weir::sender<int>::value_type, int>);
static_assert(std::same_as<weir::sync_sender<int>::value_type, int>);
static_assert(std::same_as<weir::receiver<int>::value_type, int>);
static_assert(std::is_nothrow_default_constructible_v<weir::sender<text>>);
static_assert(std::is_nothrow_copy_constructible_v<weir::sender<text>>);
static_assert(std::is_nothrow_move_constructible_v<weir::sender<text>>);
static_assert(std::is_nothrow_copy_assignable_v<weir::sync_sender<text>>);
static_assert(std::is_nothrow_move_assignable_v<weir::sync_sender<text>>);
static_assert(std::is_nothrow_copy_constructible_v<weir::weak_sender<text>>);
static_assert(std::is_nothrow_default_constructible_v<weir::weak_sync_sender<text>>);
static_assert(std::is_nothrow_default_constructible_v<weir::receiver<text>>);
static_assert(std::is_nothrow_move_constructible_v<weir::receiver<text>>);
static_assert(std::is_nothrow_move_assignable_v<weir::receiver<text>>);
static_assert(!std::copyable<weir::receiver<int>>);
static_assert(!std::convertible_to<weir::sender<int>, bool>, "the conversion to bool is explicit");

template <class Tx, class Value>
concept can_send = requires(const Tx& tx, Value&& value) {
    tx.send(std::forward<Value>(value));
};
static_assert(can_send<weir::sender<std::string>, const char*>);
static_assert(!can_send<weir::sender<std::string>, int>);
static_assert(can_send<weir::sender<text>, text>);
static_assert(!can_send<weir::sender<text>, const text&>, "a move-only message cannot be copied in");
static_assert(!can_send<weir::sync_sender<text>, text&>);

template <class Tx, class... Args>
concept can_emplace = requires(const Tx& tx, Args&&... args) {
    tx.emplace(std::forward<Args>(args)...);
};
static_assert(can_emplace<weir::sync_sender<std::string>, std::size_t, char>);
static_assert(!can_emplace<weir::sync_sender<std::string>, void*>);

class basic : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, basic, every_flavor(), flavor_name);
class basic_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, basic_buffered, buffered_flavors(), flavor_name);
class basic_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, basic_bounded, bounded_flavors(), flavor_name);
class basic_ring : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, basic_ring, ring_flavors(), flavor_name);

TEST_P(basic, a_new_channel_is_empty_and_connected) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    EXPECT_TRUE(tx && rx);
    EXPECT_EQ(tx.capacity(), GetParam().capacity);
    EXPECT_EQ(rx.capacity(), GetParam().capacity);
    EXPECT_EQ(tx.len(), 0u);
    EXPECT_EQ(rx.len(), 0u);
    EXPECT_TRUE(tx.is_empty() && rx.is_empty());
    EXPECT_FALSE(tx.is_disconnected());
    EXPECT_FALSE(rx.is_disconnected());
    EXPECT_EQ(tx.sender_count(), 1u);
    EXPECT_EQ(rx.sender_count(), 1u);
    EXPECT_EQ(rx.try_recv().error(), weir::try_recv_error::empty);
    EXPECT_EQ(rx.recv_timeout(1ms).error(), weir::recv_timeout_error::timeout);
}

TEST_P(basic, a_message_sent_is_the_message_received) {
    auto [tx, rx] = open<std::string>(GetParam());
    worker sends([&] {
        const std::string kept = "copied from a constant";
        std::string other = "copied from a variable";
        EXPECT_TRUE(tx.send(std::string("moved")));
        EXPECT_TRUE(tx.send(kept));
        EXPECT_TRUE(tx.send(other));
        EXPECT_TRUE(tx.send("converted"));
        EXPECT_TRUE(tx.send({"xyz", 1}));
        EXPECT_TRUE(tx.emplace(3u, 'y'));
        EXPECT_TRUE(tx.emplace());
        EXPECT_TRUE(tx.send_timeout("in time", patience));
        EXPECT_TRUE(tx.send_deadline("before the end", std::chrono::steady_clock::now() + patience));
        EXPECT_EQ(kept, "copied from a constant");
        EXPECT_EQ(other, "copied from a variable");
    });
    EXPECT_EQ(rx.recv().value(), "moved");
    EXPECT_EQ(rx.recv().value(), "copied from a constant");
    EXPECT_EQ(rx.recv().value(), "copied from a variable");
    EXPECT_EQ(rx.recv_timeout(patience).value(), "converted");
    EXPECT_EQ(rx.recv().value(), "x");
    EXPECT_EQ(rx.recv_deadline(std::chrono::steady_clock::now() + patience).value(), "yyy");
    EXPECT_EQ(rx.recv().value(), "");
    EXPECT_EQ(rx.recv().value(), "in time");
    EXPECT_EQ(rx.recv().value(), "before the end");
}

TEST_P(basic, a_receiver_waits_for_the_message) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker receives([&] { EXPECT_EQ(rx.recv().value(), 7u); });
    receives.wait_until_asleep();
    EXPECT_TRUE(tx.send(7));
}

TEST_P(basic, try_send_and_try_emplace_deliver) {
    auto [tx, rx] = open<std::string>(GetParam());
    worker receives([&] {
        EXPECT_EQ(rx.recv().value(), "one");
        EXPECT_EQ(rx.recv().value(), "xx");
    });
    EXPECT_TRUE(eventually([&] { return outcome(tx.try_send("one")) == ok; }));
    EXPECT_TRUE(eventually([&] { return outcome(tx.try_emplace(2u, 'x')) == ok; }));
}

TEST_P(basic, senders_on_many_threads_share_one_handle) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t each = 200;
    const auto& shared = tx;
    uint64_t sum = 0;
    {
        const auto send_all = [&shared] {
            for (uint64_t i = 1; i <= each; ++i)
                EXPECT_TRUE(shared.send(i));
            EXPECT_EQ(shared.sender_count(), 1u);
        };
        worker first(send_all);
        worker second(send_all);
        worker third(send_all);
        for (uint64_t i = 0; i < 3 * each; ++i)
            sum += rx.recv().value();
    }
    EXPECT_EQ(sum, 3 * each * (each + 1) / 2);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
}

TEST_P(basic, both_ends_may_move_to_other_threads) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker sends([moved = std::move(tx)] { EXPECT_TRUE(moved.send(1)); });
    worker receives([moved = std::move(rx)]() mutable {
        EXPECT_EQ(moved.recv().value(), 1u);
        EXPECT_EQ(outcome(moved.recv()), channel_errc::disconnected);
    });
    EXPECT_FALSE(tx); // NOLINT(bugprone-use-after-move): what moving leaves is the point
    EXPECT_FALSE(rx); // NOLINT(bugprone-use-after-move)
}

TEST_P(basic, a_channel_travels_through_a_channel) {
    auto [outer, nested] = open<ends<uint64_t>>(GetParam());
    worker sends([&] { EXPECT_TRUE(outer.send(open<uint64_t>(GetParam()))); });
    auto inner = nested.recv().value();
    auto feeder = feed(std::move(inner.tx), 5, 1);
    EXPECT_EQ(inner.rx.recv().value(), 5u);
    EXPECT_EQ(outcome(inner.rx.recv()), channel_errc::disconnected);
}

TEST_P(basic, a_chain_of_threads_hands_a_message_along) {
    // Each stage receives, adds one and sends on.
    constexpr uint64_t stages = 20;
    constexpr uint64_t messages = 20;
    auto first = open<uint64_t>(GetParam());
    std::vector<std::unique_ptr<worker>> threads;
    auto last = std::move(first.rx);
    for (uint64_t i = 0; i < stages; ++i) {
        auto next = open<uint64_t>(GetParam());
        threads.push_back(std::make_unique<worker>([in = std::move(last), out = std::move(next.tx)]() mutable {
            for (auto value : in)
                EXPECT_TRUE(out.send(value + 1));
        }));
        last = std::move(next.rx);
    }
    auto feeder = feed(std::move(first.tx), 0, messages);
    for (uint64_t i = 0; i < messages; ++i)
        EXPECT_EQ(last.recv().value(), i + stages);
    EXPECT_EQ(outcome(last.recv()), channel_errc::disconnected);
}

TEST_P(basic_bounded, exactly_capacity_messages_fit) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t capacity = *GetParam().capacity;
    // Several laps, and a start that is not the first slot.
    for (uint64_t lap = 0; lap < 5; ++lap) {
        for (uint64_t i = 0; i < capacity; ++i)
            EXPECT_TRUE(tx.try_send(i));
        EXPECT_EQ(outcome(tx.try_send(99)), channel_errc::full);
        EXPECT_EQ(outcome(tx.send_timeout(99, 0ms)), channel_errc::timeout);
        for (uint64_t i = 0; i < capacity; ++i)
            EXPECT_EQ(rx.try_recv().value(), i);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
        if (capacity == 0)
            continue;
        EXPECT_TRUE(tx.try_send(7));
        EXPECT_EQ(rx.try_recv().value(), 7u);
    }
}

TEST_P(basic_ring, one_receive_makes_room_for_one_message) {
    const std::size_t capacity = *GetParam().capacity;
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (uint64_t i = 0; i < capacity; ++i)
        EXPECT_TRUE(tx.try_send(i));
    for (uint64_t i = 0; i < 3 * capacity; ++i) {
        EXPECT_EQ(rx.try_recv().value(), i);
        EXPECT_TRUE(tx.try_send(capacity + i));
        EXPECT_EQ(outcome(tx.try_send(0)), channel_errc::full);
        EXPECT_EQ(tx.len(), capacity);
    }
}

// tokio-rs/tokio#6602: len and is_empty were wrong where a block of the queue ended.
TEST_P(basic_buffered, len_follows_every_send_and_receive) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t most = GetParam().room(8000); // more than two blocks of a list
    for (int lap = 0; lap < 2; ++lap) {
        for (std::size_t i = 0; i < most; ++i) {
            ASSERT_EQ(tx.len(), i);
            ASSERT_EQ(rx.len(), i);
            ASSERT_EQ(rx.is_empty(), i == 0);
            ASSERT_TRUE(tx.try_send(i));
            ASSERT_FALSE(tx.is_empty());
        }
        for (std::size_t i = 0; i < most; ++i) {
            ASSERT_EQ(tx.len(), most - i);
            ASSERT_EQ(rx.len(), most - i);
            ASSERT_FALSE(rx.is_empty());
            ASSERT_EQ(rx.try_recv().value(), i);
        }
        ASSERT_TRUE(rx.is_empty() && tx.is_empty());
        ASSERT_EQ(rx.len(), 0u);
    }
}

TEST_P(basic, len_of_a_rendezvous_stays_zero_and_no_other_exceeds_its_capacity) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t most = GetParam().capacity.value_or(50);
    worker sends([&] {
        for (uint64_t i = 0; i < 50; ++i)
            EXPECT_TRUE(tx.send(i));
    });
    for (uint64_t i = 0; i < 50; ++i) {
        EXPECT_LE(rx.len(), most);
        EXPECT_EQ(rx.recv().value(), i);
        EXPECT_LE(tx.len(), most);
    }
    EXPECT_EQ(rx.len(), 0u);
}

// crossbeam-rs/crossbeam 9d42394: the closed mark was lost where a block of the queue ended.
TEST_P(basic_buffered, closing_holds_after_any_number_of_messages) {
    using message = std::array<uint64_t, 4>; // a block of a list holds less than a thousand
    constexpr std::size_t most = scaled(1100);
    const std::size_t room = GetParam().room(most);
    for (std::size_t sent = 0; sent <= room; ++sent) {
        auto [tx, rx] = open<message>(GetParam());
        for (std::size_t i = 0; i < sent; ++i)
            ASSERT_TRUE(tx.try_send(message{i}));
        rx.close();
        for (int again = 0; again < 3; ++again)
            ASSERT_EQ(outcome(tx.try_send(message{})), channel_errc::disconnected);
        ASSERT_TRUE(tx.is_disconnected());
        ASSERT_EQ(rx.len(), sent);
        for (std::size_t i = 0; i < sent; ++i)
            ASSERT_EQ(rx.try_recv().value(), message{i});
        ASSERT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
        ASSERT_EQ(outcome(tx.send(message{})), channel_errc::disconnected);
        ASSERT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    }
}

// Positions and laps go round: a capacity that is no power of two, more messages than 16 or 20 bits count.
TEST_P(basic_buffered, messages_keep_their_order_over_many_laps) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t laps = scaled(std::size_t{1} << 21);
    const uint64_t ahead = GetParam().room(7);
    for (uint64_t i = 0; i < laps; ++i) {
        ASSERT_TRUE(tx.try_send(i));
        if (i + 1 >= ahead) {
            ASSERT_EQ(rx.try_recv().value(), i + 1 - ahead);
        }
    }
}

TEST_P(basic, sender_count_follows_clones) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    {
        auto second = tx;
        auto third = second;
        EXPECT_EQ(rx.sender_count(), 3u);
        EXPECT_EQ(third.sender_count(), 3u);
        auto moved = std::move(third);
        EXPECT_EQ(rx.sender_count(), 3u);
        second.reset();
        EXPECT_EQ(rx.sender_count(), 2u);
        second = moved;
        EXPECT_EQ(rx.sender_count(), 3u);
    }
    EXPECT_EQ(rx.sender_count(), 1u);
    EXPECT_FALSE(rx.is_disconnected());
    tx.reset();
    EXPECT_EQ(rx.sender_count(), 0u);
    EXPECT_TRUE(rx.is_disconnected());
}

TEST_P(basic, same_channel_tells_channels_apart) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto [other_tx, other_rx] = open<uint64_t>(GetParam());
    const auto clone = tx;
    EXPECT_TRUE(tx.same_channel(clone));
    EXPECT_TRUE(tx.same_channel(tx));
    EXPECT_FALSE(tx.same_channel(other_tx));
    EXPECT_TRUE(tx.is_of(rx));
    EXPECT_TRUE(clone.is_of(rx));
    EXPECT_FALSE(tx.is_of(other_rx));
    EXPECT_FALSE(any_sender<uint64_t>().same_channel(any_sender<uint64_t>()));
    EXPECT_FALSE(tx.same_channel(any_sender<uint64_t>()));
}

TEST_P(basic, the_receiver_gone_is_seen_by_every_send) {
    auto [tx, rx] = open<text>(GetParam());
    const auto clone = tx;
    rx.reset();
    EXPECT_FALSE(rx);
    auto value = std::make_unique<int>(5);
    const int* const before = value.get();
    EXPECT_EQ(tx.send(std::move(value)).error(), weir::send_error::disconnected);
    EXPECT_EQ(tx.try_send(std::move(value)).error(), weir::try_send_error::disconnected);
    EXPECT_EQ(tx.send_timeout(std::move(value), 1h).error(), weir::send_timeout_error::disconnected);
    EXPECT_EQ(clone.send_deadline(std::move(value), std::chrono::steady_clock::now() + 1h).error(),
              weir::send_timeout_error::disconnected);
    EXPECT_EQ(clone.emplace(std::move(value)).error(), weir::send_error::disconnected);
    EXPECT_EQ(clone.try_emplace(std::move(value)).error(), weir::try_send_error::disconnected);
#if WEIR_HAS_STOP_TOKEN
    EXPECT_EQ(tx.send(std::move(value), std::stop_token()).error(), weir::send_stop_error::disconnected);
#endif
    EXPECT_EQ(value.get(), before) << "a failed send leaves its argument untouched";
    EXPECT_TRUE(tx.is_disconnected());
    EXPECT_EQ(tx.len(), 0u);
}

TEST_P(basic_bounded, a_send_that_finds_no_room_leaves_its_argument) {
    auto [tx, rx] = open<text>(GetParam());
    const std::size_t capacity = *GetParam().capacity;
    for (std::size_t i = 0; i < capacity; ++i)
        EXPECT_TRUE(tx.try_send(std::make_unique<int>(0)));
    auto value = std::make_unique<int>(5);
    const int* const before = value.get();
    EXPECT_EQ(tx.try_send(std::move(value)).error(), weir::try_send_error::full);
    EXPECT_EQ(tx.try_emplace(std::move(value)).error(), weir::try_send_error::full);
    EXPECT_EQ(tx.send_timeout(std::move(value), 1ms).error(), weir::send_timeout_error::timeout);
    EXPECT_EQ(tx.send_deadline(std::move(value), std::chrono::steady_clock::now()).error(),
              weir::send_timeout_error::timeout);
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(tx.send(std::move(value), stop.get_token()).error(), weir::send_stop_error::stopped);
#endif
    EXPECT_EQ(value.get(), before);
    EXPECT_EQ(tx.len(), capacity) << "a message whose send failed was never in the channel";
}

TEST_P(basic, an_empty_handle_is_safe) {
    auto [real_tx, real_rx] = open<text>(GetParam());
    any_sender<text> moved_from = real_tx;
    const any_sender<text> taken = std::move(moved_from);
    any_sender<text> was_reset = real_tx;
    was_reset.reset();
    was_reset.reset();
    auto value = std::make_unique<int>(5);
    const int* const before = value.get();
    const any_sender<text> by_default;
    for (const auto* tx : {&by_default, &std::as_const(moved_from), &std::as_const(was_reset)}) {
        EXPECT_FALSE(*tx);
        EXPECT_EQ(outcome(tx->send(std::move(value))), channel_errc::disconnected);
        EXPECT_EQ(outcome(tx->emplace(std::move(value))), channel_errc::disconnected);
        EXPECT_EQ(outcome(tx->try_send(std::move(value))), channel_errc::disconnected);
        EXPECT_EQ(outcome(tx->try_emplace(std::move(value))), channel_errc::disconnected);
        EXPECT_EQ(outcome(tx->send_timeout(std::move(value), 1h)), channel_errc::disconnected);
        EXPECT_EQ(outcome(tx->send_deadline(std::move(value), std::chrono::steady_clock::now() + 1h)),
                  channel_errc::disconnected);
#if WEIR_HAS_STOP_TOKEN
        EXPECT_EQ(outcome(tx->send(std::move(value), std::stop_token())), channel_errc::disconnected);
#endif
        EXPECT_EQ(tx->len(), 0u);
        EXPECT_TRUE(tx->is_empty());
        EXPECT_TRUE(tx->is_disconnected());
        EXPECT_EQ(tx->capacity(), std::nullopt);
        EXPECT_EQ(tx->sender_count(), 0u);
        EXPECT_FALSE(tx->same_channel(*tx));
        EXPECT_FALSE(tx->same_channel(real_tx));
        EXPECT_FALSE(tx->is_of(real_rx));
        EXPECT_FALSE(tx->downgrade().lock());
        const any_sender<text> copied = *tx;
        EXPECT_FALSE(copied);
    }
    EXPECT_EQ(value.get(), before);
    EXPECT_EQ(real_rx.sender_count(), 2u);

    weir::receiver<text> by_default_rx;
    weir::receiver<text> moved_from_rx = open<text>(GetParam()).rx;
    const weir::receiver<text> taken_rx = std::move(moved_from_rx);
    weir::receiver<text> reset_rx = open<text>(GetParam()).rx;
    reset_rx.reset();
    reset_rx.reset();
    for (auto* rx : {&by_default_rx, &moved_from_rx, &reset_rx}) {
        EXPECT_FALSE(*rx);
        EXPECT_EQ(outcome(rx->recv()), channel_errc::disconnected);
        EXPECT_EQ(outcome(rx->try_recv()), channel_errc::disconnected);
        EXPECT_EQ(outcome(rx->recv_timeout(1h)), channel_errc::disconnected);
        EXPECT_EQ(outcome(rx->recv_deadline(std::chrono::steady_clock::now() + 1h)), channel_errc::disconnected);
#if WEIR_HAS_STOP_TOKEN
        EXPECT_EQ(outcome(rx->recv(std::stop_token())), channel_errc::disconnected);
#endif
        std::vector<text> out;
        EXPECT_EQ(outcome(rx->recv_many(std::back_inserter(out), 3)), channel_errc::disconnected);
        for ([[maybe_unused]] auto m : *rx)
            ADD_FAILURE() << "nothing is there";
        for ([[maybe_unused]] auto m : rx->try_iter())
            ADD_FAILURE() << "nothing is there";
        rx->close();
        EXPECT_EQ(rx->len(), 0u);
        EXPECT_TRUE(rx->is_empty());
        EXPECT_TRUE(rx->is_disconnected());
        EXPECT_EQ(rx->capacity(), std::nullopt);
        EXPECT_EQ(rx->sender_count(), 0u);
        EXPECT_FALSE(rx->same_channel(weir::sender<text>()));
        EXPECT_FALSE(rx->same_channel(weir::sync_sender<text>()));
    }
}

TEST_P(basic, assigning_a_receiver_lets_go_of_the_channel_it_had) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto [other_tx, other_rx] = open<uint64_t>(GetParam());
    rx = std::move(other_rx);
    EXPECT_TRUE(tx.is_disconnected());
    EXPECT_FALSE(other_rx); // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(other_tx.is_of(rx));
    auto feeder = feed(std::move(other_tx), 1, 1);
    EXPECT_EQ(rx.recv().value(), 1u);
    rx = weir::receiver<uint64_t>();
    EXPECT_FALSE(rx);
}

template <class Handle>
void expect_self_assignment_to_keep(Handle& handle) {
    Handle& same = handle;
    if constexpr (std::is_copy_assignable_v<Handle>)
        handle = same;
    EXPECT_TRUE(handle);
    handle = std::move(same);
    EXPECT_TRUE(handle);
    handle.swap(same);
    EXPECT_TRUE(handle);
}

template <class Handle>
void expect_swap_to_exchange(Handle first, Handle second) {
    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
    first.swap(second);
    EXPECT_FALSE(first);
    EXPECT_TRUE(second);
    swap(first, second);
    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
    static_assert(noexcept(first.swap(second))&& noexcept(swap(first, second)));
}

TEST(handles, assigning_a_handle_to_itself_leaves_it) {
    auto [tx, rx] = weir::channel<uint64_t>();
    auto [sync_tx, sync_rx] = weir::sync_channel<uint64_t>(2);
    expect_self_assignment_to_keep(tx);
    expect_self_assignment_to_keep(rx);
    expect_self_assignment_to_keep(sync_tx);
    expect_self_assignment_to_keep(sync_rx);
    EXPECT_EQ(rx.sender_count(), 1u);
    EXPECT_EQ(sync_rx.sender_count(), 1u);
    auto weak = tx.downgrade();
    auto& same = weak;
    weak = same;
    weak = std::move(same);
    EXPECT_TRUE(weak.lock());
}

TEST(handles, swap_exchanges_channels) {
    auto [tx, rx] = weir::channel<uint64_t>();
    auto [sync_tx, sync_rx] = weir::sync_channel<uint64_t>(2);
    expect_swap_to_exchange(tx, {});
    expect_swap_to_exchange(sync_tx, {});
    expect_swap_to_exchange(std::move(rx), {});
    expect_swap_to_exchange(std::move(sync_rx), {});
    auto weak = tx.downgrade();
    weir::weak_sender<uint64_t> none;
    weak.swap(none);
    EXPECT_FALSE(weak.lock());
    swap(weak, none);
    EXPECT_TRUE(weak.lock());
}

TEST_P(basic, a_weak_sender_gives_a_sender_while_there_is_one) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto weak = tx.downgrade();
    EXPECT_EQ(rx.sender_count(), 1u) << "a weak sender is not counted";
    {
        auto locked = weak.lock();
        EXPECT_TRUE(locked);
        EXPECT_TRUE(locked.same_channel(tx));
        EXPECT_EQ(rx.sender_count(), 2u);
        tx.reset();
        EXPECT_FALSE(rx.is_disconnected());
        auto feeder = feed(std::move(locked), 3, 1);
        EXPECT_EQ(rx.recv().value(), 3u);
    }
    EXPECT_TRUE(rx.is_disconnected()) << "a weak sender does not keep the channel connected";
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    EXPECT_FALSE(weak.lock());
    auto copy = weak;
    const auto moved = std::move(copy);
    EXPECT_FALSE(moved.lock());
    EXPECT_FALSE(any_sender<uint64_t>::weak().lock());
}

TEST_P(basic, a_weak_sender_gives_senders_after_the_receiver_went) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const auto weak = tx.downgrade();
    auto forgetful = weak;
    rx.reset();
    const auto locked = weak.lock();
    EXPECT_TRUE(locked);
    EXPECT_EQ(outcome(locked.send(1)), channel_errc::disconnected);
    EXPECT_EQ(tx.sender_count(), 2u);
    forgetful.reset();
    EXPECT_FALSE(forgetful.lock());
    EXPECT_TRUE(weak.lock());
}

TEST_P(basic, a_weak_sender_may_outlive_the_channel) {
    typename any_sender<uint64_t>::weak weak;
    {
        auto ends = open<uint64_t>(GetParam());
        weak = ends.tx.downgrade();
        EXPECT_TRUE(weak.lock());
    }
    EXPECT_FALSE(weak.lock());
}

// Once the last sender is gone the channel is disconnected for ever, and no lock brings it back.
TEST_P(basic, locking_races_with_the_last_sender_leaving) {
    for (std::size_t round = 0; round < scaled(500); ++round) {
        auto [tx, rx] = open<uint64_t>(GetParam());
        std::latch start(2);
        bool locked = false;
        bool still_connected = true;
        {
            worker locks([&, weak = tx.downgrade()] {
                start.arrive_and_wait();
                const auto handle = weak.lock();
                locked = bool(handle);
                still_connected = !rx.is_disconnected();
            });
            start.arrive_and_wait();
            tx.reset();
        }
        EXPECT_TRUE(!locked || still_connected) << "a locked sender keeps the channel connected";
        EXPECT_TRUE(rx.is_disconnected());
        EXPECT_EQ(rx.sender_count(), 0u);
    }
}

TEST_P(basic_buffered, close_keeps_what_is_queued) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t queued = GetParam().room(100);
    for (uint64_t i = 0; i < queued; ++i)
        EXPECT_TRUE(tx.send(i));
    rx.close();
    rx.close();
    EXPECT_TRUE(rx);
    EXPECT_TRUE(tx.is_disconnected());
    EXPECT_TRUE(rx.is_disconnected());
    EXPECT_EQ(outcome(tx.send(0)), channel_errc::disconnected);
    EXPECT_EQ(outcome(tx.try_send(0)), channel_errc::disconnected) << "disconnected wins over full";
    EXPECT_EQ(outcome(tx.send_timeout(0, 0s)), channel_errc::disconnected);
    EXPECT_EQ(rx.len(), queued);
    for (uint64_t i = 0; i < queued; ++i)
        EXPECT_EQ(rx.recv().value(), i);
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected) << "though a sender remains";
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.recv_timeout(1h)), channel_errc::disconnected);
    EXPECT_EQ(rx.sender_count(), 1u);
}

TEST_P(basic, a_closed_channel_takes_and_gives_nothing) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    rx.close();
    EXPECT_EQ(outcome(tx.send(0)), channel_errc::disconnected);
    EXPECT_EQ(outcome(tx.try_send(0)), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::disconnected);
    const auto clone = tx;
    EXPECT_TRUE(clone.is_disconnected());
    tx.reset();
    EXPECT_EQ(outcome(rx.recv()), channel_errc::disconnected);
}

TEST(handles, a_capacity_beyond_memory_is_a_length_error) {
    struct block {
        char bytes[4096];
    };
    EXPECT_THROW(static_cast<void>(weir::sync_channel<uint64_t>(SIZE_MAX)), std::length_error);
    EXPECT_THROW(static_cast<void>(weir::sync_channel<uint64_t>(PTRDIFF_MAX / 8 + 1)), std::length_error);
    EXPECT_THROW(static_cast<void>(weir::sync_channel<char>(SIZE_MAX)), std::length_error);
    EXPECT_THROW(static_cast<void>(weir::sync_channel<block>(PTRDIFF_MAX / 4096 + 1)), std::length_error);
}

TEST(handles, endpoints_name_their_parts) {
    weir::endpoints<weir::sender<int>, weir::receiver<int>> made = weir::channel<int>();
    EXPECT_TRUE(made.tx.send(1));
    EXPECT_EQ(made.rx.recv().value(), 1);
    auto [tx, rx] = weir::sync_channel<int>(1);
    static_assert(std::same_as<decltype(tx), weir::sync_sender<int>>);
    static_assert(std::same_as<decltype(rx), weir::receiver<int>>);
    EXPECT_TRUE(rx.same_channel(tx));
}

// The errors.

template <class Error>
void expect_error(Error error, channel_errc same, std::errc nearest) {
    const std::error_code code = error;
    EXPECT_EQ(code, same);
    EXPECT_EQ(code, nearest);
    EXPECT_TRUE(code);
    EXPECT_EQ(&code.category(), &weir::channel_category());
    EXPECT_EQ(code, make_error_code(error));
    EXPECT_FALSE(code.message().empty());
    EXPECT_FALSE(to_string(error).empty());
    EXPECT_FALSE(code == std::errc::no_such_file_or_directory);
}

TEST(errors, each_converts_to_the_code_and_condition_it_stands_for) {
    const auto gone = channel_errc::disconnected;
    expect_error(channel_errc::disconnected, gone, std::errc::broken_pipe);
    expect_error(channel_errc::full, channel_errc::full, std::errc::operation_would_block);
    expect_error(channel_errc::empty, channel_errc::empty, std::errc::operation_would_block);
    expect_error(channel_errc::timeout, channel_errc::timeout, std::errc::timed_out);
    expect_error(channel_errc::stopped, channel_errc::stopped, std::errc::operation_canceled);
    expect_error(weir::send_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::try_send_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::try_send_error::full, channel_errc::full, std::errc::operation_would_block);
    expect_error(weir::send_timeout_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::send_timeout_error::timeout, channel_errc::timeout, std::errc::timed_out);
    expect_error(weir::send_stop_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::send_stop_error::stopped, channel_errc::stopped, std::errc::operation_canceled);
    expect_error(weir::recv_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::try_recv_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::try_recv_error::empty, channel_errc::empty, std::errc::operation_would_block);
    expect_error(weir::recv_timeout_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::recv_timeout_error::timeout, channel_errc::timeout, std::errc::timed_out);
    expect_error(weir::recv_stop_error::disconnected, gone, std::errc::broken_pipe);
    expect_error(weir::recv_stop_error::stopped, channel_errc::stopped, std::errc::operation_canceled);
}

TEST(errors, codes_of_different_errors_differ) {
    EXPECT_NE(std::error_code(channel_errc::full), std::error_code(channel_errc::empty));
    EXPECT_NE(std::error_code(weir::recv_timeout_error::timeout), std::error_code(weir::recv_stop_error::stopped));
    EXPECT_STREQ(weir::channel_category().name(), "weir");
    EXPECT_FALSE(weir::channel_category().message(77).empty()) << "a value that is none of ours";
}

static_assert(!weir::to_string(weir::try_recv_error::empty).empty(), "to_string is a constant expression");
static_assert(weir::to_string(weir::try_recv_error::empty) != weir::to_string(weir::try_recv_error::disconnected));

TEST(errors, value_throws_for_a_message_that_cannot_be_copied) {
    auto [tx, rx] = weir::channel<text>();
    tx.reset();
    EXPECT_THROW(static_cast<void>(rx.recv().value()), std::bad_expected_access<weir::recv_error>);
    rx.reset();
    auto [sync_tx, sync_rx] = weir::sync_channel<text>(1);
    sync_rx.reset();
    EXPECT_THROW(sync_tx.try_send(text()).value(), std::bad_expected_access<weir::try_send_error>);
}

} // namespace
