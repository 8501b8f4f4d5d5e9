// SPDX-License-Identifier: BSL-1.0
//
// Threads whose state a test can be sure of: one that the kernel shows asleep, one with a small stack.
#pragma once

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "flavor.hpp"

namespace conformance {

#if defined(WEIR_TEST_SLOWDOWN)
inline constexpr std::size_t slowdown = WEIR_TEST_SLOWDOWN;
#elif defined(__SANITIZE_THREAD__)
inline constexpr std::size_t slowdown = 20;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t slowdown = 8;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr std::size_t slowdown = 20;
#elif __has_feature(address_sanitizer)
inline constexpr std::size_t slowdown = 8;
#else
inline constexpr std::size_t slowdown = 1;
#endif
#else
inline constexpr std::size_t slowdown = 1;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool is_address_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool is_address_sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool is_address_sanitized = false;
#endif

// How often to do something that is done `native` times where the build does not ask for less and no sanitizer slows it down.
constexpr std::size_t scaled(std::size_t native) { return native / slowdown + 1; }

// So many times that often, in the stress tests of select: WEIR_TEST_TIMES in the environment, or once.
inline std::size_t times() {
    const char* const text = std::getenv("WEIR_TEST_TIMES");
    return text != nullptr ? std::strtoul(text, nullptr, 10) : 1;
}

// The longest anything that must happen may take before a test gives up.
inline constexpr std::chrono::seconds patience{30};
// The longest a wait of a few milliseconds may take on a busy machine.
inline constexpr std::chrono::seconds on_time{2};

// Polls until `condition` holds; false when it has not within `patience`.
template <class Condition>
bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
}

class stopwatch {
public:
    std::chrono::steady_clock::duration elapsed() const { return std::chrono::steady_clock::now() - start_; }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// A thread that is joined when its handle goes.
class worker {
public:
    template <class Body>
    explicit worker(Body body)
        : thread_([this, body = std::move(body)]() mutable {
              id_.store(static_cast<int>(::syscall(SYS_gettid)), std::memory_order_release);
              body();
              has_ended_.store(true, std::memory_order_release);
          }) {}
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker() { join(); }

    void join() {
        if (thread_.joinable())
            thread_.join();
    }
    bool has_ended() const { return has_ended_.load(std::memory_order_acquire); }

    // Returns when the kernel has shown the thread asleep several times in a row. A body that is one operation on a
    // channel is then waiting in it.
    void wait_until_asleep() const {
        constexpr int looks = 5;
        int asleep = 0;
        const bool reached = eventually([&] {
            if (has_ended())
                return true;
            asleep = kernel_state() == 'S' ? asleep + 1 : 0;
            if (asleep > 0)
                std::this_thread::sleep_for(std::chrono::microseconds(700));
            return asleep == looks;
        });
        if (!reached || has_ended())
            ADD_FAILURE() << "the thread was to wait, and does not";
    }

    // The processor time that the thread has used so far; it must not have been joined.
    std::chrono::nanoseconds processor_time() {
        clockid_t clock{};
        timespec used{};
        if (pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 || clock_gettime(clock, &used) != 0) {
            ADD_FAILURE() << "no clock for the thread";
        }
        return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
    }

    void signal(int number) { pthread_kill(thread_.native_handle(), number); }

private:
    char kernel_state() const {
        const int id = id_.load(std::memory_order_acquire);
        if (id == 0)
            return '?';
        const std::string path = "/proc/self/task/" + std::to_string(id) + "/stat";
        std::FILE* file = std::fopen(path.c_str(), "r");
        if (file == nullptr)
            return '?';
        char line[512] = {};
        const std::size_t length = std::fread(line, 1, sizeof line - 1, file);
        std::fclose(file);
        const std::string text(line, length);
        const std::size_t name_end = text.rfind(')'); // the name before it may hold anything
        return name_end == std::string::npos || name_end + 2 >= length ? '?' : text[name_end + 2];
    }

    std::atomic<int> id_{0};
    std::atomic<bool> has_ended_{false};
    std::thread thread_;
};

// Sends `count` numbers from `first` on, from a thread of its own: a rendezvous has no room to send into beforehand.
inline worker feed(any_sender<std::uint64_t> tx, std::uint64_t first, std::size_t count) {
    return worker([tx = std::move(tx), first, count]() mutable {
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_EQ(outcome(tx.send(first + i)), ok);
        tx.reset();
    });
}

// Runs `body` on a thread with a stack of `bytes`, to its end.
template <class Body>
void on_small_stack(std::size_t bytes, Body body) {
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_attr_init(&attributes), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
    pthread_t thread{};
    const auto entry = [](void* argument) -> void* {
        (*static_cast<Body*>(argument))();
        return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, &attributes, entry, &body), 0);
    pthread_attr_destroy(&attributes);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
}

} // namespace conformance
