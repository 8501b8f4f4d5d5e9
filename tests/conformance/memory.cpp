// SPDX-License-Identifier: BSL-1.0
//
// What the channels take from the allocator, give back, and do when it has nothing left. This program replaces the
// global operators new and delete.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <weir/select.hpp>
#include <weir/timer.hpp>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

constinit std::atomic<std::size_t> live_bytes{0};
constinit std::atomic<std::size_t> allocations{0};

// Which of this thread's next allocations fail: the one after `left` more, and those after it where `for_good`.
struct failure_plan {
    bool armed;
    bool for_good;
    bool has_failed;
    std::size_t left;
};
constinit thread_local failure_plan plan{};

bool is_to_fail() {
    if (!plan.armed)
        return false;
    if (plan.left > 0) {
        --plan.left;
        return false;
    }
    plan.armed = plan.for_good;
    plan.has_failed = true;
    return true;
}

// The size of each block stands before it.
void* take(std::size_t size, std::size_t alignment) {
    if (is_to_fail())
        throw std::bad_alloc();
    alignment = std::max(alignment, alignof(std::max_align_t));
    const std::size_t whole = (alignment + size + alignment - 1) / alignment * alignment;
    void* const start = std::aligned_alloc(alignment, whole);
    if (start == nullptr)
        throw std::bad_alloc();
    std::byte* const block = static_cast<std::byte*>(start) + alignment;
    ::new (static_cast<void*>(block - sizeof(std::size_t))) std::size_t(size);
    live_bytes.fetch_add(size);
    allocations.fetch_add(1);
    return block;
}

void give_back(void* pointer, std::size_t alignment) noexcept {
    if (pointer == nullptr)
        return;
    alignment = std::max(alignment, alignof(std::max_align_t));
    std::byte* const block = static_cast<std::byte*>(pointer);
    live_bytes.fetch_sub(*reinterpret_cast<std::size_t*>(block - sizeof(std::size_t)));
    std::free(block - alignment);
}

} // namespace

void* operator new(std::size_t size) { return take(size, 1); }
void* operator new[](std::size_t size) { return take(size, 1); }
void* operator new(std::size_t size, std::align_val_t to) { return take(size, static_cast<std::size_t>(to)); }
void* operator new[](std::size_t size, std::align_val_t to) { return take(size, static_cast<std::size_t>(to)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return take(size, 1);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new(std::size_t size, std::align_val_t to, const std::nothrow_t&) noexcept {
    try {
        return take(size, static_cast<std::size_t>(to));
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* pointer) noexcept { give_back(pointer, 1); }
void operator delete[](void* pointer) noexcept { give_back(pointer, 1); }
void operator delete(void* pointer, std::size_t) noexcept { give_back(pointer, 1); }
void operator delete[](void* pointer, std::size_t) noexcept { give_back(pointer, 1); }
void operator delete(void* pointer, std::align_val_t to) noexcept { give_back(pointer, static_cast<std::size_t>(to)); }
void operator delete[](void* pointer, std::align_val_t to) noexcept {
    give_back(pointer, static_cast<std::size_t>(to));
}
void operator delete(void* pointer, std::size_t, std::align_val_t to) noexcept {
    give_back(pointer, static_cast<std::size_t>(to));
}
void operator delete[](void* pointer, std::size_t, std::align_val_t to) noexcept {
    give_back(pointer, static_cast<std::size_t>(to));
}
void operator delete(void* pointer, const std::nothrow_t&) noexcept { give_back(pointer, 1); }
void operator delete(void* pointer, std::align_val_t to, const std::nothrow_t&) noexcept {
    give_back(pointer, static_cast<std::size_t>(to));
}

namespace {

// While one is there, the thread's allocation number `index` fails, or all from it on.
class failing_allocation {
public:
    explicit failing_allocation(std::size_t index, bool for_good = false) { plan = {true, for_good, false, index}; }
    failing_allocation(const failing_allocation&) = delete;
    failing_allocation& operator=(const failing_allocation&) = delete;
    ~failing_allocation() { plan = {}; }
    bool was_reached() const { return plan.has_failed; }
};

// Everything allocated since is to be freed when it goes.
class balance {
public:
    balance() = default;
    balance(const balance&) = delete;
    balance& operator=(const balance&) = delete;
    ~balance() { EXPECT_EQ(live_bytes.load(), before_) << "memory that was not given back"; }
    std::size_t taken() const { return live_bytes.load() - before_; }

private:
    std::size_t before_ = live_bytes.load();
};

class memory : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, memory, every_flavor(), flavor_name);
class memory_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, memory_buffered, buffered_flavors(), flavor_name);
class memory_bounded : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, memory_bounded, bounded_flavors(), flavor_name);

constexpr std::size_t idle_limit = 1024;

TEST_P(memory, an_idle_channel_takes_at_most_a_kibibyte_beside_its_slots) {
    const balance all;
    const auto channel = open<uint64_t>(GetParam());
    const std::size_t slots = GetParam().capacity.value_or(0) * (sizeof(uint64_t) + 2 * sizeof(void*));
    EXPECT_LE(all.taken(), idle_limit + slots);
}

TEST_P(memory, everything_is_given_back_whatever_was_done) {
    const balance all;
    for (int ending = 0; ending < 4; ++ending) {
        auto [tx, rx] = open<std::unique_ptr<uint64_t>>(GetParam());
        const std::size_t room = GetParam().room(5000);
        for (std::size_t i = 0; i < room; ++i)
            EXPECT_TRUE(tx.send(std::make_unique<uint64_t>(i)));
        for (std::size_t i = 0; i < room / 2; ++i)
            EXPECT_TRUE(rx.recv());
        const auto weak = tx.downgrade();
        switch (ending) {
        case 0:
            tx.reset();
            break;
        case 1:
            rx.reset();
            break;
        case 2:
            rx.close();
            while (rx.recv()) {
            }
            break;
        default:
            tx.reset();
            rx.reset();
            EXPECT_FALSE(weak.lock());
        }
    }
}

TEST_P(memory, making_copies_of_handles_takes_no_memory) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    const std::size_t before = allocations;
    {
        const auto clone = tx;
        const auto weak = clone.downgrade();
        const auto copy = weak;
        const auto locked = copy.lock();
        EXPECT_TRUE(locked.same_channel(tx));
        const auto moved = std::move(rx);
    }
    EXPECT_EQ(allocations, before);
}

