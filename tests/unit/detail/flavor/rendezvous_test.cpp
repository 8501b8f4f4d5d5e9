// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/rendezvous.hpp>

#include "support/allocation.hpp"
#include "support/arrivals.hpp"
#include "support/held.hpp"
#include "support/scale.hpp"
#include "support/test_waiter.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace {

using namespace unit;
using namespace std::chrono_literals;
using weir::detail::rendezvous;

using numbers = rendezvous<std::uint64_t>;
using boxes = rendezvous<boxed>;

TEST(rendezvous_flavor, has_no_room) {
    held channel(boxes::make());
    EXPECT_EQ(channel->capacity(), 0U);
    boxed message = number(1, 2);
    auto source = source_of(message);
    EXPECT_EQ(channel.try_send(source), send_result::full);
    EXPECT_EQ(channel.send(source, deadline::passed()), send_result::timeout);
    EXPECT_EQ(channel.send(source, deadline::after(2ms)), send_result::timeout);
    EXPECT_NE(message, nullptr);
    EXPECT_EQ(channel->len(), 0U);
    EXPECT_TRUE(channel->is_full());
}

TEST(rendezvous_flavor, gives_nothing_where_nobody_sends) {
    held channel(numbers::make());
    EXPECT_EQ(channel.try_receive(), std::nullopt);
    EXPECT_EQ(channel.receive(deadline::passed()), std::nullopt);
    EXPECT_EQ(channel.receive(deadline::after(2ms)), std::nullopt);
    EXPECT_FALSE(channel->is_send_under_way());
    EXPECT_EQ(channel.try_send(1), send_result::full) << "a receive that has ended is no peer";
}

TEST(rendezvous_flavor, a_try_receive_takes_the_messages_of_waiting_senders_in_the_order_they_came) {
    constexpr unsigned waiting = 5;
    held channel(numbers::make());
    std::vector<std::unique_ptr<waiting_sender<numbers>>> senders;
    for (unsigned i = 0; i < waiting; ++i) {
        senders.push_back(std::make_unique<waiting_sender<numbers>>(*channel, i));
    }
    EXPECT_EQ(channel->len(), 0U);
    EXPECT_EQ(channel.try_send(99), send_result::full);
    for (unsigned i = 0; i < waiting; ++i) {
        ASSERT_EQ(channel.try_receive(), i);
        ASSERT_EQ(senders[i]->result(), send_result::sent);
    }
    EXPECT_EQ(channel.try_receive(), std::nullopt);
}

TEST(rendezvous_flavor, a_try_send_meets_a_receive_that_waits) {
    held channel(boxes::make());
    std::optional<boxed> received;
    std::jthread receiving([&] { received = channel.receive(deadline::after(patience)); });
    boxed message = number(3, 4);
    auto source = source_of(message);
    send_result result = send_result::full;
    while (result == send_result::full) {
        ASSERT_NE(message, nullptr);
        result = channel.try_send(source);
    }
    receiving.join();
    EXPECT_EQ(result, send_result::sent);
    EXPECT_EQ(**received, *number(3, 4));
}

TEST(rendezvous_flavor, a_timed_send_and_a_timed_receive_do_not_give_up_early) {
    held channel(numbers::make());
    deadline until = deadline::after(10ms);
    EXPECT_EQ(channel.send(2, until), send_result::timeout);
    EXPECT_TRUE(until.has_passed());
    until = deadline::after(10ms);
    EXPECT_EQ(channel.receive(until), std::nullopt);
    EXPECT_TRUE(until.has_passed());
    EXPECT_LT(deadline::clock::now(), until.time() + 2s);
}

TEST(rendezvous_flavor, a_sender_that_gave_up_waiting_is_not_served) {
    held channel(boxes::make());
    waiting_sender<boxes> gives_up(*channel, number(1, 0), deadline::after(5ms));
    waiting_sender<boxes> stays(*channel, number(2, 0));
    EXPECT_EQ(gives_up.result(), send_result::timeout);
    EXPECT_NE(gives_up.message(), nullptr);
    EXPECT_EQ(**channel.receive(deadline::after(patience)), *number(2, 0));
    EXPECT_EQ(stays.result(), send_result::sent);
    EXPECT_EQ(channel.try_receive(), std::nullopt);
}

