// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/ring.hpp>

#include "support/allocation.hpp"
#include "support/arrivals.hpp"
#include "support/held.hpp"
#include "support/scale.hpp"
#include "support/stalling.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace {

using namespace unit;
using namespace std::chrono_literals;
using weir::detail::ring;

using numbers = ring<std::uint64_t>;
using boxes = ring<boxed>;

class ring_of : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(capacity, ring_of, testing::Values(1, 2, 3, 5, 7, 8, 9, 64),
                         testing::PrintToStringParamName());

// ---- One thread ----

TEST_P(ring_of, holds_exactly_its_capacity) {
    held channel(numbers::make(GetParam()));
    EXPECT_EQ(channel->capacity(), GetParam());
    for (std::uint64_t i = 0; i < GetParam(); ++i) {
        EXPECT_FALSE(channel->is_full());
        EXPECT_EQ(channel->len(), i);
        EXPECT_EQ(channel.try_send(i), send_result::sent);
    }
    EXPECT_TRUE(channel->is_full());
    EXPECT_EQ(channel->len(), GetParam());
    EXPECT_EQ(channel.try_send(99), send_result::full);
    EXPECT_EQ(channel->len(), GetParam());
}

TEST_P(ring_of, gives_messages_in_order_and_is_exactly_full_over_a_great_many_laps) {
    constexpr unsigned native_steps = 400'000;
    held channel(numbers::make(GetParam()));
    std::minstd_rand random(1);
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (unsigned step = 0; step < scaled(native_steps); ++step) {
        // By turns more sends and more receives.
        if (random() % 8 < (step / 128 % 2 == 0 ? 5U : 3U)) {
            const bool has_room = sent - received < GetParam();
            ASSERT_EQ(channel.try_send(sent), has_room ? send_result::sent : send_result::full);
            sent += has_room ? 1 : 0;
        } else if (received != sent) {
            ASSERT_EQ(channel.try_receive(), received);
            ++received;
        } else {
            ASSERT_EQ(channel.try_receive(), std::nullopt);
        }
        ASSERT_EQ(channel->len(), sent - received);
        ASSERT_EQ(channel->is_full(), sent - received == GetParam());
        ASSERT_EQ(channel->is_send_under_way(), sent != received);
    }
    EXPECT_GT(received, GetParam() * 100);
}

TEST_P(ring_of, is_closed_for_senders_wherever_in_a_lap_its_tail_stands) {
    for (std::uint64_t tail = 0; tail <= 2 * GetParam() + 1; ++tail) {
        held channel(numbers::make(GetParam()));
        std::uint64_t received = 0;
        for (std::uint64_t i = 0; i < tail; ++i) {
            if (channel.try_send(i) == send_result::full) {
                ASSERT_EQ(channel.try_receive(), received++);
                ASSERT_EQ(channel.try_send(i), send_result::sent);
            }
        }
        EXPECT_FALSE(channel->is_closed_for_sending());
        channel->close();
        EXPECT_TRUE(channel->is_closed_for_sending());
        EXPECT_EQ(channel.try_send(99), send_result::disconnected);
        EXPECT_EQ(channel.send(99), send_result::disconnected);
        EXPECT_EQ(channel->len(), tail - received);
        while (received != tail) {
            ASSERT_EQ(channel.try_receive(), received++);
        }
        EXPECT_EQ(channel.try_take().error, weir::channel_errc::disconnected);
    }
}

TEST_P(ring_of, destroys_what_it_holds_when_the_receiver_goes) {
    const std::ptrdiff_t before = live_allocations();
    for (std::size_t sent = 0; sent <= GetParam(); ++sent) {
        held channel(boxes::make(GetParam()));
        const std::ptrdiff_t alone = live_allocations();
        for (unsigned i = 0; i < sent; ++i) {
            ASSERT_EQ(channel.try_send(number(0, i)), send_result::sent);
        }
        channel.drop_receiver();
        ASSERT_EQ(live_allocations(), alone) << sent << " were in it";
    }
    EXPECT_EQ(live_allocations(), before);
}

TEST_P(ring_of, a_send_that_finds_it_full_leaves_its_message) {
    held channel(boxes::make(GetParam()));
    for (unsigned i = 0; i < GetParam(); ++i) {
        ASSERT_EQ(channel.try_send(number(0, i)), send_result::sent);
    }
    boxed message = number(1, 2);
    auto source = source_of(message);
    EXPECT_EQ(channel.try_send(source), send_result::full);
    EXPECT_EQ(channel.send(source, deadline::passed()), send_result::timeout);
    EXPECT_EQ(channel.send(source, deadline::after(2ms)), send_result::timeout);
    channel->close();
    EXPECT_EQ(channel.send(source, deadline::never()), send_result::disconnected);
    EXPECT_NE(message, nullptr);
}

