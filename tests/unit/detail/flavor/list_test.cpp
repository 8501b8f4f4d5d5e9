// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/list.hpp>

#include "support/allocation.hpp"
#include "support/arrivals.hpp"
#include "support/held.hpp"
#include "support/scale.hpp"
#include "support/stalling.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <ostream>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace unit;
using weir::detail::list;

template <std::uint32_t Slots, std::uint32_t Reserve, std::uint32_t Embedded>
struct sizes {
    static constexpr std::uint32_t slots = Slots;
    static constexpr std::uint32_t reserve = Reserve;
    static constexpr std::uint32_t embedded_slots = Embedded;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 2;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 2;
};

using small_blocks = sizes<4, 2, 2>;   // senders claim blindly
using careful_blocks = sizes<3, 0, 1>; // and by compare-exchange
using single_slots = sizes<1, 0, 0>;   // as for messages larger than a block
using wide_reserve = sizes<16, 8, 2>;  // for memory that runs out under several senders

// Makes a list of one kind, behind the interface.
template <class T, class Sizes>
std::unique_ptr<any_channel<T>> make_list() {
    return std::make_unique<held<list<T, Sizes>>>(list<T, Sizes>::make());
}

struct list_kind {
    const char* name;
    std::unique_ptr<any_channel<boxed>> (*make)();
    std::unique_ptr<any_channel<logged>> (*make_logged)();
    std::uint32_t embedded_slots;
    friend void PrintTo(const list_kind& kind, std::ostream* out) { *out << kind.name; }
};
template <class Sizes>
constexpr list_kind kind(const char* name) {
    return {name, make_list<boxed, Sizes>, make_list<logged, Sizes>, Sizes::embedded_slots};
}

class list_of : public testing::TestWithParam<list_kind> {
protected:
    static auto make() { return GetParam().make(); }
};
INSTANTIATE_TEST_SUITE_P(kinds, list_of,
                         testing::Values(kind<small_blocks>("small_blocks"), kind<careful_blocks>("careful_blocks"),
                                         kind<single_slots>("single_slots"), kind<wide_reserve>("wide_reserve")),
                         [](const auto& each) { return std::string(each.param.name); });

constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();
constexpr std::ptrdiff_t channel_and_handle = 2; // allocations

// The number in the next message, if there is one now.
std::optional<std::uint64_t> take_number(any_channel<boxed>& channel) {
    const auto message = channel.try_receive();
    return message ? std::optional(**message) : std::nullopt;
}

// ---- One thread ----

TEST_P(list_of, gives_nothing_before_the_first_send) {
    const auto channel = make();
    EXPECT_EQ(channel->acquire(), nullptr);
    EXPECT_EQ(channel->len(), 0U);
    EXPECT_FALSE(channel->is_send_under_way());
}

TEST_P(list_of, allocates_no_block_before_the_first_send) {
    const std::ptrdiff_t before = live_allocations();
    const auto channel = make();
    EXPECT_EQ(live_allocations() - before, channel_and_handle);
    EXPECT_EQ(take_number(*channel), std::nullopt);
    EXPECT_EQ(live_allocations() - before, channel_and_handle);
}

TEST_P(list_of, gives_messages_in_order_over_many_blocks_and_counts_them_at_every_edge) {
    constexpr unsigned longest = 40;
    const auto channel = make();
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (unsigned length = 1; length <= longest; ++length) {
        for (unsigned i = 0; i < length; ++i) {
            ASSERT_EQ(channel->try_send(number(0, sent++)), send_result::sent);
            ASSERT_EQ(channel->len(), sent - received);
        }
        for (unsigned i = 0; i < length; ++i) {
            ASSERT_EQ(take_number(*channel), received++);
            ASSERT_EQ(channel->len(), sent - received);
        }
        ASSERT_EQ(take_number(*channel), std::nullopt);
    }
}

TEST_P(list_of, is_closed_for_senders_wherever_in_a_block_its_tail_stands) {
    constexpr unsigned farthest = 40;
    for (unsigned tail = 0; tail <= farthest; ++tail) {
        const auto channel = make();
        for (std::uint64_t i = 0; i < tail; ++i) {
            ASSERT_EQ(channel->try_send(number(0, i)), send_result::sent);
        }
        EXPECT_FALSE(channel->is_closed_for_sending());
        channel->close();
        for (unsigned i = 0; i < farthest; ++i) {
            ASSERT_EQ(channel->try_send(number(0, 99)), send_result::disconnected) << "closed at " << tail;
            ASSERT_TRUE(channel->is_closed_for_sending());
            ASSERT_EQ(channel->len(), tail);
        }
        for (std::uint64_t i = 0; i < tail; ++i) {
            ASSERT_EQ(take_number(*channel), i);
        }
        EXPECT_EQ(channel->try_take().error, weir::channel_errc::disconnected);
    }
}