TEST_P(memory_bounded, messages_take_no_memory) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    constexpr uint64_t count = scaled(20000);
    const auto exchange = [&] {
        worker sends([&] {
            for (uint64_t i = 0; i < count; ++i) {
                EXPECT_TRUE(i % 3 == 0 ? bool(tx.send(i)) : bool(tx.send_timeout(i, patience)));
            }
        });
        for (uint64_t i = 0; i < count; ++i)
            EXPECT_EQ(i % 3 == 0 ? rx.recv_timeout(patience).value() : rx.recv().value(), i);
    };
    const std::size_t start = allocations;
    {
        worker nothing([] {});
    }
    const std::size_t of_a_thread = allocations - start;
    const std::size_t before = allocations;
    exchange();
    EXPECT_EQ(allocations - before, of_a_thread);
}

TEST_P(memory_bounded, a_select_takes_no_memory_whether_it_waits_or_not) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    auto [quiet_tx, quiet_rx] = weir::channel<uint64_t>();
    constexpr uint64_t count = scaled(5000);
    const auto exchange = [&, &out_tx = tx, &in = rx, &quiet = quiet_rx] {
        worker sends([&] {
            out_tx.visit([](const auto& out) {
                for (uint64_t i = 0; i < count; ++i) {
                    weir::select(weir::on_send(out, i, [](auto r) { EXPECT_TRUE(r); }),
                                 weir::on_timeout(patience, [] {}));
                }
            });
        });
        for (uint64_t i = 0; i < count; ++i) {
            weir::select(weir::on_recv(in, [&](auto m) { EXPECT_EQ(m.value(), i); }),
                         weir::on_recv(quiet, [](auto) { ADD_FAILURE(); }));
        }
    };
    const std::size_t start = allocations;
    {
        worker nothing([] {});
    }
    const std::size_t of_a_thread = allocations - start;
    const std::size_t before = allocations;
    exchange();
    EXPECT_EQ(allocations - before, of_a_thread);
}