// ---- Sends that stand still half-way ----

void run_stalling(std::size_t capacity, ending end) {
    constexpr unsigned native_seeds = 150;
    constexpr unsigned steps = 400;
    constexpr unsigned deepest = 12; // for more the receiver needs memory
    for (unsigned seed = 1; seed <= scaled(native_seeds) && !testing::Test::HasFailure(); ++seed) {
        held channel(ring<logged>::make(capacity));
        stalling_model driver(channel, {capacity, seed, steps, deepest, end});
        driver.run(plainly(), [&](auto receive) {
            std::optional<no_memory> without;
            if (seed % 2 == 0) {
                without.emplace();
            }
            return receive();
        });
    }
}

TEST_P(ring_of, receives_past_stalled_sends_what_a_plain_list_would_give) { run_stalling(GetParam(), ending::none); }

TEST_P(ring_of, closed_while_sends_are_stalled_lets_just_those_succeed) { run_stalling(GetParam(), ending::close); }

TEST_P(ring_of, dropped_while_sends_are_stalled_destroys_each_message_as_soon_as_its_send_ends) {
    run_stalling(GetParam(), ending::drop);
}

TEST_P(ring_of, while_a_send_is_stalled_lets_capacity_less_one_messages_pass_and_then_has_all_its_room_again) {
    held channel(numbers::make(GetParam()));
    constexpr unsigned rounds = 50;
    for (unsigned round = 0; round < rounds; ++round) {
        auto source = making<std::uint64_t>([&](void* place) {
            for (std::uint64_t i = 1; i < GetParam(); ++i) {
                EXPECT_EQ(channel.try_send(i), send_result::sent);
                EXPECT_EQ(channel.try_receive(), i);
            }
            EXPECT_EQ(channel.try_send(99), send_result::full);
            EXPECT_EQ(channel.try_receive(), std::nullopt);
            EXPECT_EQ(channel->len(), 0U);
            ::new (place) std::uint64_t(0);
        });
        ASSERT_EQ(channel.try_send(source), send_result::sent);
        ASSERT_EQ(channel->len(), 1U);
        ASSERT_EQ(channel.try_receive(), 0U);
        for (std::uint64_t i = 0; i < GetParam(); ++i) {
            ASSERT_EQ(channel.try_send(i), send_result::sent);
        }
        ASSERT_TRUE(channel->is_full());
        for (std::uint64_t i = 0; i < GetParam(); ++i) {
            ASSERT_EQ(channel.try_receive(), i);
        }
        // The next round begins at another slot.
        ASSERT_EQ(channel.try_send(7), send_result::sent);
        ASSERT_EQ(channel.try_receive(), 7U);
    }
}

// ---- Senders that wait ----

TEST_P(ring_of, serves_waiting_senders_in_the_order_they_came_before_a_receive_returns) {
    constexpr unsigned waiting = 5;
    held channel(numbers::make(GetParam()));
    std::uint64_t next = 0;
    for (; next < GetParam(); ++next) {
        ASSERT_EQ(channel.try_send(next), send_result::sent);
    }
    std::vector<std::unique_ptr<waiting_sender<numbers>>> senders;
    for (unsigned i = 0; i < waiting; ++i) {
        senders.push_back(std::make_unique<waiting_sender<numbers>>(*channel, next++));
    }
    EXPECT_EQ(channel.try_send(99), send_result::full) << "nobody overtakes those who wait";
    for (std::uint64_t i = 0; i < next; ++i) {
        ASSERT_EQ(channel.try_receive(), i);
        ASSERT_EQ(channel->len(), std::min<std::uint64_t>(next - i - 1, GetParam()))
            << "the room was given to a waiting sender at once";
    }
    for (auto& sender : senders) {
        EXPECT_EQ(sender->result(), send_result::sent);
    }
}

