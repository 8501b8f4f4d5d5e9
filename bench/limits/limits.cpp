// SPDX-License-Identifier: BSL-1.0
//
// The machine's own primitives: what a channel is made of, and what none can beat. Each is measured in the barest loop,
// in nanoseconds an operation. Besides, what a message takes in programs of a channel's steps alone (bare.hpp).

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../scenarios/clock.hpp"
#include "../scenarios/main.hpp"
#include "../scenarios/message.hpp"
#include "../scenarios/result.hpp"
#include "bare.hpp"
#include "two_threads.hpp"

namespace {

using bench::number;
using bench::request;
using bench::result;
using limits::apart;
using limits::fail;
using limits::lone_word;
using limits::stay_on_processor;
using limits::together;

struct alignas(apart) lone_futex {
    std::atomic<std::uint32_t> value{0};
};

result per_operation(bench::spent time, number count) {
    return {{"ns", static_cast<double>(time.wall) / static_cast<double>(count)}};
}

template <class Operation>
void repeat(number count, Operation operation) {
    for (number i = 0; i != count; ++i) {
        operation();
    }
}

template <class Operation>
result alone(const request& asked, Operation operation) {
    bench::stopwatch watch;
    watch.start();
    repeat(asked.messages, operation);
    return per_operation(watch.stop(), asked.messages);
}

result xadd_alone(const request& asked) {
    lone_word word;
    return alone(asked, [&word] { word.value.fetch_add(1); });
}

// Half of the operations each, on one word.
result xadd_two_threads(const request& asked) {
    lone_word word;
    const auto add = [&word](number count) { repeat(count, [&word] { word.value.fetch_add(1); }); };
    const number half = asked.messages / 2;
    const bench::spent time = together([&] { add(asked.messages - half); }, [&] { add(half); });
    bench::expect_sum(word.value.load(), asked.messages);
    return per_operation(time, asked.messages);
}

void await(const lone_word& word, number value) {
    while (word.value.load(std::memory_order_acquire) != value) {
    }
}

// A word whose line goes there and back: even values are the one thread's to answer, odd ones the other's.
result line_round_trip(const request& asked) {
    lone_word word;
    const auto bounce = [&](number parity) {
        for (number i = 0; i != asked.messages; ++i) {
            await(word, 2 * i + parity);
            word.value.store(2 * i + parity + 1, std::memory_order_release);
        }
    };
    const bench::spent time = together([&] { bounce(0); }, [&] { bounce(1); });
    return per_operation(time, asked.messages);
}

void wait(lone_futex& word, std::uint32_t unwanted) {
    const long status = syscall(SYS_futex, &word.value, FUTEX_WAIT_PRIVATE, unwanted, nullptr, nullptr, 0);
    if (status != 0 && errno != EAGAIN && errno != EINTR) {
        fail("futex wait");
    }
}

void wake_one(lone_futex& word) {
    if (syscall(SYS_futex, &word.value, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0) < 0) {
        fail("futex wake");
    }
}

// Neither thread looks before it goes to sleep.
void take(lone_futex& token) {
    do {
        wait(token, 0);
    } while (token.value.load() == 0);
    token.value.store(0);
}

void give(lone_futex& token) {
    token.value.store(1);
    wake_one(token);
}

// A sleeping thread is woken, wakes the one that woke it, and sleeps again.
result futex_round_trip(const request& asked) {
    lone_futex here;
    lone_futex there;
    const auto ping = [&] {
        give(there);
        take(here);
    };
    const auto pong = [&] {
        take(there);
        give(here);
    };
    const bench::spent time = together([&] { repeat(asked.messages, ping); }, [&] { repeat(asked.messages, pong); });
    return per_operation(time, asked.messages);
}

result futex_wake_nobody(const request& asked) {
    lone_futex word;
    return alone(asked, [&word] { wake_one(word); });
}

void membarrier_command(int command) {
    if (syscall(SYS_membarrier, command, 0, 0) != 0) {
        fail("membarrier");
    }
}

// With another thread running, which has to be interrupted for it.
result membarrier(const request& asked) {
    membarrier_command(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    bench::stopwatch watch(2);
    std::jthread running([&watch](const std::stop_token& enough) {
        stay_on_processor(1);
        watch.start();
        while (!enough.stop_requested()) {
        }
    });
    stay_on_processor(0);
    watch.start();
    repeat(asked.messages, [] { membarrier_command(MEMBARRIER_CMD_PRIVATE_EXPEDITED); });
    return per_operation(watch.stop(), asked.messages);
}

result pause_hint(const request& asked) { return alone(asked, limits::pause); }

result yield(const request& asked) {
    return alone(asked, [] { sched_yield(); });
}

result clock_look(const request& asked) {
    return alone(asked, [] {
        const auto time = std::chrono::steady_clock::now();
        asm volatile("" : : "m"(time));
    });
}

// One copy of a message that is in the nearest cache, to a place that is there too.
template <std::size_t Bytes>
result copy(const request& asked) {
    static bench::message<Bytes> from;
    static bench::message<Bytes> to;
    return alone(asked, [] {
        std::memcpy(&to, &from, Bytes);
        asm volatile("" : "+m"(from) : "m"(to));
    });
}

} // namespace

int main(int argc, char** argv) {
    bench::program program("limits", COMPILER, "limits");
    constexpr std::pair<std::string_view, bench::workload> primitives[] = {
        {"xadd_alone", xadd_alone},
        {"xadd_two_threads", xadd_two_threads},
        {"line_round_trip", line_round_trip},
        {"futex_round_trip", futex_round_trip},
        {"futex_wake_nobody", futex_wake_nobody},
        {"membarrier", membarrier},
        {"pause", pause_hint},
        {"yield", yield},
        {"clock", clock_look},
        {"copy_64", copy<64>},
        {"copy_512", copy<512>},
        {"copy_4096", copy<4096>},
        {"bare_unbounded_hot", limits::bare_unbounded_hot},
        {"bare_unbounded_rtt", limits::bare_unbounded_rtt},
        {"bare_bounded1_spsc", limits::one_way<limits::bare_bounded1>},
        {"bare_bounded0_spsc", limits::one_way<limits::bare_bounded0>},
    };
    for (const auto& [name, run] : primitives) {
        program.add({std::string(name), run, {}});
    }
    return program.main(argc, argv);
}