TEST(memory_unbounded, a_send_arm_without_memory_throws_and_nothing_has_happened) {
    auto [tx, rx] = weir::channel<std::unique_ptr<uint64_t>>();
    auto [quiet_tx, quiet_rx] = weir::channel<uint64_t>();
    std::size_t sent = 0;
    auto value = std::make_unique<uint64_t>(7);
    bool has_thrown = false;
    {
        const failing_allocation none(0, true);
        while (sent < 100'000 && !has_thrown) {
            try {
                weir::select(weir::on_recv(quiet_rx, [](auto) { std::abort(); }),
                             weir::on_send(tx, std::move(value), [](auto) {}));
                ++sent;
                value.reset(); // moved from
            } catch (const std::bad_alloc&) {
                has_thrown = true;
            }
        }
        if (sent == 0) {
            EXPECT_NE(value, nullptr);
        }
    }
    EXPECT_TRUE(has_thrown);
    EXPECT_EQ(rx.len(), sent);
    EXPECT_TRUE(tx.send(std::make_unique<uint64_t>(1))) << "the channel is still good";
}

TEST(memory_timer, a_dropped_timer_leaves_nothing) {
    const balance all;
    for (int i = 0; i < 1000; ++i) {
        auto rx = weir::after(std::chrono::hours(1));
        auto ticks = weir::tick(1ms);
        EXPECT_EQ(rx.len(), 0u);
    }
    EXPECT_EQ(all.taken(), 0u);
}

TEST(memory_selector, an_addition_without_memory_changes_nothing) {
    const balance all;
    auto [tx, rx] = weir::channel<uint64_t>();
    weir::selector any;
    for (std::size_t i = 0; i < 40; ++i) {
        const std::size_t before = any.size();
        for (std::size_t index = 0;; ++index) {
            const failing_allocation fails(index);
            try {
                (void)any.add(rx);
                break;
            } catch (const std::bad_alloc&) {
                EXPECT_EQ(any.size(), before);
            }
        }
        EXPECT_EQ(any.size(), before + 1);
    }
    EXPECT_TRUE(tx.send(1u));
    EXPECT_TRUE(any.try_ready());
}

TEST(memory_unbounded, messages_take_no_memory_each) {
    auto [tx, rx] = weir::channel<uint64_t>();
    const std::size_t before = allocations;
    for (uint64_t i = 0; i < 50000; ++i)
        EXPECT_TRUE(tx.send(i));
    EXPECT_LT(allocations - before, 50000u / 16);
    for (uint64_t i = 0; i < 50000; ++i)
        EXPECT_EQ(rx.recv().value(), i);
    const std::size_t then = allocations;
    for (uint64_t i = 0; i < 50000; ++i) {
        EXPECT_TRUE(tx.send(i));
        EXPECT_EQ(rx.recv().value(), i);
    }
    EXPECT_LT(allocations - then, 50000u / 16);
}

TEST(memory_unbounded, no_block_is_taken_before_the_first_send) {
    const balance all;
    struct large {
        unsigned char bytes[100000];
    };
    auto [tx, rx] = weir::channel<large>();
    EXPECT_LE(all.taken(), idle_limit);
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_EQ(outcome(rx.recv_timeout(1ms)), channel_errc::timeout);
    rx.close();
    EXPECT_EQ(outcome(tx.emplace()), channel_errc::disconnected);
    EXPECT_LE(all.taken(), idle_limit);
}

// tokio-rs/tokio#2854: capacity once taken was never given back.
TEST(memory_unbounded, a_burst_gives_its_memory_back_once_it_was_received) {
    const balance all;
    auto [tx, rx] = weir::channel<uint64_t>();
    for (int burst = 0; burst < 3; ++burst) {
        for (uint64_t i = 0; i < 200000; ++i)
            EXPECT_TRUE(tx.send(i));
        EXPECT_GT(all.taken(), 200000 * sizeof(uint64_t));
        for (uint64_t i = 0; i < 200000; ++i)
            EXPECT_EQ(rx.try_recv().value(), i);
        EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
        EXPECT_LE(all.taken(), 64 * 1024 + idle_limit);
    }
}

TEST(memory_unbounded, a_burst_of_large_messages_gives_its_memory_back) {
    const balance all;
    struct large {
        unsigned char bytes[100000];
    };
    auto [tx, rx] = weir::channel<large>();
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(tx.emplace());
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(rx.try_recv());
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_LE(all.taken(), 2 * (sizeof(large) + idle_limit) + idle_limit) << "at most two blocks of one message each";
}

