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

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <optional>
#include <sstream>
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

template <class Model>
class suite : public rl::test_suite<suite<Model>, Model::threads> {
public:
    void before() {
        using weir::detail::steady_clock;
        now_running.begin();
        steady_clock::is_late = false;
        steady_clock::may_be_late = false;
        model_.emplace();
    }
    void thread(unsigned index) { model_->thread(index); }
    void after() {
        steady_clock_stops();
        model_.reset();
        check(now_running.alive == 0, "each message that was made is destroyed, once");
        now_running.end();
    }

private:
    static void steady_clock_stops() noexcept { weir::detail::steady_clock::may_be_late = false; }

    std::optional<Model> model_;
};

struct options {
    bool random = false;
    bool quick = false;
    bool trace = false;
    std::optional<unsigned long> amount; // the bound, or the number of random executions
};

// A list of names, as JSON.
inline std::string quoted(const std::string& names) {
    std::string all;
    std::istringstream left(names);
    for (std::string name; std::getline(left, name, ',');) {
        all += (all.empty() ? "\"" : ", \"") + name + "\"";
    }
    return all;
}

// What a model must have seen, else it shows nothing.
template <class Model>
std::string needs() {
    std::string all = Model::notes;
    if constexpr (requires { Model::needs; }) {
        all += (all.empty() ? "" : ",") + std::string(Model::needs);
    }
    return all;
}

inline void print_tally(std::ostream& out, const char* notes) {
    out << "{\"parked\": " << seen.parked << ", \"woken\": " << seen.woken << ", \"timed out\": " << seen.timed_out
        << ", \"barriers\": " << seen.barriers << ", \"stale loads\": " << seen.stale
        << ", \"slept for a lock\": " << seen.contended;
    std::istringstream names(notes);
    size_t index = 0;
    for (std::string name; std::getline(names, name, ',');) {
        out << ", \"" << name << "\": " << seen.noted[index++];
    }
    out << "}";
}

// One line of JSON. True: no failure.
template <class Model>
bool run_one(const options& how) {
    rl::test_params params;
    std::ostringstream told;
    std::ostream nowhere(nullptr);
    params.output_stream = &told;
    params.progress_stream = &nowhere;
    params.search_type = how.random ? rl::sched_random : rl::sched_bound;
    params.context_bound = static_cast<unsigned>(how.amount.value_or(how.quick ? Model::quick_bound : Model::bound));
    params.iteration_count = how.amount.value_or(how.quick ? Model::random / 10 : Model::random);
    params.execution_depth_limit = 4000;
    seen = {};
    const auto start = std::chrono::steady_clock::now();
    std::string ended;
    if (how.trace) {
        rl::simulate<suite<Model>>(params);
    } else {
        std::ostringstream state;
        if (how.random) {
            rl::run_test<suite<Model>, rl::random_scheduler<Model::threads>>(params, state, false);
        } else {
            rl::run_test<suite<Model>, rl::context_bound_scheduler<Model::threads>>(params, state, false);
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const bool good = params.test_result == rl::test_result_success;
    std::cout << "{\"model\": \"" << Model::name << "\", \"protocol\": \"" << Model::protocol
              << "\", \"threads\": " << Model::threads << ", \"search\": \"" << (how.random ? "random" : "exhaustive")
              << "\", \"bound\": " << (how.random ? 0 : params.context_bound)
              << ", \"executions\": " << params.stop_iteration << ", \"result\": \""
              << (good ? "ok" : rl::test_result_str(params.test_result)) << "\", \"seconds\": " << took.count()
              << ", \"needs\": [" << quoted(needs<Model>()) << "], \"seen\": ";
    print_tally(std::cout, Model::notes);
    std::cout << "}" << std::endl;
    if (how.trace && !good) {
        std::cerr << told.str();
    }
    return good;
}

template <class... Models>
int run(int count, char** arguments) {
    options how;
    const char* wanted = nullptr;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--random") {
            how.random = true;
        } else if (argument == "--quick") {
            how.quick = true;
        } else if (argument == "--trace") {
            how.trace = true;
        } else if (argument == "--amount" && i + 1 < count) {
            how.amount = std::strtoul(arguments[++i], nullptr, 10);
        } else if (argument == "--list") {
            ((std::cout << Models::name << "\n"), ...);
            return 0;
        } else {
            wanted = arguments[i];
        }
    }
    bool good = true;
    bool found = false;
    const auto run_if_wanted = [&]<class Model>() {
        if (wanted == nullptr || std::strcmp(wanted, Model::name) == 0) {
            found = true;
            good = run_one<Model>(how) && good;
        }
    };
    (run_if_wanted.template operator()<Models>(), ...);
    if (!found) {
        std::cerr << "there is no model " << wanted << "\n";
        return 2;
    }
    return good ? 0 : 1;
}

} // namespace model

#endif
