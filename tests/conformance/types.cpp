// SPDX-License-Identifier: BSL-1.0
//
// Every kind of message, and what sending does to the argument.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/flavor.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class types : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, types, every_flavor(), flavor_name);
class types_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, types_buffered, buffered_flavors(), flavor_name);
class types_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, types_bounded, bounded_flavors(), flavor_name);

// Sends `make(0)`, `make(1)` and so on from another thread, receives them in every way and gives them to `expect`.
template <class T, class Make, class Expect>
void exchange(const flavor& which, Make make, Expect expect) {
    constexpr int count = 25;
    auto [tx, rx] = open<T>(which);
    worker sends([&make, handle = std::move(tx)] {
        for (int i = 0; i < count; ++i)
            EXPECT_TRUE(handle.send(make(i)));
    });
    int next = 0;
    expect(next++, rx.recv().value());
    expect(next++, rx.recv_timeout(patience).value());
    for (auto&& message : rx) {
        expect(next++, std::move(message));
        if (next == 10)
            break;
    }
    while (next < 15) {
        if (auto got = rx.try_recv())
            expect(next++, std::move(*got));
    }
    for (auto&& message : rx)
        expect(next++, std::move(message));
    EXPECT_EQ(next, count);
}

struct empty {};
struct alignas(256) aligned {
    unsigned char number;
};
class stubborn { // cannot be made by default, assigned, or asked for its address
public:
    explicit stubborn(int number) noexcept : number_(number) {}
    stubborn(stubborn&&) noexcept = default;
    stubborn(const stubborn&) = delete;
    stubborn& operator=(const stubborn&) = delete;
    stubborn& operator=(stubborn&&) = delete;
    ~stubborn() = default;
    void operator&() const = delete; // NOLINT(google-runtime-operator): it is what the test is about
    int number() const { return number_; }

private:
    const int number_;
};
struct misleading { // whose address is not where it lies
    int number;
    misleading* operator&() { return nullptr; }             // NOLINT(google-runtime-operator)
    const misleading* operator&() const { return nullptr; } // NOLINT(google-runtime-operator)
};

TEST_P(types, single_bytes) {
    exchange<unsigned char>(
        GetParam(), [](int i) { return static_cast<unsigned char>(i * 10); },
        [](int i, unsigned char got) { EXPECT_EQ(got, i * 10); });
}
TEST_P(types, empty_classes) {
    exchange<empty>(
        GetParam(), [](int) { return empty(); }, [](int, empty) {});
}
TEST_P(types, over_aligned_classes) {
    exchange<aligned>(
        GetParam(), [](int i) { return aligned{static_cast<unsigned char>(i)}; },
        [](int i, aligned&& got) {
            EXPECT_EQ(got.number, i);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&got) % alignof(aligned), 0u);
        });
}
TEST_P(types, move_only_messages) {
    exchange<std::unique_ptr<int>>(
        GetParam(), [](int i) { return std::make_unique<int>(i); },
        [](int i, const std::unique_ptr<int>& got) { EXPECT_EQ(*got, i); });
}
TEST_P(types, messages_without_default_assignment_or_address) {
    exchange<stubborn>(
        GetParam(), [](int i) { return stubborn(i); }, [](int i, stubborn&& got) { EXPECT_EQ(got.number(), i); });
}
TEST_P(types, messages_with_an_overloaded_address) {
    exchange<misleading>(
        GetParam(), [](int i) { return misleading{i}; }, [](int i, misleading&& got) { EXPECT_EQ(got.number, i); });
}
// A message that is itself an error, or an expected, is not mistaken for the result of the operation.
TEST_P(types, messages_that_look_like_results) {
    using message = std::expected<std::optional<weir::recv_error>, weir::send_error>;
    exchange<message>(
        GetParam(),
        [](int i) {
            return i % 3 == 0   ? message(std::unexpected(weir::send_error::disconnected))
                   : i % 3 == 1 ? message(std::nullopt)
                                : message(weir::recv_error::disconnected);
        },
        [](int i, const message& got) {
            EXPECT_EQ(got.has_value(), i % 3 != 0);
            EXPECT_EQ(got.has_value() && got->has_value(), i % 3 == 2);
        });
}

// rust-lang/rust#102246: a large message went over the stack on its way into the channel, and overflowed it.
struct big {
    explicit big(unsigned char fill) noexcept { std::ranges::fill(bytes, fill); }
    bool is(unsigned char fill) const {
        return std::ranges::all_of(bytes, [fill](unsigned char byte) { return byte == fill; });
    }
    std::array<unsigned char, 256 * 1024> bytes;
};

class types_large : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, types_large,
                         testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{2}, flavor{5}, flavor{64}),
                         flavor_name);