TEST(memory_unbounded, a_burst_from_several_threads_gives_its_memory_back) {
    const balance all;
    auto [tx, rx] = weir::channel<uint64_t>();
    {
        const auto send_all = [&tx] {
            for (uint64_t i = 0; i < 50000; ++i)
                EXPECT_TRUE(tx.send(i));
        };
        worker first(send_all);
        worker second(send_all);
        worker third(send_all);
        for (int i = 0; i < 100000; ++i)
            EXPECT_TRUE(rx.recv());
    }
    for (int i = 0; i < 50000; ++i)
        EXPECT_TRUE(rx.try_recv());
    EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
    EXPECT_LE(all.taken(), 64 * 1024 + idle_limit);
}

TEST(memory_unbounded, a_receiver_that_sleeps_has_given_back_what_the_stream_needed) {
    const balance all;
    auto [tx, rx] = weir::channel<uint64_t>();
    std::atomic<uint64_t> received = 0;
    worker receives([&] {
        while (rx.recv())
            ++received;
    });
    receives.wait_until_asleep();
    const auto before = all.taken();
    for (uint64_t i = 0; i < scaled(2000000); ++i)
        EXPECT_TRUE(tx.send(i));
    while (received < scaled(2000000))
        std::this_thread::yield();
    receives.wait_until_asleep();
    EXPECT_LE(all.taken(), before + 64 * 1024 + idle_limit);
    tx.reset();
}

// dotnet/runtime#761: waits that were given up stayed linked, and memory grew.
TEST_P(memory, waits_given_up_leave_nothing_behind) {
    const balance all;
    auto [tx, rx] = open<uint64_t>(GetParam());
    if (GetParam().capacity) {
        for (std::size_t i = 0; i < *GetParam().capacity; ++i)
            EXPECT_TRUE(tx.send(i));
        const std::size_t before = allocations;
        for (std::size_t i = 0; i < scaled(5000); ++i)
            EXPECT_FALSE(tx.send_timeout(0u, 1us));
        EXPECT_EQ(allocations, before);
        for (std::size_t i = 0; i < *GetParam().capacity; ++i)
            EXPECT_TRUE(rx.try_recv());
    }
    const std::size_t before = allocations;
    for (std::size_t i = 0; i < scaled(5000); ++i)
        EXPECT_FALSE(rx.recv_timeout(1us));
    EXPECT_EQ(allocations, before);
    worker sends([&tx] { EXPECT_TRUE(tx.send(7)); });
    EXPECT_EQ(rx.recv().value(), 7u);
}

// Memory runs out at each allocation in turn.

TEST_P(memory, making_a_channel_throws_where_memory_is_out_and_leaves_nothing) {
    bool reached = true;
    for (std::size_t index = 0; reached; ++index) {
        const balance all;
        bool thrown = false;
        {
            const failing_allocation fails(index);
            try {
                static_cast<void>(open<uint64_t>(GetParam()));
            } catch (const std::bad_alloc&) {
                thrown = true;
            }
            reached = fails.was_reached();
        }
        EXPECT_EQ(thrown, reached) << "allocation " << index;
        ASSERT_LT(index, 100u);
    }
}

// One allocation fails: the send that needed it throws, keeps its argument, and succeeds when it is tried again.
TEST_P(memory_buffered, a_send_that_throws_keeps_its_argument_and_the_channel_good) {
    const std::size_t count = GetParam().room(3000);
    bool reached = true;
    for (std::size_t index = 0; reached; ++index) {
        const balance all;
        tally messages;
        std::size_t thrown = 0;
        bool untouched = true;
        {
            auto [tx, rx] = open<counted>(GetParam());
            {
                const failing_allocation fails(index);
                for (uint64_t i = 0; i < count; ++i) {
                    counted message(messages, i);
                    for (bool sent = false; !sent;) {
                        try {
                            sent = bool(tx.send(std::move(message)));
                        } catch (const std::bad_alloc&) {
                            ++thrown;
                            untouched = untouched && message.holds();
                        }
                    }
                }
                reached = fails.was_reached();
            }
            EXPECT_LE(thrown, reached ? 1u : 0u) << "allocation " << index; // what is taken ahead may do without
            EXPECT_TRUE(untouched);
            EXPECT_EQ(rx.len(), count);
            for (uint64_t i = 0; i < count; ++i)
                ASSERT_EQ(rx.try_recv().value().value(), i);
            EXPECT_EQ(outcome(rx.try_recv()), channel_errc::empty);
        }
        EXPECT_EQ(messages.made, messages.gone);
        EXPECT_EQ(messages.dropped, count);
        ASSERT_LT(index, 1000u);
    }
}

