// SPDX-License-Identifier: BSL-1.0
//
// Coroutines for tests, and where they go on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include <weir/coro.hpp>

#include "../../conformance/support/any_channel.hpp"
#include "../../conformance/support/threads.hpp"

namespace coro {

using conformance::any_sender;
using conformance::channel_errc;
using conformance::flavor;
using conformance::ok;
using conformance::outcome;

// A coroutine that starts at once, and that goes with its handle wherever it is.
class task {
public:
    struct promise_type {
        task get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_never initial_suspend() noexcept { return {}; }
        struct end {
            static bool await_ready() noexcept { return false; }
            // The coroutine is suspended for good, and may be destroyed by any thread.
            static void await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                ended.promise().has_ended.store(true, std::memory_order_release);
            }
            static void await_resume() noexcept {}
        };
        end final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }

        std::atomic<bool> has_ended{false};
    };

    task() = default;
    explicit task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~task() { destroy(); }

    bool has_ended() const { return handle_.promise().has_ended.load(std::memory_order_acquire); }
    bool ends() const {
        return conformance::eventually([this] { return has_ended(); });
    }
    void destroy() {
        if (handle_)
            std::exchange(handle_, nullptr).destroy();
    }

private:
    std::coroutine_handle<promise_type> handle_;
};

// One that goes by itself when it has ended.
struct detached {
    struct promise_type {
        detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

// Handles that wait to be resumed by whoever runs them.
class run_queue {
public:
    void push(std::coroutine_handle<> handle) {
        const std::lock_guard lock(mutex_);
        handles_.push_back(handle);
        changed_.notify_one();
    }
    // What is there, and what comes of it. How many they were.
    std::size_t run() {
        std::size_t count = 0;
        for (std::coroutine_handle<> next = pop(); next; next = pop()) {
            next.resume();
            ++count;
        }
        return count;
    }
    // Until end() was called, and nothing is left.
    void run_until_end() {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return has_ended_ || !handles_.empty(); });
            if (handles_.empty())
                return;
            const std::coroutine_handle<> next = handles_.front();
            handles_.pop_front();
            lock.unlock();
            next.resume();
        }
    }
    void end() {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        changed_.notify_all();
    }
    std::size_t size() {
        const std::lock_guard lock(mutex_);
        return handles_.size();
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        handles_.clear();
    }

private:
    std::coroutine_handle<> pop() {
        const std::lock_guard lock(mutex_);
        if (handles_.empty())
            return nullptr;
        const std::coroutine_handle<> first = handles_.front();
        handles_.pop_front();
        return first;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::coroutine_handle<>> handles_;
    bool has_ended_ = false;
};

// Schedulers.
struct queued {
    run_queue* where;
    void operator()(std::coroutine_handle<> handle) const noexcept { where->push(handle); }
};
struct at_once {
    void operator()(std::coroutine_handle<> handle) const noexcept { handle.resume(); }
};

// The sender that an any_sender is.
template <class T>
struct handles {
    explicit handles(const any_sender<T>& tx) {
        tx.visit([this](const auto& handle) { this->set(&handle); });
    }
    void set(const weir::sender<T>* handle) { unbounded = handle; }
    void set(const weir::sync_sender<T>* handle) { bounded = handle; }

    const weir::sender<T>* unbounded = nullptr;
    const weir::sync_sender<T>* bounded = nullptr;
};

} // namespace coro