TEST_P(types_large, messages_larger_than_the_stack_pass) {
    constexpr std::size_t stack = 160 * 1024;
    static_assert(sizeof(big) > stack);
    auto [tx, rx] = open<big>(GetParam());
    const auto first = std::make_unique<big>(static_cast<unsigned char>(1));
    int received = 0;
    worker receives([&] {
        on_small_stack(stack, [&] {
            // Results on the heap: made there, since they are returned by value.
            const auto expect = [&received](const auto* result) {
                EXPECT_TRUE(result->has_value() && (**result).is(static_cast<unsigned char>(++received)));
                delete result;
            };
            expect(new std::expected<big, weir::recv_error>(rx.recv()));
            expect(new std::expected<big, weir::recv_timeout_error>(rx.recv_timeout(patience)));
            for (auto&& message : rx) {
                EXPECT_TRUE(message.is(static_cast<unsigned char>(++received)));
                if (received == 4)
                    break;
            }
            for (bool got = false; !got;) {
                const auto* result = new std::expected<big, weir::try_recv_error>(rx.try_recv());
                got = result->has_value();
                got ? expect(result) : delete result;
            }
            auto last = std::make_unique<std::array<unsigned char, sizeof(big)>>();
            struct output {
                using difference_type = std::ptrdiff_t;
                unsigned char* where;
                output& operator*() { return *this; }
                output& operator++() { return *this; }
                output operator++(int) { return *this; }
                output& operator=(big&& message) {
                    std::ranges::copy(message.bytes, where);
                    return *this;
                }
            };
            EXPECT_EQ(rx.recv_many(output{last->data()}, 1).value(), 1u);
            EXPECT_EQ(last->front(), static_cast<unsigned char>(++received));
        });
    });
    on_small_stack(stack, [&] {
        EXPECT_TRUE(tx.send(std::as_const(*first)));
        for (unsigned char i = 2; i <= 3; ++i)
            EXPECT_TRUE(tx.emplace(i));
        const auto other = std::make_unique<big>(static_cast<unsigned char>(4));
        EXPECT_TRUE(tx.send(std::move(*other)));
        for (unsigned char i = 5; i <= 6; ++i)
            EXPECT_TRUE(tx.emplace(i));
    });
    receives.join();
    EXPECT_EQ(received, 6);
}

// The same for one that is no more than its bytes.
TEST_P(types_large, bytes_larger_than_the_stack_pass) {
    using bytes = std::array<unsigned char, 256 * 1024>;
    constexpr std::size_t stack = 160 * 1024;
    auto [tx, rx] = open<bytes>(GetParam());
    worker receives([&] {
        on_small_stack(stack, [&] {
            const auto expect = [](const auto* result, unsigned char fill) {
                EXPECT_TRUE(result->has_value());
                EXPECT_TRUE(std::ranges::all_of(**result, [fill](unsigned char byte) { return byte == fill; }));
                delete result;
            };
            expect(new std::expected<bytes, weir::recv_error>(rx.recv()), 1);
            expect(new std::expected<bytes, weir::recv_timeout_error>(rx.recv_timeout(patience)), 2);
            for (auto&& message : rx) {
                EXPECT_EQ(message.back(), 3);
            }
        });
    });
    on_small_stack(stack, [&] {
        const auto message = std::make_unique<bytes>();
        for (unsigned char fill = 1; fill <= 3; ++fill) {
            message->fill(fill);
            EXPECT_TRUE(fill == 2 ? tx.send(std::move(*message)) : tx.send(std::as_const(*message)));
        }
        tx = {};
    });
    receives.join();
}

TEST_P(types_large, messages_larger_than_the_stack_are_dropped) {
    auto [tx, rx] = open<big>(GetParam());
    for (std::size_t i = 0; i < GetParam().room(3); ++i)
        EXPECT_TRUE(tx.emplace(static_cast<unsigned char>(i)));
    on_small_stack(160 * 1024, [&rx] { rx.reset(); });
    EXPECT_FALSE(rx);
}

// A handle may be named where its message is not complete yet.
struct later;
struct holder {
    weir::sender<later> tx;
    weir::sync_sender<later> sync_tx;
    weir::weak_sender<later> weak;
    weir::weak_sync_sender<later> sync_weak;
    weir::receiver<later> rx;
};
struct later {
    std::unique_ptr<holder> back;
    int number = 0;
};
TEST(types_incomplete, a_message_may_hold_handles_of_its_own_type) {
    auto [tx, rx] = weir::channel<later>();
    auto [sync_tx, sync_rx] = weir::sync_channel<later>(1);
    auto inside = std::make_unique<holder>();
    inside->sync_tx = sync_tx;
    inside->weak = tx.downgrade();
    EXPECT_TRUE(tx.send(later{std::move(inside), 1}));
    const auto got = rx.recv().value();
    EXPECT_TRUE(got.back->sync_tx.send(later{nullptr, 2}));
    EXPECT_EQ(sync_rx.recv().value().number, 2);
    EXPECT_TRUE(got.back->weak.lock());
}

