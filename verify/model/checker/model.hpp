// SPDX-License-Identifier: BSL-1.0
//
// How a model is written and run.
//
// A model is a class: its constructor makes the channel, thread(i) is what thread i does, its destructor checks what is
// left when all are done. It names its `protocol`, how many `threads` it has, up to how many preemptions the search is
// exhaustive (`bound`; `quick_bound` in the quick set), how many executions are drawn at random (`random`), what it counts
// itself (`notes`), and what else of the tally it must come to (`needs`). A program holds a few models:
//     int main(int count, char** arguments) { return model::run<one, another>(count, arguments); }
#ifndef WEIR_MODEL_MODEL_HPP
#define WEIR_MODEL_MODEL_HPP

#include "checker/execution.hpp"

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/clock.hpp>

#include <new>
#include <optional>
#include <span>
#include <utility>

namespace model {

// ---- Messages ----

// A message that is looked at for races from its making to its end. Each is destroyed once. Types of another `Kind` are
// the same, for channels with other constants.
template <int Kind>
class message_of_kind {
public:
    explicit message_of_kind(int value) noexcept : value_(value) { ++now_running.alive; }
    message_of_kind(message_of_kind&& other) noexcept : value_(other.value_.get()) {
        other.value_ = 0;
        moved_from_[rl::thread_index()] = &other;
        ++now_running.alive;
    }
    message_of_kind& operator=(message_of_kind&& other) noexcept {
        value_ = other.value_.get();
        other.value_ = 0;
        return *this;
    }
    ~message_of_kind() { --now_running.alive; }

    int value() const noexcept { return value_; }

    // The slot of the message that this thread received last.
    static const void* last_slot() noexcept { return moved_from_[rl::thread_index()]; }

private:
    static inline const void* moved_from_[4] = {};

    weir::detail::plain<int> value_;
};

using message = message_of_kind<0>;

// ---- A stop token, with the promises of the standard's ----

class stop_state {
public:
    struct callback_base {
        virtual void call() noexcept = 0;

    protected:
        ~callback_base() = default;
    };

    bool requested() const noexcept { return requested_.load(std::memory_order_acquire); }

    void request() noexcept {
        callback_base* to_call = nullptr;
        lock();
        requested_.store(true, std::memory_order_release);
        to_call = std::exchange(callback_, nullptr);
        running_ = to_call;
        unlock();
        if (to_call != nullptr) {
            to_call->call();
            lock();
            running_ = nullptr;
            unlock();
        }
    }

    void enter(callback_base& callback) noexcept {
        lock();
        const bool is_late = requested_.load(std::memory_order_relaxed);
        if (!is_late) {
            callback_ = &callback;
        }
        unlock();
        if (is_late) {
            callback.call();
        }
    }

    void leave(callback_base& callback) noexcept {
        for (;;) {
            lock();
            const bool waits = running_ == &callback;
            callback_ = nullptr;
            unlock();
            if (!waits) {
                return;
            }
            rl::ctx().yield(1, execution::info(where::current()));
        }
    }

private:
    void lock() noexcept { mutex_.lock(execution::info(where::current())); }
    void unlock() noexcept { mutex_.unlock(execution::info(where::current())); }

    rl::mutex mutex_;
    weir::detail::atomic<bool> requested_{false};
    callback_base* callback_ = nullptr;
    callback_base* running_ = nullptr;
};

struct stop_token {
    stop_state* state;

    bool stop_requested() const noexcept { return state->requested(); }
};

template <class Callback>
class stop_callback final : stop_state::callback_base {
public:
    stop_callback(stop_state& state, Callback callback) noexcept : state_(state), callback_(callback) {
        state_.enter(*this);
    }
    stop_callback(const stop_callback&) = delete;
    stop_callback& operator=(const stop_callback&) = delete;
    ~stop_callback() { state_.leave(*this); }

private:
    void call() noexcept override { callback_(); }

    stop_state& state_;
    Callback callback_;
};

template <class Callback>
stop_callback<Callback> on_stop(const stop_token& token, Callback callback) noexcept {
    return stop_callback<Callback>(*token.state, callback);
}

// ---- Running ----

// A model behind one interface, so that Relacy is compiled for each number of threads, not for each model.
class any_model {
public:
    virtual ~any_model() = default;
    virtual void run(unsigned thread) = 0;
};

struct description {
    const char* name;
    const char* protocol;
    const char* notes;
    const char* needs;
    unsigned threads;
    unsigned bound;
    unsigned quick_bound;
    unsigned long random;
    any_model* (*make)();
};

// The program's main: in run.cpp.
int run_models(std::span<const description> models, int count, char** arguments);

template <class Model>
description describe() {
    class boxed final : public any_model {
    public:
        void run(unsigned thread) override { model_.thread(thread); }

    private:
        Model model_;
    };

    const char* needs = "";
    if constexpr (requires { Model::needs; }) {
        needs = Model::needs;
    }
    return {Model::name,
            Model::protocol,
            Model::notes,
            needs,
            Model::threads,
            Model::bound,
            Model::quick_bound,
            Model::random,
            []() -> any_model* { return new boxed; }};
}

template <class... Models>
int run(int count, char** arguments) {
    const description all[] = {describe<Models>()...};
    return run_models(all, count, arguments);
}

} // namespace model

#endif