TEST_P(list_of, a_failed_send_leaves_its_message) {
    const auto channel = make();
    channel->close();
    boxed message = number(1, 2);
    auto source = source_of(message);
    EXPECT_EQ(channel->try_send(source), send_result::disconnected);
    EXPECT_NE(message, nullptr);
}

TEST_P(list_of, frees_what_it_holds_wherever_in_a_block_it_ends) {
    constexpr unsigned farthest = 30;
    const std::ptrdiff_t before = live_allocations();
    for (unsigned sent = 0; sent <= farthest; ++sent) {
        for (unsigned received = 0; received <= sent; ++received) {
            {
                const auto channel = make();
                for (unsigned i = 0; i < sent; ++i) {
                    ASSERT_EQ(channel->try_send(number(0, i)), send_result::sent);
                }
                for (unsigned i = 0; i < received; ++i) {
                    ASSERT_TRUE(channel->try_receive());
                }
                if (received % 2 == 0) {
                    channel->drop_sender(); // the receiver is the last then
                }
            }
            ASSERT_EQ(live_allocations(), before) << sent << " sent, " << received << " received";
        }
    }
}

TEST_P(list_of, uses_the_same_blocks_again_and_again) {
    constexpr unsigned messages = 10'000;
    constexpr std::size_t few = 6;
    const auto channel = make();
    const std::size_t before = own_allocations();
    for (std::uint64_t i = 0; i < messages; ++i) {
        ASSERT_EQ(channel->try_send(number(0, i)), send_result::sent);
        ASSERT_EQ(take_number(*channel), i);
    }
    EXPECT_LE(own_allocations() - before - messages, few) << "beside the messages' own memory";
}

TEST_P(list_of, keeps_at_most_two_blocks_when_found_empty) {
    constexpr unsigned most = 60;
    for (unsigned messages = 1; messages <= most; ++messages) {
        const auto channel = make();
        const std::ptrdiff_t before = live_allocations();
        for (std::uint64_t i = 0; i < messages; ++i) {
            ASSERT_EQ(channel->try_send(number(0, i)), send_result::sent);
        }
        while (channel->try_receive()) {
        }
        ASSERT_LE(live_allocations() - before, 2) << "after " << messages << " messages";
    }
}

// ---- Sends that stand still half-way ----

// Runs the model on a fresh list, many times; at the end the memory is back, and before it there were two blocks at most.
void run_stalling(const list_kind& kind, ending end) {
    constexpr unsigned native_seeds = 120;
    constexpr unsigned steps = 400;
    constexpr unsigned deepest = 12; // for more the receiver needs memory
    for (unsigned seed = 1; seed <= scaled(native_seeds) && !testing::Test::HasFailure(); ++seed) {
        const std::ptrdiff_t before = live_allocations();
        {
            const auto channel = kind.make_logged();
            stalling_model driver(*channel, {unbounded, seed, steps, deepest, end});
            const std::ptrdiff_t without_blocks = live_allocations();
            driver.run();
            if (end != ending::drop) {
                EXPECT_EQ(channel->try_receive(), std::nullopt);
            }
            const std::ptrdiff_t blocks = live_allocations() - without_blocks;
            EXPECT_LE(blocks, 2 + 1) << "seed " << seed << "; one is for what the receiver remembers";
        }
        if (!testing::Test::HasFailure()) {
            EXPECT_EQ(live_allocations(), before) << "seed " << seed;
        }
    }
}

TEST_P(list_of, receives_past_stalled_sends_what_a_plain_list_would_give) { run_stalling(GetParam(), ending::none); }

TEST_P(list_of, closed_while_sends_are_stalled_lets_just_those_succeed) { run_stalling(GetParam(), ending::close); }

TEST_P(list_of, dropped_while_sends_are_stalled_destroys_each_message_as_soon_as_its_send_ends) {
    run_stalling(GetParam(), ending::drop);
}

