// SPDX-License-Identifier: BSL-1.0
//
// Interleavings that a test makes certain: named threads that stand still at named points of the protocols until the test
// lets them go on. The program is compiled with WEIR_INJECTION=1.
#pragma once

#include <weir/detail/platform/injection.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../../conformance/support/threads.hpp"

#if !WEIR_INJECTION
#error "these tests are nothing without WEIR_INJECTION"
#endif

namespace injection {

// Which actor a thread is; none: nobody stops it.
inline constinit thread_local const char* actor_name = nullptr;

// What one actor does at one point. Must outlive the actor.
class rule {
public:
    rule(std::string_view actor, std::string_view point, std::function<void()> action)
        : actor_(actor), point_(point), action_(std::move(action)) {}

    bool is_for(std::string_view actor, std::string_view point) const { return actor == actor_ && point == point_; }
    const std::function<void()>& action() const { return action_; }

private:
    std::string_view actor_;
    std::string_view point_;
    std::function<void()> action_;
};

// The rules that hold at present. One at a time may be installed.
class script {
public:
    static script& current() {
        static script the_one;
        return the_one;
    }

    void add(const rule& added) {
        const std::lock_guard lock(mutex_);
        rules_.push_back(&added);
        weir::detail::injected.store(&reach, std::memory_order_release);
    }
    void remove(const rule& removed) {
        const std::lock_guard lock(mutex_);
        std::erase(rules_, &removed);
        if (rules_.empty())
            weir::detail::injected.store(nullptr, std::memory_order_release);
    }

private:
    static void reach(const char* point) noexcept {
        if (actor_name == nullptr)
            return;
        std::vector<std::function<void()>> actions;
        {
            script& here = current();
            const std::lock_guard lock(here.mutex_);
            for (const rule* each : here.rules_) {
                if (each->is_for(actor_name, point))
                    actions.push_back(each->action());
            }
        }
        for (const auto& action : actions)
            action();
    }

    std::mutex mutex_;
    std::vector<const rule*> rules_;
};

// While one lives, that actor stands still at that point: the first time it comes there, until let_go().
class halt {
public:
    halt(std::string_view actor, std::string_view point) : point_(point), rule_(actor, point, [this] { stand(); }) {
        script::current().add(rule_);
    }
    halt(const halt&) = delete;
    halt& operator=(const halt&) = delete;
    ~halt() { script::current().remove(rule_); }

    void wait_until_there() {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, conformance::patience, [this] { return is_there_; }))
            ADD_FAILURE() << "nobody comes to " << point_;
    }
    bool was_reached() {
        const std::lock_guard lock(mutex_);
        return is_there_;
    }
    void let_go() {
        const std::lock_guard lock(mutex_);
        may_go_ = true;
        changed_.notify_all();
    }

private:
    void stand() {
        std::unique_lock lock(mutex_);
        is_there_ = true;
        changed_.notify_all();
        if (!changed_.wait_for(lock, 2 * conformance::patience, [this] { return may_go_; }))
            ADD_FAILURE() << "nobody lets it go on from " << point_;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_there_ = false;
    bool may_go_ = false;
    std::string point_;
    rule rule_;
};

// Counts how often that actor comes to that point.
class visits {
public:
    visits(std::string_view actor, std::string_view point) : rule_(actor, point, [this] { ++value_; }) {
        script::current().add(rule_);
    }
    visits(const visits&) = delete;
    visits& operator=(const visits&) = delete;
    ~visits() { script::current().remove(rule_); }

    int value() const { return value_; }
    void wait_for_more_than(int least) const {
        EXPECT_TRUE(conformance::eventually([&] { return value() > least; })) << "nobody comes there";
    }

private:
    std::atomic<int> value_{0};
    rule rule_;
};

// A thread with a name.
class actor : public conformance::worker {
public:
    template <class Body>
    actor(const char* name, Body body)
        : worker([name, body = std::move(body)]() mutable {
              actor_name = name;
              body();
              actor_name = nullptr;
          }) {}
};

} // namespace injection