// A message that is more than bytes is moved by the thread that sends it: what its move does is its own affair.
TEST_P(ring_of, a_waiting_sender_moves_its_own_message) {
    constexpr unsigned waiting = 4;
    held channel(boxes::make(GetParam()));
    unsigned next = 0;
    for (; next < GetParam(); ++next) {
        ASSERT_EQ(channel.try_send(number(0, next)), send_result::sent);
    }
    std::array<std::thread::id, waiting> moved_by;
    std::array<std::thread::id, waiting> sent_by;
    std::counting_semaphore<> has_come(0);
    std::vector<std::jthread> senders;
    for (unsigned i = 0; i < waiting; ++i) {
        senders.emplace_back([&, i, count = next++] {
            sent_by[i] = std::this_thread::get_id();
            auto source = making<boxed>([&, i, count](void* place) {
                moved_by[i] = std::this_thread::get_id();
                ::new (place) boxed(number(0, count));
            });
            EXPECT_EQ(channel.send(source, deadline::never(), enrolment{&has_come}), send_result::sent);
        });
        has_come.acquire();
    }
    std::vector<bool> is_received(next, false); // the waiting sends overlap, so they may come in any order
    for (unsigned i = 0; i < next; ++i) {
        const auto message = channel.receive(deadline::after(patience));
        ASSERT_TRUE(message);
        const auto which = static_cast<std::size_t>(**message);
        ASSERT_FALSE(is_received[which]);
        is_received[which] = true;
    }
    senders.clear();
    EXPECT_EQ(moved_by, sent_by);
}

// Nor where it has a place to itself, which nobody else gets meanwhile.
TEST_P(ring_of, a_place_that_was_granted_to_a_waiting_sender_is_filled_by_that) {
    held channel(boxes::make(GetParam()));
    for (unsigned i = 0; i < GetParam(); ++i) {
        ASSERT_EQ(channel.try_send(number(0, i)), send_result::sent);
    }
    bool is_made = false;
    auto source = making<boxed>([&](void* place) {
        is_made = true;
        ::new (place) boxed(number(0, GetParam()));
    });
    weir::detail::thread_waiter self(source, weir::detail::service::grant);
    ASSERT_EQ(channel->enrol_sender(self, false), weir::detail::enrolment::waits);
    ASSERT_TRUE(channel.try_receive());
    EXPECT_FALSE(is_made);
    EXPECT_EQ(channel.try_send(number(0, 99)), send_result::full);
    weir::detail::spin_policy spin(1);
    ASSERT_EQ(self.await(deadline::never(), weir::detail::no_stop(), spin, 0), weir::detail::answer::granted);
    channel->send_granted(self.ticket(), source);
    for (unsigned i = 1; i <= GetParam(); ++i) {
        const auto message = channel.try_receive();
        ASSERT_TRUE(message);
        EXPECT_EQ(**message, *number(0, i));
    }
}

TEST_P(ring_of, closing_ends_the_waits_of_senders_and_leaves_their_messages) {
    constexpr unsigned waiting = 3;
    held channel(boxes::make(GetParam()));
    for (unsigned i = 0; i < GetParam(); ++i) {
        ASSERT_EQ(channel.try_send(number(0, i)), send_result::sent);
    }
    std::vector<std::unique_ptr<waiting_sender<boxes>>> senders;
    for (unsigned i = 0; i < waiting; ++i) {
        senders.push_back(std::make_unique<waiting_sender<boxes>>(*channel, number(1, i)));
    }
    GetParam() % 2 == 0 ? channel->close() : channel.drop_receiver();
    for (auto& sender : senders) {
        EXPECT_EQ(sender->result(), send_result::disconnected);
        EXPECT_NE(sender->message(), nullptr);
    }
}

TEST_P(ring_of, a_sender_that_gave_up_waiting_is_not_served) {
    held channel(boxes::make(GetParam()));
    for (unsigned i = 0; i < GetParam(); ++i) {
        ASSERT_EQ(channel.try_send(number(0, i)), send_result::sent);
    }
    waiting_sender<boxes> gives_up(*channel, number(1, 0), deadline::after(5ms));
    waiting_sender<boxes> stays(*channel, number(2, 0));
    EXPECT_EQ(gives_up.result(), send_result::timeout);
    EXPECT_NE(gives_up.message(), nullptr);
    for (unsigned i = 0; i < GetParam(); ++i) {
        EXPECT_EQ(**channel.try_receive(), *number(0, i));
    }
    EXPECT_EQ(**channel.receive(deadline::after(patience)), *number(2, 0));
    EXPECT_EQ(stays.result(), send_result::sent);
    EXPECT_EQ(channel->len(), 0U);
}