TEST_P(list_of, keeps_the_blocks_that_a_stalled_send_needs_and_gives_them_back_after_it) {
    constexpr unsigned messages = 100;
    const auto channel = make();
    const std::ptrdiff_t before = live_allocations();
    std::uint64_t sent = 0;
    for (; sent < 5; ++sent) { // beyond the embedded block
        ASSERT_EQ(channel->try_send(number(0, sent)), send_result::sent);
        ASSERT_EQ(take_number(*channel), sent);
    }
    const std::uint64_t stalled = sent;
    auto source = making<boxed>([&](void* place) {
        for (unsigned i = 0; i < messages; ++i) {
            ++sent;
            EXPECT_EQ(channel->try_send(number(0, sent)), send_result::sent);
            EXPECT_EQ(take_number(*channel), sent);
        }
        EXPECT_EQ(take_number(*channel), std::nullopt);
        EXPECT_GT(live_allocations() - before, 2);
        ::new (place) boxed(number(0, stalled));
    });
    ASSERT_EQ(channel->try_send(source), send_result::sent);
    EXPECT_EQ(take_number(*channel), stalled);
    EXPECT_EQ(take_number(*channel), std::nullopt);
    EXPECT_LE(live_allocations() - before, 2);
    EXPECT_EQ(channel->len(), 0U);
}

// Threads whose sends stand still at once, each until it is let go.
TEST_P(list_of, receives_just_what_was_sent_past_senders_that_go_on_in_any_order) {
    constexpr unsigned native_rounds = 10;
    constexpr unsigned senders = 12;
    struct stalled_sender {
        std::binary_semaphore has_claimed{0};
        std::binary_semaphore may_go_on{0};
        std::jthread thread;
    };
    std::minstd_rand random(7);
    const auto channel = make();
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        std::array<stalled_sender, senders> stalled;
        std::vector<unsigned> order;
        std::vector<bool> is_there(senders, false);
        for (unsigned i = 0; i < senders; ++i) {
            stalled[i].thread = std::jthread([&, i] {
                auto source = making<boxed>([&, i](void* place) {
                    stalled[i].has_claimed.release();
                    stalled[i].may_go_on.acquire();
                    ::new (place) boxed(number(0, i));
                });
                EXPECT_EQ(channel->try_send(source), send_result::sent);
            });
            stalled[i].has_claimed.acquire();
            order.push_back(i);
        }
        std::ranges::shuffle(order, random);
        for (const unsigned i : order) {
            stalled[i].may_go_on.release();
            stalled[i].thread.join();
            is_there[i] = true;
            if (random() % 2 == 0) {
                for (auto left = std::ranges::count(is_there, true); left > 0; --left) {
                    const auto message = take_number(*channel);
                    ASSERT_TRUE(message);
                    const auto which = static_cast<std::size_t>(*message);
                    ASSERT_TRUE(is_there[which]);
                    is_there[which] = false;
                }
                ASSERT_EQ(take_number(*channel), std::nullopt);
            }
        }
        while (channel->try_receive()) {
        }
        ASSERT_EQ(channel->len(), 0U);
        ASSERT_FALSE(channel->is_send_under_way());
    }
}

// ---- Memory that is out ----

TEST_P(list_of, a_send_without_memory_throws_leaves_its_message_and_the_channel_good) {
    constexpr unsigned rounds = 500;
    const auto channel = make();
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::minstd_rand random(3);
    unsigned thrown = 0;
    for (unsigned round = 0; round < rounds; ++round) {
        bool has_memory = false;
        for (unsigned attempts = static_cast<unsigned>(random() % 20); attempts > 0; --attempts) {
            has_memory = random() % 2 == 0;
            boxed message = number(0, sent);
            auto source = source_of(message);
            try {
                std::optional<no_memory> without;
                if (!has_memory) {
                    without.emplace();
                }
                channel->try_send(source);
                ++sent;
            } catch (const std::bad_alloc&) {
                ASSERT_FALSE(has_memory);
                ASSERT_NE(message, nullptr);
                ++thrown;
                continue;
            }
            ASSERT_EQ(message, nullptr);
            ASSERT_EQ(channel->len(), sent - received);
        }
        for (unsigned receives = static_cast<unsigned>(random() % 20); receives > 0 && received != sent; --receives) {
            ASSERT_EQ(take_number(*channel), received);
            ++received;
        }
    }
    EXPECT_GT(thrown, 0U);
}

