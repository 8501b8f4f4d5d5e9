// SPDX-License-Identifier: BSL-1.0
//
// A second thread, for operations that need one: it does what it is given while the first does something else.
#pragma once

#include "check.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace fuzz {

class partner {
public:
    // Runs `theirs` on the second thread and `ours` on this one; returns when both have ended.
    static void run(std::function<void()> theirs, const std::function<void()>& ours) {
        the_only().start(std::move(theirs));
        ours();
        the_only().join();
    }
    // So that no memory is taken for the thread later.
    static void be_there() { (void)the_only(); }

private:
    static partner& the_only() {
        static partner only;
        return only;
    }

    partner() : thread_([this] { serve(); }) {}
    ~partner() {
        {
            const std::lock_guard lock(mutex_);
            ends_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    void start(std::function<void()> job) {
        {
            const std::lock_guard lock(mutex_);
            job_ = std::move(job);
            doing_ = doing;
            is_busy_ = true;
        }
        changed_.notify_all();
    }
    void join() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !is_busy_; });
    }
    void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ends_ || is_busy_; });
            if (ends_) {
                return;
            }
            doing = doing_;
            lock.unlock();
            job_();
            job_ = nullptr; // here, so that its memory is back when the other goes on
            lock.lock();
            is_busy_ = false;
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> job_;
    const char* doing_ = "";
    bool is_busy_ = false;
    bool ends_ = false;
    std::thread thread_;
};

} // namespace fuzz