TEST(rendezvous_flavor, closing_ends_the_waits_of_senders_and_leaves_their_messages) {
    for (const bool drops : {false, true}) {
        constexpr unsigned waiting = 3;
        held channel(boxes::make());
        std::vector<std::unique_ptr<waiting_sender<boxes>>> senders;
        for (unsigned i = 0; i < waiting; ++i) {
            senders.push_back(std::make_unique<waiting_sender<boxes>>(*channel, number(1, i)));
        }
        EXPECT_FALSE(channel->is_closed_for_sending());
        drops ? channel.drop_receiver() : channel->close();
        for (auto& sender : senders) {
            EXPECT_EQ(sender->result(), send_result::disconnected);
            EXPECT_NE(sender->message(), nullptr);
        }
        EXPECT_TRUE(channel->is_closed_for_sending());
        EXPECT_EQ(channel.try_send(number(0, 0)), send_result::disconnected);
        EXPECT_EQ(channel.send(number(0, 0)), send_result::disconnected);
    }
}

// Else each message waits until its sender has looked long enough for a receiver that lies down.
TEST(rendezvous_flavor, senders_do_not_look_for_a_receiver_that_polls) {
    held channel(numbers::make());
    EXPECT_TRUE(channel->is_worth_looking());
    EXPECT_EQ(channel.try_receive(), std::nullopt);
    EXPECT_FALSE(channel->is_worth_looking());
    EXPECT_EQ(channel.receive(deadline::passed()), std::nullopt);
    EXPECT_FALSE(channel->is_worth_looking());
    {
        const std::jthread receiving([&] { EXPECT_EQ(channel.receive(), 1U); });
        while (!channel->may_send()) {
            std::this_thread::yield();
        }
        EXPECT_TRUE(channel->is_worth_looking()) << "that one waits";
        EXPECT_EQ(channel.try_send(1), send_result::sent);
    }
    EXPECT_TRUE(channel->is_worth_looking()) << "it found what it waited for";
    EXPECT_EQ(channel.receive(deadline::after(2ms)), std::nullopt);
    EXPECT_FALSE(channel->is_worth_looking()) << "it has gone";
}

TEST(rendezvous_flavor, a_closed_one_says_disconnected_at_once) {
    held channel(numbers::make());
    channel->close();
    EXPECT_EQ(channel.try_take().error, weir::channel_errc::disconnected);
    EXPECT_EQ(channel.take(deadline::never()).error, weir::channel_errc::disconnected);
}

TEST(rendezvous_flavor, a_receive_does_not_open_it_again) {
    held channel(numbers::make());
    channel->close();
    // One that was before its wait when the close came.
    const auto ends = []() noexcept { return true; };
    EXPECT_EQ(channel->wait(deadline::never(), weir::detail::no_stop(), ends), weir::detail::wait_result::ready);
    EXPECT_TRUE(channel->is_closed_for_sending());
    EXPECT_EQ(channel.try_send(1), send_result::disconnected);
}

TEST(rendezvous_flavor, the_last_senders_going_ends_a_receive) {
    held channel(numbers::make());
    std::jthread going([&] { channel.drop_sender(); });
    EXPECT_EQ(channel.take(deadline::after(patience)).error, weir::channel_errc::disconnected);
}

#if WEIR_HAS_STOP_TOKEN
TEST(rendezvous_flavor, a_stop_ends_both_waits) {
    held channel(numbers::make());
    std::stop_source stop;
    std::jthread stopping([&] { stop.request_stop(); });
    EXPECT_EQ(channel.send(1, deadline::after(patience), stop.get_token()), send_result::stopped);
    EXPECT_EQ(weir::detail::take(*channel, deadline::after(patience), stop.get_token()).error,
              weir::channel_errc::stopped);
}
#endif