TEST_P(list_of, with_no_memory_at_all_gives_what_was_sent_and_then_throws_for_ever) {
    const auto channel = make();
    std::uint64_t sent = 0;
    constexpr unsigned attempts = 100;
    unsigned thrown = 0;
    for (unsigned i = 0; i < attempts; ++i) {
        boxed message = number(0, sent);
        auto source = source_of(message);
        try {
            const no_memory without;
            EXPECT_EQ(channel->try_send(source), send_result::sent);
            ++sent;
        } catch (const std::bad_alloc&) {
            ++thrown;
        }
    }
    EXPECT_EQ(sent, GetParam().embedded_slots);
    EXPECT_EQ(thrown, attempts - sent);
    for (std::uint64_t i = 0; i < sent; ++i) {
        EXPECT_EQ(take_number(*channel), i);
    }
    EXPECT_EQ(channel->try_send(number(0, 7)), send_result::sent);
    EXPECT_EQ(take_number(*channel), 7U);
}

TEST_P(list_of, closes_while_memory_is_out) {
    const auto channel = make();
    boxed message = number(0, 0);
    const no_memory without;
    channel->close();
    EXPECT_EQ(channel->try_send(std::move(message)), send_result::disconnected);
}

// With sends that stand still inside the reserve.
void run_stalling_without_memory(std::unique_ptr<any_channel<logged>> (*make)(), ending end, unsigned deepest) {
    constexpr unsigned native_seeds = 120;
    constexpr unsigned steps = 400;
    unsigned thrown = 0;
    for (unsigned seed = 1; seed <= scaled(native_seeds) && !testing::Test::HasFailure(); ++seed) {
        const auto channel = make();
        stalling_model driver(*channel, {unbounded, seed, steps, deepest, end});
        std::minstd_rand random(seed);
        const auto around_send = [&](auto send) -> std::optional<send_result> {
            std::optional<no_memory> without;
            if (random() % 2 == 0) {
                without.emplace();
            }
            try {
                return send();
            } catch (const std::bad_alloc&) {
                ++thrown;
                return std::nullopt;
            }
        };
        const auto around_receive = [&](auto receive) {
            std::optional<no_memory> without;
            if (random() % 2 == 0) {
                without.emplace();
            }
            return receive();
        };
        driver.run(around_send, around_receive);
    }
    EXPECT_GT(thrown, 0U);
}

TEST(list_memory, runs_out_under_stalled_sends_without_harm) {
    run_stalling_without_memory(make_list<logged, wide_reserve>, ending::none, wide_reserve::reserve - 1);
}

TEST(list_memory, runs_out_under_stalled_sends_of_single_slots_without_harm) {
    run_stalling_without_memory(make_list<logged, single_slots>, ending::drop, 12);
}

TEST(list_memory, runs_out_under_several_senders_and_each_send_either_succeeds_or_throws) {
    constexpr unsigned native_messages = 20'000;
    constexpr unsigned senders = 3;
    const std::ptrdiff_t before = live_allocations();
    {
        const auto channel = make_list<boxed, wide_reserve>();
        std::atomic<unsigned> running{senders};
        std::array<std::uint64_t, senders> sent{};
        arrivals arrived;
        in_parallel(senders + 1, [&](unsigned which) {
            if (which == senders) {
                while (running.load() != 0 || channel->len() != 0) {
                    if (auto message = channel->try_receive()) {
                        arrived.note(*message);
                    }
                }
                return;
            }
            std::minstd_rand random(which + 1);
            for (unsigned i = 0; i < scaled(native_messages); ++i) {
                boxed message = number(which, sent[which]);
                auto source = source_of(message);
                const bool has_memory = random() % 2 == 0;
                try {
                    std::optional<no_memory> without;
                    if (!has_memory) {
                        without.emplace();
                    }
                    channel->try_send(source);
                    ++sent[which];
                } catch (const std::bad_alloc&) {
                    EXPECT_FALSE(has_memory);
                    EXPECT_NE(message, nullptr);
                }
            }
            --running;
        });
        for (unsigned i = 0; i < senders; ++i) {
            EXPECT_EQ(arrived.of(i), sent[i]);
        }
    }
    EXPECT_EQ(live_allocations(), before);
}

// ---- Several threads ----