// What sending does to its argument.

struct base {
    base() = default;
    base(const base&) = delete;
    base& operator=(const base&) = delete;
    virtual ~base() = default;
    virtual int number() const { return 1; }
};
struct derived : base {
    int number() const override { return 2; }
};

TEST_P(types, a_pointer_to_derived_goes_in_or_stays_as_it_was) {
    auto [tx, rx] = open<std::unique_ptr<base>>(GetParam());
    worker receives([&rx] {
        EXPECT_EQ(rx.recv().value()->number(), 2);
        EXPECT_EQ(rx.recv().value()->number(), 2);
    });
    auto pointer = std::make_unique<derived>();
    EXPECT_TRUE(tx.send(std::move(pointer)));
    EXPECT_FALSE(pointer);
    EXPECT_TRUE(tx.emplace(new derived));
    receives.join();
    for (std::size_t i = 0; i < GetParam().room(1000); ++i)
        EXPECT_TRUE(tx.send(nullptr));
    pointer = std::make_unique<derived>();
    if (GetParam().capacity) {
        EXPECT_EQ(outcome(tx.try_send(std::move(pointer))), channel_errc::full);
        EXPECT_EQ(outcome(tx.send_timeout(std::move(pointer), 1ms)), channel_errc::timeout);
        worker waits([&] { EXPECT_EQ(outcome(tx.send(std::move(pointer))), channel_errc::disconnected); });
        waits.wait_until_asleep();
        rx.reset();
    }
    rx.reset();
    EXPECT_EQ(outcome(tx.send(std::move(pointer))), channel_errc::disconnected);
    ASSERT_TRUE(pointer);
    EXPECT_EQ(pointer->number(), 2);
}

// Counts what is done to it.
struct moves_and_copies {
    int moves = 0;
    int copies = 0;
};
class observed {
public:
    explicit observed(moves_and_copies& where) noexcept : where_(&where) {}
    observed(observed&& other) noexcept : where_(other.where_) { ++where_->moves; }
    observed(const observed& other) noexcept : where_(other.where_) { ++where_->copies; }
    observed& operator=(const observed&) = delete;

private:
    moves_and_copies* where_;
};

TEST_P(types_buffered, a_message_is_made_in_its_place) {
    moves_and_copies done;
    auto [tx, rx] = open<observed>(GetParam());
    observed message(done);
    const auto expect = [&](int moves, int copies) {
        EXPECT_EQ(done.moves, moves);
        EXPECT_EQ(done.copies, copies);
        EXPECT_TRUE(rx.try_recv());
        done = {};
    };
    EXPECT_TRUE(tx.send(message));
    expect(0, 1);
    EXPECT_TRUE(tx.send(std::as_const(message)));
    expect(0, 1);
    EXPECT_TRUE(tx.send(std::move(message)));
    expect(1, 0);
    EXPECT_TRUE(tx.emplace(done));
    expect(0, 0);
    EXPECT_TRUE(tx.try_emplace(done));
    expect(0, 0);
}

TEST_P(types, a_send_that_fails_neither_copies_nor_moves) {
    moves_and_copies done;
    auto [tx, rx] = open<observed>(GetParam());
    observed message(done);
    for (std::size_t i = 0; i < GetParam().room(1000); ++i)
        EXPECT_TRUE(tx.emplace(done));
    if (GetParam().capacity) {
        EXPECT_FALSE(tx.try_send(message));
        EXPECT_FALSE(tx.try_send(std::move(message)));
        EXPECT_FALSE(tx.send_timeout(message, 1ms));
    }
    rx.close();
    EXPECT_FALSE(tx.send(message));
    EXPECT_FALSE(tx.send(std::move(message)));
    EXPECT_FALSE(tx.try_send(message));
    EXPECT_EQ(done.moves, 0);
    EXPECT_EQ(done.copies, 0);
}

// A conversion that cannot throw is made when the send succeeds, and only then.
class ticket {
public:
    explicit ticket(int& conversions) : conversions_(&conversions) {}
    operator uint64_t() const noexcept { // NOLINT(google-explicit-constructor): implicit is what the test needs
        return static_cast<uint64_t>(++*conversions_);
    }

private:
    int* conversions_;
};
TEST_P(types, a_conversion_is_made_only_for_a_send_that_succeeds) {
    int conversions = 0;
    const ticket one(conversions);
    auto [tx, rx] = open<uint64_t>(GetParam());
    for (std::size_t i = 0; i < GetParam().room(1000); ++i)
        EXPECT_TRUE(tx.send(0));
    if (GetParam().capacity) {
        EXPECT_FALSE(tx.try_send(one));
        EXPECT_FALSE(tx.send_timeout(one, 1ms));
        EXPECT_EQ(conversions, 0);
        worker sends([&] { EXPECT_TRUE(tx.send(one)); });
        EXPECT_TRUE(rx.recv());
        sends.join();
        EXPECT_EQ(conversions, 1);
    }
    rx.close();
    EXPECT_FALSE(tx.send(one));
    EXPECT_EQ(conversions, GetParam().capacity ? 1 : 0);
}