// Both succeed or both fail, whatever the moment at which their time runs out.
TEST(rendezvous_flavor, timed_sends_and_timed_receives_agree_on_what_was_exchanged) {
    constexpr unsigned native_rounds = 2'000;
    constexpr unsigned senders = 2;
    const std::ptrdiff_t before = live_allocations();
    {
        held channel(boxes::make());
        std::array<std::uint64_t, senders> sent{};
        std::atomic<unsigned> running{senders};
        arrivals arrived;
        in_parallel(senders + 1, [&](unsigned which) {
            std::minstd_rand random(which + 1);
            const auto soon = [&random] { return deadline::after(std::chrono::nanoseconds(random() % 60'000)); };
            if (which == senders) {
                while (running.load() != 0) {
                    if (auto message = random() % 4 == 0 ? channel.try_receive() : channel.receive(soon())) {
                        arrived.note(*message);
                    }
                }
                return;
            }
            for (unsigned round = 0; round < scaled(native_rounds); ++round) {
                boxed message = number(which, sent[which]);
                auto source = source_of(message);
                const send_result result = random() % 4 == 0 ? channel.try_send(source) : channel.send(source, soon());
                ASSERT_EQ(result == send_result::sent, message == nullptr);
                sent[which] += result == send_result::sent ? 1 : 0;
            }
            --running;
        });
        for (unsigned i = 0; i < senders; ++i) {
            EXPECT_EQ(arrived.of(i), sent[i]);
        }
        EXPECT_EQ(channel.try_receive(), std::nullopt);
    }
    EXPECT_EQ(live_allocations(), before);
}

TEST(rendezvous_flavor, delivers_each_message_of_each_sender_once_and_in_order) {
    constexpr unsigned native_messages = 2'000;
    constexpr unsigned senders = 3;
    held channel(boxes::make());
    arrivals arrived;
    in_parallel(senders + 1, [&](unsigned which) {
        if (which == senders) {
            for (std::uint64_t left = std::uint64_t{senders} * scaled(native_messages); left > 0; --left) {
                auto message = channel.receive(deadline::after(patience));
                ASSERT_TRUE(message) << left << " messages are missing";
                arrived.note(*message);
            }
            return;
        }
        for (unsigned i = 0; i < scaled(native_messages); ++i) {
            ASSERT_EQ(channel.send(number(which, i), deadline::after(patience)), send_result::sent);
        }
    });
    for (unsigned i = 0; i < senders; ++i) {
        EXPECT_EQ(arrived.of(i), scaled(native_messages));
    }
}

TEST(rendezvous_flavor, the_receivers_drop_against_sends_loses_nothing_and_leaks_nothing) {
    constexpr unsigned native_rounds = 500;
    constexpr unsigned senders = 2;
    std::vector<std::unique_ptr<held<boxes>>> channels;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        channels.push_back(std::make_unique<held<boxes>>(boxes::make()));
    }
    const std::ptrdiff_t without_messages = live_allocations();
    std::atomic<std::uint64_t> sent{0};
    std::uint64_t received = 0;
    pace together(senders + 1);
    in_parallel(senders + 1, [&](unsigned which) {
        for (unsigned round = 0; round < channels.size(); ++round) {
            together.keep(which, round);
            held<boxes>& here = *channels[round];
            if (which == senders) {
                for (unsigned i = round % 4; i > 0; --i) {
                    received += here.receive(deadline::after(patience)) ? 1 : 0;
                }
                here.drop_receiver();
                continue;
            }
            for (send_result result = send_result::sent; result == send_result::sent;) {
                boxed message = number(which, 0);
                auto source = source_of(message);
                result = here.send(source, deadline::after(patience));
                EXPECT_EQ(result == send_result::sent, message == nullptr);
                EXPECT_NE(result, send_result::timeout);
                sent += result == send_result::sent ? 1 : 0;
            }
        }
    });
    EXPECT_EQ(received, sent.load());
    EXPECT_EQ(live_allocations(), without_messages);
}

// A receive that waits without arming, and gives up when its message is there.
struct taker {
    explicit taker(boxes& from) : channel(from) {
        EXPECT_EQ(channel.enrol_receiver(waiting.waiter), weir::detail::enrolment::waits);
    }
    boxes& channel;
    sole_waiter waiting;
};

TEST(rendezvous_flavor, the_message_of_a_taker_that_gives_up_is_kept_for_the_next_receive) {
    held channel(boxes::make());
    EXPECT_FALSE(channel->keep());
    const taker gives_up(*channel);
    ASSERT_EQ(channel.try_send(number(1, 0)), send_result::sent);
    EXPECT_EQ(gives_up.waiting.waiter.outcome(), weir::detail::answer::served);
    EXPECT_EQ(channel->len(), 0U) << "it is being received";
    EXPECT_TRUE(channel->keep());
    EXPECT_EQ(channel->len(), 1U);
    EXPECT_TRUE(channel->has_message());
    boxed refused = number(2, 0);
    auto source = source_of(refused);
    EXPECT_EQ(channel.try_send(source), send_result::full);
    waiting_sender<boxes> behind(*channel, number(3, 0));
    EXPECT_EQ(**channel.receive(deadline::after(patience)), *number(1, 0));
    EXPECT_EQ(channel->len(), 0U);
    EXPECT_EQ(**channel.receive(deadline::after(patience)), *number(3, 0));
    EXPECT_EQ(behind.result(), send_result::sent);
}

TEST(rendezvous_flavor, a_kept_message_is_received_after_a_close_and_destroyed_with_the_channel) {
    for (const bool is_received : {true, false}) {
        const std::ptrdiff_t before = live_allocations();
        {
            held channel(boxes::make());
            const taker gives_up(*channel);
            ASSERT_EQ(channel.try_send(number(1, 0)), send_result::sent);
            EXPECT_TRUE(channel->keep());
            channel->close();
            EXPECT_EQ(channel.try_send(number(2, 0)), send_result::disconnected);
            EXPECT_EQ(channel->len(), 1U);
            if (is_received) {
                EXPECT_EQ(**channel.receive(deadline::passed()), *number(1, 0));
                EXPECT_EQ(channel.try_take().error, weir::channel_errc::disconnected);
            }
        }
        EXPECT_EQ(live_allocations(), before);
    }
}

TEST(rendezvous_flavor, closed_while_a_taker_is_served_it_hands_out_the_message_and_then_says_disconnected) {
    held channel(boxes::make());
    const taker waits(*channel);
    auto source = making<boxed>([&](void* place) {
        channel->close();
        ::new (place) boxed(number(1, 0));
    });
    EXPECT_EQ(channel.try_send(source), send_result::sent);
    EXPECT_EQ(**channel.receive(deadline::passed()), *number(1, 0));
    EXPECT_EQ(channel.try_take().error, weir::channel_errc::disconnected);
    EXPECT_EQ(channel.try_send(number(2, 0)), send_result::disconnected);
}

// Two arms that find each other, one of a select that another arm has ended: its peer has lost its claim to nobody.
TEST(rendezvous_flavor, a_waiter_whose_peer_has_been_claimed_elsewhere_is_told_to_look_again) {
    for (const bool receiver_comes_first : {false, true}) {
        held channel(rendezvous<int>::make());
        std::array<sole_waiter, 2> both; // who comes later takes the claim at the lower address first
        test_waiter& first = both[0].waiter;
        test_waiter& later = both[1].waiter;
        const auto enrol = [&](test_waiter& who, bool is_receiver) {
            return is_receiver ? channel->enrol_receiver(who) : channel->enrol_sender(who, false);
        };
        EXPECT_EQ(enrol(first, receiver_comes_first), weir::detail::enrolment::waits);
        ASSERT_TRUE(later.take());
        EXPECT_EQ(enrol(later, !receiver_comes_first), weir::detail::enrolment::waits);
        EXPECT_EQ(first.finishes(), 1);
        EXPECT_EQ(first.outcome(), weir::detail::answer::retry);
        EXPECT_EQ(later.finishes(), 0);
        receiver_comes_first ? channel->withdraw_sender(later) : channel->withdraw_receiver(later);
    }
}

TEST(rendezvous_flavor, its_landing_place_is_aligned_and_made_in_directly) {
    struct alignas(256) wide {
        explicit wide(wide** where) noexcept { *where = this; }
    };
    held channel(rendezvous<wide>::make());
    wide* made_at = nullptr;
    std::jthread sending([&] {
        auto source = making<wide>([&](void* place) { ::new (place) wide(&made_at); });
        EXPECT_EQ(channel.send(source, deadline::after(patience)), send_result::sent);
    });
    auto* const message = channel.take(deadline::after(patience)).message;
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(message, made_at);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(message) % alignof(wide), 0U);
    channel->release(message);
}

TEST(rendezvous_flavor, allocates_once_and_never_again) {
    const std::size_t before = own_allocations();
    held channel(numbers::make());
    const std::ptrdiff_t with_channel = live_allocations();
    EXPECT_EQ(own_allocations() - before, 1U);
    EXPECT_EQ(channel.try_send(1), send_result::full);
    EXPECT_EQ(channel.receive(deadline::after(100us)), std::nullopt);
    EXPECT_EQ(own_allocations() - before, 1U);
    EXPECT_EQ(live_allocations(), with_channel);
}

TEST(rendezvous_flavor, without_memory_throws_and_leaks_nothing) {
    const std::ptrdiff_t before = live_allocations();
    bool is_thrown = false;
    try {
        const no_memory without;
        numbers::make();
    } catch (const std::bad_alloc&) {
        is_thrown = true;
    }
    EXPECT_TRUE(is_thrown);
    EXPECT_EQ(live_allocations(), before);
}

} // namespace