TEST_P(list_of, delivers_each_message_of_each_sender_once_and_in_order) {
    constexpr unsigned native_messages = 30'000;
    constexpr unsigned senders = 3;
    const std::ptrdiff_t before = live_allocations();
    {
        const auto channel = make();
        arrivals arrived;
        in_parallel(senders + 1, [&](unsigned which) {
            if (which == senders) {
                for (std::uint64_t left = std::uint64_t{senders} * scaled(native_messages); left > 0; --left) {
                    auto message = channel->receive(deadline::after(patience));
                    ASSERT_TRUE(message) << left << " messages are missing";
                    arrived.note(*message);
                }
                return;
            }
            for (unsigned i = 0; i < scaled(native_messages); ++i) {
                ASSERT_EQ(channel->try_send(number(which, i)), send_result::sent);
            }
        });
        for (unsigned i = 0; i < senders; ++i) {
            EXPECT_EQ(arrived.of(i), scaled(native_messages));
        }
        EXPECT_EQ(take_number(*channel), std::nullopt);
        EXPECT_EQ(channel->len(), 0U);
    }
    EXPECT_EQ(live_allocations(), before);
}

TEST_P(list_of, found_empty_after_several_senders_keeps_at_most_two_blocks) {
    constexpr unsigned native_rounds = 2'000;
    constexpr unsigned senders = 2;
    std::vector<std::unique_ptr<any_channel<boxed>>> channels;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        channels.push_back(make());
    }
    pace together(senders + 1);
    in_parallel(senders + 1, [&](unsigned which) {
        std::minstd_rand random(which + 1);
        for (unsigned round = 0; round < channels.size(); ++round) {
            together.keep(which, round);
            for (std::size_t i = random() % 10; i > 0; --i) {
                if (which != senders) {
                    EXPECT_EQ(channels[round]->try_send(number(which, round)), send_result::sent);
                } else {
                    (void)channels[round]->try_receive();
                }
            }
        }
    });
    std::ptrdiff_t most = 0;
    for (auto& each : channels) {
        while (each->try_receive()) {
        }
        const std::ptrdiff_t before = live_allocations();
        each.reset();
        most = std::max(most, before - live_allocations());
    }
    EXPECT_LE(most, 2 + channel_and_handle);
}

// crossbeam-rs/crossbeam#1187: the first block's installation against the receiver's drop.
TEST_P(list_of, the_first_sends_against_the_drop_of_the_receiver_lose_nothing_and_leak_nothing) {
    constexpr unsigned native_rounds = 4'000;
    constexpr unsigned senders = 2;
    constexpr unsigned messages = 6;
    const std::ptrdiff_t before = live_allocations();
    {
        std::vector<std::unique_ptr<any_channel<boxed>>> channels;
        for (unsigned round = 0; round < scaled(native_rounds); ++round) {
            channels.push_back(make());
        }
        pace together(senders + 1);
        in_parallel(senders + 1, [&](unsigned which) {
            for (unsigned round = 0; round < channels.size(); ++round) {
                together.keep(which, round);
                if (which == senders) {
                    pause_for(round % 64);
                    channels[round]->drop_receiver();
                    continue;
                }
                bool was_disconnected = false;
                for (unsigned i = 0; i < messages; ++i) {
                    boxed message = number(which, i);
                    auto source = source_of(message);
                    const bool is_sent = channels[round]->try_send(source) == send_result::sent;
                    EXPECT_EQ(is_sent, message == nullptr) << "sent, and not moved from, or the other way round";
                    EXPECT_FALSE(is_sent && was_disconnected) << "sent after a send had failed";
                    was_disconnected = !is_sent;
                }
            }
        });
        for (auto& each : channels) {
            ASSERT_EQ(each->try_send(number(0, 0)), send_result::disconnected);
        }
    }
    EXPECT_EQ(live_allocations(), before);
}