// Converts by a move that might throw, as far as the library knows.
struct holding {
    holding(counted&& from) : kept(std::move(from)) {} // NOLINT(google-explicit-constructor)
    counted kept;
};
TEST(memory_unbounded, a_send_that_throws_keeps_what_a_conversion_would_have_moved_from) {
    tally messages;
    {
        auto [tx, rx] = weir::channel<holding>();
        const failing_allocation fails(0, true);
        std::size_t thrown = 0;
        for (uint64_t i = 0; i < 3000 && thrown < 3; ++i) {
            counted message(messages, i);
            try {
                EXPECT_TRUE(i % 2 == 0 ? tx.send(std::move(message)) : tx.emplace(std::move(message)));
            } catch (const std::bad_alloc&) {
                ++thrown;
                EXPECT_TRUE(message.holds());
            }
        }
        EXPECT_EQ(thrown, 3u);
    }
    EXPECT_EQ(messages.made, messages.gone);
}

// Memory stays out: what was sent is received all the same, and when there is memory again the channel goes on.
TEST(memory_unbounded, what_was_sent_is_received_while_memory_is_out) {
    bool reached = true;
    for (std::size_t index = 0; reached; ++index) {
        const balance all;
        auto [tx, rx] = weir::channel<uint64_t>();
        uint64_t sent = 0;
        uint64_t received = 0;
        bool in_order = true;
        {
            const failing_allocation fails(index, true);
            try {
                while (sent < 3000) {
                    if (tx.send(sent))
                        ++sent;
                }
            } catch (const std::bad_alloc&) {
            }
            for (auto value : rx.try_iter())
                in_order = in_order && value == received++;
            reached = fails.was_reached();
        }
        EXPECT_TRUE(in_order);
        EXPECT_EQ(received, sent);
        for (uint64_t i = 0; i < 3000; ++i)
            EXPECT_TRUE(tx.send(i));
        for (uint64_t i = 0; i < 3000; ++i)
            EXPECT_EQ(rx.try_recv().value(), i);
        ASSERT_LT(index, 1000u);
    }
}

TEST(memory_unbounded, a_channel_may_end_while_memory_is_out) {
    for (const std::size_t index : {0u, 1u, 2u}) {
        const balance all;
        tally messages;
        {
            auto [tx, rx] = weir::channel<counted>();
            const failing_allocation fails(index, true);
            try {
                for (uint64_t i = 0; i < 3000; ++i)
                    static_cast<void>(tx.send(counted(messages, i)));
            } catch (const std::bad_alloc&) {
            }
            rx.reset();
            tx.reset();
        }
        EXPECT_EQ(messages.made, messages.gone);
    }
}

TEST(memory_unbounded, sends_of_several_threads_that_throw_lose_nothing) {
    constexpr uint64_t producers = 4;
    constexpr uint64_t each = scaled(20000);
    const balance all;
    tally messages;
    std::atomic<uint64_t> thrown{0};
    {
        auto [tx, rx] = weir::channel<counted>();
        std::vector<std::unique_ptr<worker>> threads;
        for (uint64_t producer = 0; producer < producers; ++producer) {
            threads.push_back(std::make_unique<worker>([&, handle = tx, producer]() mutable {
                for (uint64_t i = 0; i < each; ++i) {
                    counted message(messages, producer << 32 | i);
                    bool sent = false;
                    try {
                        const failing_allocation fails(0);
                        sent = bool(handle.send(std::move(message)));
                    } catch (const std::bad_alloc&) {
                        ++thrown;
                    }
                    EXPECT_EQ(message.holds(), !sent);
                    if (!sent) {
                        EXPECT_TRUE(handle.send(std::move(message)));
                    }
                }
                handle.reset();
            }));
        }
        tx.reset();
        uint64_t next[producers] = {};
        for (auto&& message : rx) {
            EXPECT_TRUE(message.holds());
            EXPECT_EQ(message.value() & 0xffffffffu, next[message.value() >> 32]++);
        }
        for (const uint64_t reached : next)
            EXPECT_EQ(reached, each);
    }
    EXPECT_GT(thrown, 0u);
    EXPECT_EQ(messages.made, messages.gone);
}