// What a copy or a conversion throws passes through, and nothing has happened to the channel.
class fragile {
public:
    struct broken : std::runtime_error {
        broken() : std::runtime_error("fragile") {}
    };
    explicit fragile(int number) : number_(number) {
        if (number < 0)
            throw broken();
    }
    fragile(const fragile& other) : number_(other.number_), breaks_(other.breaks_) {
        if (breaks_)
            throw broken();
    }
    fragile(fragile&& other) noexcept = default;
    fragile& operator=(const fragile&) = delete;
    void break_on_copy() { breaks_ = true; }
    int number() const { return number_; }

private:
    int number_;
    bool breaks_ = false;
};
struct makes_fragile {
    operator fragile() const { return fragile(-1); } // NOLINT(google-explicit-constructor)
};
TEST_P(types_buffered, what_a_copy_or_conversion_throws_passes_through) {
    auto [tx, rx] = open<fragile>(GetParam());
    const std::size_t capacity = GetParam().room(100);
    fragile breaking(7);
    breaking.break_on_copy();
    for (int lap = 0; lap < 3; ++lap) {
        for (std::size_t i = 0; i < capacity; ++i) {
            EXPECT_THROW(static_cast<void>(tx.send(breaking)), fragile::broken);
            EXPECT_THROW(static_cast<void>(tx.emplace(-1)), fragile::broken);
            EXPECT_THROW(static_cast<void>(tx.send(makes_fragile())), fragile::broken);
            EXPECT_THROW(static_cast<void>(tx.try_send(breaking)), fragile::broken);
            EXPECT_THROW(static_cast<void>(tx.send_timeout(breaking, 1ms)), fragile::broken);
            EXPECT_EQ(tx.len(), i);
            EXPECT_EQ(outcome(tx.try_send(fragile(static_cast<int>(i)))), ok);
        }
        for (std::size_t i = 0; i < capacity; ++i)
            EXPECT_EQ(rx.try_recv().value().number(), static_cast<int>(i));
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    }
}
TEST(types_of_a_rendezvous, what_a_copy_throws_leaves_the_waiting_receive) {
    auto [tx, rx] = open<fragile>(flavor{0});
    fragile breaking(7);
    breaking.break_on_copy();
    worker receives([&rx] { EXPECT_EQ(rx.recv().value().number(), 3); });
    receives.wait_until_asleep();
    EXPECT_THROW(static_cast<void>(tx.send(breaking)), fragile::broken);
    EXPECT_THROW(static_cast<void>(tx.try_emplace(-1)), fragile::broken);
    EXPECT_TRUE(tx.emplace(3));
}

TEST_P(types, what_converts_is_converted) {
    auto [tx, rx] = open<std::string>(GetParam());
    worker receives([&rx] {
        EXPECT_EQ(rx.recv().value(), "literal");
        EXPECT_EQ(rx.recv().value(), "aaa");
        EXPECT_EQ(rx.recv().value(), "view");
    });
    EXPECT_TRUE(tx.send("literal"));
    EXPECT_TRUE(tx.emplace(3u, 'a'));
    EXPECT_TRUE(tx.emplace(std::string_view("view")));
}

// Converts to a string by a move that might throw, as far as the library knows.
struct titled {
    titled(std::string&& text) : title(std::move(text)) {} // NOLINT(google-explicit-constructor)
    std::string title;
};
TEST_P(types_bounded, what_might_throw_is_not_converted_where_there_is_no_time_to_wait_for_room) {
    auto [tx, rx] = open<titled>(GetParam());
    for (std::size_t i = 0; i < GetParam().room(100'000); ++i)
        EXPECT_TRUE(tx.send(std::string("filling")));
    std::string text = "a text that stays where it is";
    const std::string before = text;
    EXPECT_EQ(outcome(tx.try_send(std::move(text))), channel_errc::full);
    EXPECT_EQ(outcome(tx.send_timeout(std::move(text), 0s)), channel_errc::timeout);
    EXPECT_EQ(outcome(tx.send_timeout(std::move(text), -1s)), channel_errc::timeout);
    EXPECT_EQ(outcome(tx.send_deadline(std::move(text), std::chrono::system_clock::time_point())),
              channel_errc::timeout);
#if WEIR_HAS_STOP_TOKEN
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(outcome(tx.send(std::move(text), stop.get_token())), channel_errc::stopped);
#endif
    EXPECT_EQ(text, before);
}

} // namespace