// crossbeam-rs/crossbeam#1102, rust-lang/rust#107466.
TEST_P(list_of, every_message_is_destroyed_when_all_sends_have_ended_though_the_state_lives_on) {
    struct final_log final : message_log {
        void note_destroyed(std::size_t) noexcept override { ++destroyed; }
        std::atomic<unsigned> made{0};
        std::atomic<unsigned> destroyed{0};
    };
    constexpr unsigned native_rounds = 2'000;
    constexpr unsigned senders = 2;
    final_log log;
    std::vector<std::unique_ptr<any_channel<logged>>> channels;
    for (unsigned round = 0; round < scaled(native_rounds); ++round) {
        channels.push_back(GetParam().make_logged());
    }
    pace together(senders + 1);
    in_parallel(senders + 1, [&](unsigned which) {
        constexpr unsigned most = 50;
        for (unsigned round = 0; round < channels.size(); ++round) {
            together.keep(which, round);
            auto& here = *channels[round];
            if (which == senders) {
                for (unsigned i = round % 8; i > 0; --i) {
                    (void)here.try_receive();
                }
                here.drop_receiver();
                continue;
            }
            send_result result = send_result::sent;
            for (unsigned i = 0; i < most && result == send_result::sent; ++i) {
                logged message(log, i);
                ++log.made;
                auto source = source_of(message);
                result = here.try_send(source);
            }
        }
    });
    EXPECT_EQ(log.destroyed.load(), log.made.load());
}

// Waits of all lengths against sends: none is slept through.
TEST_P(list_of, no_message_is_slept_through) {
    constexpr unsigned native_messages = 500;
    const auto channel = make();
    const auto back = make();
    in_parallel(2, [&](unsigned which) {
        for (std::uint64_t i = 0; i < scaled(native_messages); ++i) {
            if (which == 0) {
                ASSERT_EQ(channel->try_send(number(0, i)), send_result::sent);
                ASSERT_EQ(**back->receive(deadline::after(patience)), i);
            } else {
                ASSERT_EQ(**channel->receive(deadline::after(patience)), i);
                pause_for(i * 7 % 500);
                ASSERT_EQ(back->try_send(number(0, i)), send_result::sent);
            }
        }
    });
}

// ---- The sizes of the product ----

TEST(list_sizes, of_a_small_message_has_a_reserve_for_the_promised_number_of_threads) {
    using small = weir::detail::list_sizes<std::uint64_t>;
    EXPECT_EQ(small::reserve, small::threads);
    EXPECT_GE(small::threads, 256U);
}

TEST(list_sizes, two_blocks_take_no_more_than_promised_or_hold_one_message_each) {
    const auto expect = []<class T>(const T*) {
        using chosen = weir::detail::list_sizes<T>;
        const std::size_t bytes = chosen::slots * (sizeof(T) + 1) + chosen::header_bytes;
        EXPECT_TRUE(bytes <= chosen::block_bytes || chosen::slots == 1) << sizeof(T);
        EXPECT_LE(2 * chosen::block_bytes, 64U * 1024U);
    };
    expect(static_cast<std::byte*>(nullptr));
    expect(static_cast<std::uint64_t*>(nullptr));
    expect(static_cast<std::array<std::byte, 100>*>(nullptr));
    expect(static_cast<std::array<std::byte, 5'000>*>(nullptr));
    expect(static_cast<std::array<std::byte, 256 * 1024>*>(nullptr));
}

TEST(list, of_the_product_allocates_no_more_than_64_kib_when_found_empty) {
    constexpr unsigned messages = 20'000;
    held channel(list<std::uint64_t>::make());
    const std::ptrdiff_t before = live_allocations();
    std::size_t largest = 0;
    for (std::uint64_t i = 0; i < messages; ++i) {
        const std::size_t count = own_allocations();
        ASSERT_EQ(channel.try_send(i), send_result::sent);
        largest = own_allocations() != count ? std::max(largest, last_allocation_size()) : largest;
    }
    for (std::uint64_t i = 0; i < messages; ++i) {
        ASSERT_EQ(channel.try_receive(), i);
    }
    ASSERT_EQ(channel.try_receive(), std::nullopt);
    EXPECT_LE(live_allocations() - before, 2);
    EXPECT_LE(largest, 32U * 1024U);
    EXPECT_GT(largest, 0U);
}

TEST(list, aligns_over_aligned_messages_in_its_blocks_and_outside) {
    struct alignas(256) wide {
        explicit wide(std::uint64_t it) noexcept : value(it) {}
        std::uint64_t value;
    };
    constexpr unsigned messages = 300;
    held channel(list<wide>::make());
    for (std::uint64_t i = 0; i < messages; ++i) {
        wide message(i);
        auto source = source_of(message);
        ASSERT_EQ(channel.try_send(source), send_result::sent);
    }
    for (std::uint64_t i = 0; i < messages; ++i) {
        wide* const message = channel.acquire();
        ASSERT_NE(message, nullptr);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(message) % alignof(wide), 0U);
        ASSERT_EQ(message->value, i);
        channel.release(message);
    }
}

} // namespace