// A message that takes a block for itself.
TEST(memory_unbounded, a_send_of_a_large_message_that_throws_keeps_the_channel_good) {
    struct large {
        unsigned char bytes[100000];
    };
    for (std::size_t index = 0; index < 12; ++index) {
        const balance all;
        auto [tx, rx] = weir::channel<large>();
        const auto message = std::make_unique<large>();
        std::size_t sent = 0;
        for (std::size_t i = 0; i < 10; ++i) {
            message->bytes[0] = static_cast<unsigned char>(i);
            try {
                const failing_allocation fails(i == index ? 0 : 1000);
                sent += tx.send(*message) ? 1 : 0;
            } catch (const std::bad_alloc&) {
                EXPECT_TRUE(tx.send(*message));
                ++sent;
            }
        }
        unsigned char next = 0;
        for (auto&& got : rx.try_iter())
            EXPECT_EQ(got.bytes[0], next++);
        EXPECT_EQ(sent, 10u);
        EXPECT_EQ(next, 10);
    }
}

// Calls each_failure(index, for_good, run) for every allocation in turn, until run() needs fewer: number `index` fails, alone or
// with all that follow.
template <class EachFailure>
void with_each_failure(EachFailure each_failure) {
    for (const bool for_good : {false, true}) {
        bool reached = true;
        for (std::size_t index = 0; reached; ++index) {
            reached = false;
            each_failure([&](auto operations) {
                const failing_allocation fails(index, for_good);
                operations();
                reached = reached || fails.was_reached();
            });
            ASSERT_LT(index, 1000u);
        }
    }
}

// Whether it went well at last: once more where memory was out.
template <class Operation>
bool twice(Operation operation) {
    for (int attempt = 0; attempt < 2; ++attempt) {
        try {
            operation();
            return true;
        } catch (const std::bad_alloc&) {
        }
    }
    return false;
}

// Numbers, in room that was taken beforehand.
struct numbers {
    numbers() { all.reserve(4096); }
    void add(uint64_t number) { all.push_back(number); }
    std::vector<uint64_t> all;
};

// Adds what is written to it.
struct numbers_output {
    using difference_type = std::ptrdiff_t;
    numbers* where;
    numbers_output& operator*() { return *this; }
    numbers_output& operator++() { return *this; }
    numbers_output operator++(int) { return *this; }
    numbers_output& operator=(counted&& message) {
        where->add(message.value());
        return *this;
    }
};

channel_errc send_in_turn(const any_sender<counted>& tx, counted& message, uint64_t turn) {
    switch (turn % 7) {
    case 0:
        return outcome(tx.emplace(std::move(message)));
    case 1:
        return outcome(tx.send_timeout(std::move(message), patience));
    case 2:
        return outcome(tx.send_deadline(std::move(message), std::chrono::steady_clock::now() + patience));
    case 3:
        return outcome(tx.try_send(std::move(message)));
    case 4:
        return outcome(tx.try_emplace(std::move(message)));
#if WEIR_HAS_STOP_TOKEN
    case 5:
        return outcome(tx.send(std::move(message), std::stop_token()));
#endif
    default:
        return outcome(any_sender<counted>(tx).downgrade().lock().send(std::move(message)));
    }
}

TEST_P(memory, sends_of_every_kind_lose_nothing_whichever_allocation_fails) {
    const uint64_t count = GetParam().is_unbounded() ? 2500 : 40;
    with_each_failure([&](auto run) {
        tally messages;
        numbers sent;
        numbers received;
        {
            auto [tx, rx] = open<counted>(GetParam());
            worker receiver([&] {
                for (auto&& message : rx)
                    received.add(message.value());
            });
            run([&] {
                for (uint64_t i = 0; i < count; ++i) {
                    counted message(messages, i);
                    channel_errc came_to = channel_errc::full;
                    for (; came_to == channel_errc::full; std::this_thread::yield()) {
                        if (!twice([&] { came_to = send_in_turn(tx, message, i); }))
                            break;
                    }
                    if (came_to == ok)
                        sent.add(i);
                    EXPECT_EQ(message.holds(), came_to != ok);
                }
            });
            tx.reset();
        }
        EXPECT_EQ(received.all, sent.all);
        EXPECT_EQ(messages.made, messages.gone);
        EXPECT_EQ(messages.dropped, count);
    });
}