TEST_P(ring_of, as_many_waiting_senders_are_served_as_passed_slots_give_their_room_back_at_once) {
    const std::uint64_t waiting = std::min<std::uint64_t>(GetParam(), 5);
    held channel(numbers::make(GetParam()));
    std::vector<std::unique_ptr<waiting_sender<numbers>>> senders;
    auto source = making<std::uint64_t>([&](void* place) {
        for (std::uint64_t i = 1; i < GetParam(); ++i) {
            EXPECT_EQ(channel.try_send(i), send_result::sent);
        }
        for (std::uint64_t i = 0; i < waiting; ++i) {
            senders.push_back(std::make_unique<waiting_sender<numbers>>(*channel, 10'000 + i));
        }
        for (std::uint64_t i = 1; i < GetParam(); ++i) {
            EXPECT_EQ(channel.try_receive(), i);
        }
        ::new (place) std::uint64_t(0);
    });
    ASSERT_EQ(channel.try_send(source), send_result::sent);
    EXPECT_EQ(channel.try_receive(), 0U);
    EXPECT_EQ(channel->len(), waiting);
    for (std::uint64_t i = 0; i < waiting; ++i) {
        EXPECT_EQ(channel.try_receive(), 10'000 + i);
    }
    for (auto& sender : senders) {
        EXPECT_EQ(sender->result(), send_result::sent);
    }
}

TEST(ring, room_wins_over_a_time_out_that_has_run_out) {
    held channel(numbers::make(1));
    EXPECT_EQ(channel.send(1, deadline::passed()), send_result::sent);
    EXPECT_EQ(channel.send(2, deadline::passed()), send_result::timeout);
}

TEST(ring, a_timed_send_does_not_give_up_early) {
    held channel(numbers::make(1));
    ASSERT_EQ(channel.try_send(1), send_result::sent);
    const deadline until = deadline::after(10ms);
    EXPECT_EQ(channel.send(2, until), send_result::timeout);
    EXPECT_TRUE(until.has_passed());
    EXPECT_LT(deadline::clock::now(), until.time() + 2s);
}

#if WEIR_HAS_STOP_TOKEN
TEST(ring, a_stop_ends_a_wait_for_room_and_room_wins_over_it) {
    held channel(numbers::make(1));
    std::stop_source stop;
    EXPECT_TRUE(stop.request_stop());
    EXPECT_EQ(channel.send(1, deadline::never(), stop.get_token()), send_result::sent);
    EXPECT_EQ(channel.send(2, deadline::never(), stop.get_token()), send_result::stopped);
    channel->close();
    EXPECT_EQ(channel.send(2, deadline::never(), stop.get_token()), send_result::disconnected);
}

TEST(ring, a_stop_requested_at_any_moment_ends_a_wait_for_room) {
    constexpr unsigned native_rounds = 100;
    held channel(numbers::make(1));
    ASSERT_EQ(channel.try_send(1), send_result::sent);
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        std::stop_source stop;
        in_parallel(2, [&](unsigned which) {
            if (which == 0) {
                EXPECT_EQ(channel.send(2, deadline::after(patience), stop.get_token()), send_result::stopped);
            } else {
                pause_for(round * 25);
                stop.request_stop();
            }
        });
    }
    EXPECT_EQ(channel.try_receive(), 1U);
    EXPECT_EQ(channel->len(), 0U);
}
#endif

// ---- Several threads ----

TEST_P(ring_of, delivers_each_message_of_each_sender_once_and_in_order_however_they_are_sent_and_received) {
    constexpr unsigned native_messages = 2'000;
    constexpr unsigned senders = 3;
    const std::ptrdiff_t before = live_allocations();
    {
        held channel(boxes::make(GetParam()));
        arrivals arrived;
        in_parallel(senders + 1, [&](unsigned which) {
            std::minstd_rand random(which + 1);
            if (which == senders) {
                for (std::uint64_t left = std::uint64_t{senders} * scaled(native_messages); left > 0;) {
                    std::optional<boxed> message;
                    switch (random() % 4) {
                    case 0:
                        message = channel.try_receive();
                        break;
                    case 1:
                        message = channel.receive(deadline::after(20us));
                        break;
                    default:
                        message = channel.receive(deadline::after(patience));
                        ASSERT_TRUE(message) << left << " messages are missing";
                    }
                    if (message) {
                        arrived.note(*message);
                        --left;
                    }
                }
                return;
            }
            for (unsigned i = 0; i < scaled(native_messages); ++i) {
                boxed message = number(which, i);
                auto source = source_of(message);
                send_result result = send_result::full;
                while (result != send_result::sent) {
                    ASSERT_NE(message, nullptr);
                    switch (random() % 4) {
                    case 0:
                        result = channel.try_send(source);
                        ASSERT_TRUE(result == send_result::sent || result == send_result::full);
                        break;
                    case 1:
                        result = channel.send(source, deadline::after(20us));
                        ASSERT_TRUE(result == send_result::sent || result == send_result::timeout);
                        break;
                    default:
                        result = channel.send(source, deadline::after(patience));
                        ASSERT_EQ(result, send_result::sent) << "slept through the room there was";
                    }
                }
                ASSERT_EQ(message, nullptr);
            }
        });
        for (unsigned i = 0; i < senders; ++i) {
            EXPECT_EQ(arrived.of(i), scaled(native_messages));
        }
        EXPECT_EQ(channel->len(), 0U);
        EXPECT_FALSE(channel->is_send_under_way());
    }
    EXPECT_EQ(live_allocations(), before);
}

TEST_P(ring_of, the_receivers_drop_against_sends_of_all_kinds_loses_nothing_and_leaks_nothing) {
    constexpr unsigned native_rounds = 500;
    constexpr unsigned senders = 2;
    const std::ptrdiff_t before = live_allocations();
    {
        std::vector<std::unique_ptr<held<boxes>>> channels;
        for (unsigned round = 0; round < scaled(native_rounds); ++round) {
            channels.push_back(std::make_unique<held<boxes>>(boxes::make(GetParam())));
        }
        const std::ptrdiff_t without_messages = live_allocations();
        pace together(senders + 1);
        in_parallel(senders + 1, [&](unsigned which) {
            for (unsigned round = 0; round < channels.size(); ++round) {
                together.keep(which, round);
                held<boxes>& here = *channels[round];
                if (which == senders) {
                    for (unsigned i = round % 5; i > 0; --i) {
                        (void)here.receive(deadline::after(patience));
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
                }
            }
        });
        EXPECT_EQ(live_allocations(), without_messages) << "messages outlived their sends and the receiver";
    }
    EXPECT_EQ(live_allocations(), before);
}

// ---- Making one ----

TEST(ring, of_more_bytes_than_there_can_be_is_refused) {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    EXPECT_THROW(numbers::make(most), std::length_error);
    EXPECT_THROW(numbers::make(most / 2), std::length_error);
    EXPECT_THROW(numbers::make(most / 2 / sizeof(std::uint64_t)), std::length_error);
    EXPECT_THROW(ring<std::byte>::make(most / 2), std::length_error);
}

TEST(ring, without_memory_throws_and_leaks_nothing) {
    const std::ptrdiff_t before = live_allocations();
    bool is_thrown = false;
    try {
        const no_memory without;
        numbers::make(8);
    } catch (const std::bad_alloc&) {
        is_thrown = true;
    }
    EXPECT_TRUE(is_thrown);
    EXPECT_EQ(live_allocations(), before);
}

TEST_P(ring_of, allocates_once_and_never_again) {
    constexpr unsigned messages = 1'000;
    const std::size_t before = own_allocations();
    held channel(numbers::make(GetParam()));
    for (std::uint64_t i = 0; i < messages; ++i) {
        ASSERT_EQ(channel.try_send(i), send_result::sent);
        ASSERT_EQ(channel.try_receive(), i);
    }
    EXPECT_EQ(own_allocations() - before, 1U);
}

// Messages of all sizes, in the first cache line or outside, keep to their own bytes.
template <class T>
void expect_places_of_their_own(std::size_t capacity) {
    auto* const channel = ring<T>::make(capacity);
    const std::size_t laps = 3;
    for (std::size_t i = 0; i < capacity * laps; ++i) {
        if (i >= capacity) {
            T* const message = channel->acquire();
            ASSERT_NE(message, nullptr);
            ASSERT_EQ(reinterpret_cast<std::uintptr_t>(message) % alignof(T), 0U);
            for (const std::uint8_t byte : message->bytes) {
                ASSERT_EQ(byte, static_cast<std::uint8_t>(i - capacity));
            }
            channel->release(message);
        }
        auto source = making<T>([i](void* place) { ::new (place) T(static_cast<std::uint8_t>(i)); });
        ASSERT_EQ(channel->try_send(source), send_result::sent);
    }
    channel->drop_receiver();
    channel->drop_sender();
}

template <std::size_t Size, std::size_t Alignment>
struct alignas(Alignment) filled {
    explicit filled(std::uint8_t value) noexcept { bytes.fill(value); }
    std::array<std::uint8_t, Size> bytes;
};

TEST_P(ring_of, messages_of_any_size_and_alignment_keep_to_their_own_bytes) {
    expect_places_of_their_own<filled<1, 1>>(GetParam());
    expect_places_of_their_own<filled<24, 8>>(GetParam());
    expect_places_of_their_own<filled<60, 4>>(GetParam());
    expect_places_of_their_own<filled<200, 8>>(GetParam());
    expect_places_of_their_own<filled<256, 256>>(GetParam());
}

} // namespace