TEST_P(memory, receives_of_every_kind_lose_nothing_whichever_allocation_fails) {
    constexpr uint64_t count = 60;
    with_each_failure([&](auto run) {
        tally messages;
        numbers received;
        {
            auto [tx, rx] = open<counted>(GetParam());
            worker sender([&messages, handle = std::move(tx)]() mutable {
                for (uint64_t i = 0; i < count; ++i)
                    EXPECT_TRUE(handle.send(counted(messages, i)));
                handle.reset();
            });
            const auto take = [&](auto&& got) {
                if (got)
                    received.add(got->value());
                return outcome(got) != channel_errc::disconnected;
            };
            run([&] {
                bool goes_on = true;
                for (int turn = 0; goes_on; ++turn) {
                    const bool is_done = twice([&] {
                        switch (turn % 6) {
                        case 0:
                            goes_on = take(rx.recv());
                            break;
                        case 1:
                            goes_on = take(rx.try_recv());
                            break;
                        case 2:
                            goes_on = take(rx.recv_timeout(patience));
                            break;
                        case 3:
                            goes_on = bool(rx.recv_many(numbers_output{&received}, 3));
                            break;
                        case 4: // a loop inside a loop takes memory for its message's place
                            goes_on = false;
                            for (auto&& outer : rx) {
                                goes_on = true;
                                received.add(outer.value());
                                twice([&] {
                                    for (auto&& inner : rx) {
                                        received.add(inner.value());
                                        break;
                                    }
                                });
                                break;
                            }
                            break;
                        default:
                            for (auto&& message : rx.try_iter())
                                received.add(message.value());
                        }
                    });
                    goes_on = goes_on || !is_done;
                }
            });
        }
        EXPECT_TRUE(std::is_sorted(received.all.begin(), received.all.end()));
        EXPECT_EQ(received.all.size(), count);
        EXPECT_EQ(messages.made, messages.gone);
        EXPECT_EQ(messages.dropped, count);
    });
}

class stage;

// Tells the stage when it is moved into the channel.
class interrupted {
public:
    interrupted(tally& where, uint64_t depth, stage& told) : message_(where, depth), told_(&told) {}
    interrupted(interrupted&& other) noexcept;
    uint64_t depth() const { return message_.value(); }
    bool holds() const { return message_.holds(); }

private:
    counted message_;
    stage* told_;
};

// Sends inside sends, so that a receive looks past more stalled senders than there is room for in the channel's own state.
class stage {
public:
    stage(const flavor& which, tally& messages)
        : messages_(messages), channel_(open<interrupted>(which)), deepest_(which.room(12)) {}

    void send(uint64_t depth) {
        ++made;
        interrupted message(messages_, depth, *this);
        bool is_sent = false;
        twice([&] { is_sent = bool(channel_.tx.send(std::move(message))); });
        is_right = is_right && message.holds() != is_sent;
        sent += is_sent ? 1 : 0;
    }
    void meanwhile(uint64_t depth) {
        if (depth < deepest_) {
            send(depth + 1);
            receive(depth + 1);
        }
    }
    // All that is there: of that depth.
    void receive(uint64_t depth) {
        while (const auto got = channel_.rx.try_recv()) {
            is_right = is_right && got->depth() == depth;
            ++received;
        }
    }

    std::size_t made = 0;
    std::size_t sent = 0;
    std::size_t received = 0;
    bool is_right = true;

private:
    tally& messages_;
    ends<interrupted> channel_;
    uint64_t deepest_;
};

interrupted::interrupted(interrupted&& other) noexcept
    : message_(std::move(other.message_)), told_(std::exchange(other.told_, nullptr)) {
    if (told_ != nullptr)
        std::exchange(told_, nullptr)->meanwhile(depth());
}

TEST_P(memory_buffered, receives_past_stalled_sends_lose_nothing_whichever_allocation_fails) {
    with_each_failure([&](auto run) {
        const balance all;
        tally messages;
        std::size_t made = 0;
        {
            stage here(GetParam(), messages);
            for (int round = 0; round < 10; ++round) {
                run([&] { here.send(1); });
                here.receive(1);
            }
            EXPECT_TRUE(here.is_right);
            EXPECT_EQ(here.received, here.sent);
            made = here.made;
        }
        EXPECT_EQ(messages.made, messages.gone);
        EXPECT_EQ(messages.dropped, made);
    });
}

} // namespace
