// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/async_wait.hpp>

#include <weir/detail/wait/wait_list.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace {

using weir::detail::answer;
using weir::detail::async_wait;
using weir::detail::completions;
using weir::detail::enrolment;
using weir::detail::wait_list;
using weir::detail::waiter;

// A side with a counter: a wait takes one from it, or is told of the next.
class side {
public:
    // Tells the first waiter to look again.
    void add() {
        waiter* told = nullptr;
        {
            const std::lock_guard lock(mutex_);
            ++count_;
            told = list_.pop_claimed();
        }
        if (told != nullptr) {
            told->finish(answer::retry);
        }
    }
    // Somebody else takes it.
    bool take() {
        const std::lock_guard lock(mutex_);
        return count_ > 0 && count_-- > 0;
    }
    // Who was told and did not take passes it on.
    void pass_on() {
        waiter* told = nullptr;
        {
            const std::lock_guard lock(mutex_);
            told = count_ > 0 ? list_.pop_claimed() : nullptr;
        }
        if (told != nullptr) {
            told->finish(answer::retry);
        }
    }
    enrolment enrol(waiter& node, bool keeps_turn) {
        const std::lock_guard lock(mutex_);
        keeps_turn ? list_.push_front(node) : list_.push_back(node);
        return count_ > 0 && node.take() ? enrolment::ready : enrolment::waits;
    }
    void withdraw(waiter& node) {
        const std::lock_guard lock(mutex_);
        list_.remove(node);
    }
    int count() {
        const std::lock_guard lock(mutex_);
        return count_;
    }
    bool is_waited() {
        const std::lock_guard lock(mutex_);
        return !list_.is_empty();
    }

private:
    std::mutex mutex_;
    wait_list list_;
    int count_ = 0;
};

class taking final : public async_wait {
public:
    explicit taking(side& from, std::function<void()> after = [] {}) : from_(from), after_(std::move(after)) {}

    bool begin() { return async_wait::begin(); }
    std::optional<answer> leave() {
        const std::optional<answer> unsettled = cancel();
        if (unsettled == answer::retry) {
            from_.pass_on();
        } else if (has_taken_ && !was_handed_on()) {
            from_.add();
        }
        return unsettled;
    }
    bool has_taken() const { return has_taken_; }
    using async_wait::was_handed_on;

    void make_at(void*) noexcept override {}
    enrolment enrol(bool keeps_turn) noexcept override { return from_.enrol(*this, keeps_turn); }
    void withdraw() noexcept override { from_.withdraw(*this); }
    bool settle(answer) noexcept override { return has_taken_ = from_.take(); }
    void hand_on() noexcept override {
        const std::function<void()> after = after_; // the wait may go once it is handed over
        if (hand_over()) {
            after();
        }
    }

private:
    side& from_;
    std::function<void()> after_;
    bool has_taken_ = false;
};

TEST(async_wait, is_not_handed_on_where_it_need_not_wait) {
    side counts;
    counts.add();
    taking wait(counts, [] { ADD_FAILURE(); });
    EXPECT_FALSE(wait.begin());
    EXPECT_TRUE(wait.has_taken());
    EXPECT_FALSE(counts.is_waited());
}

TEST(async_wait, is_handed_on_by_the_queue_of_who_ended_it_and_not_before) {
    side counts;
    int handed_on = 0;
    taking wait(counts, [&] { ++handed_on; });
    EXPECT_TRUE(wait.begin());
    counts.add();
    EXPECT_EQ(handed_on, 0);
    completions::run();
    EXPECT_EQ(handed_on, 1);
    EXPECT_TRUE(wait.has_taken());
    EXPECT_EQ(wait.leave(), std::nullopt);
}

TEST(async_wait, goes_on_where_another_was_quicker) {
    side counts;
    int handed_on = 0;
    taking wait(counts, [&] { ++handed_on; });
    EXPECT_TRUE(wait.begin());
    counts.add();
    EXPECT_TRUE(counts.take());
    completions::run();
    EXPECT_EQ(handed_on, 0);
    EXPECT_TRUE(counts.is_waited());
    counts.add();
    completions::run();
    EXPECT_EQ(handed_on, 1);
}

TEST(async_wait, that_was_told_to_look_again_keeps_its_turn) {
    side counts;
    int order = 0;
    int first_was = 0;
    taking first(counts, [&] { first_was = ++order; });
    taking second(counts, [&] { ++order; });
    EXPECT_TRUE(first.begin());
    EXPECT_TRUE(second.begin());
    counts.add();
    EXPECT_TRUE(counts.take());
    completions::run();
    counts.add();
    completions::run();
    EXPECT_EQ(first_was, 1);
    EXPECT_EQ(second.leave(), std::nullopt);
}

TEST(async_wait, whose_owner_goes_is_withdrawn) {
    side counts;
    taking wait(counts, [] { ADD_FAILURE(); });
    EXPECT_TRUE(wait.begin());
    EXPECT_EQ(wait.leave(), std::nullopt);
    EXPECT_FALSE(counts.is_waited());
    counts.add();
    completions::run();
    EXPECT_EQ(counts.count(), 1);
}

TEST(async_wait, whose_owner_goes_after_the_answer_says_so_and_another_gets_it) {
    side counts;
    int handed_on = 0;
    taking first(counts, [] { ADD_FAILURE(); });
    taking second(counts, [&] { ++handed_on; });
    EXPECT_TRUE(first.begin());
    EXPECT_TRUE(second.begin());
    counts.add();
    EXPECT_EQ(first.leave(), answer::retry);
    completions::run();
    EXPECT_EQ(handed_on, 1);
    EXPECT_EQ(counts.count(), 0);
}

TEST(async_wait, whose_owner_goes_from_another_thread_is_taken_out_of_the_queue) {
    side counts;
    taking wait(counts, [] { ADD_FAILURE(); });
    EXPECT_TRUE(wait.begin());
    counts.add();
    std::jthread([&] { EXPECT_EQ(wait.leave(), answer::retry); }).join();
    completions::run();
    EXPECT_EQ(counts.count(), 1);
}

// One thread adds, another takes what the waits were told of, a third lets the owners go: each of what was added is taken once,
// and no wait is handed on when its owner has gone.
TEST(async_wait, ends_once_however_its_owner_and_its_server_meet) {
    constexpr unsigned rounds = 20000;
    side counts;
    unit::pace together(3);
    std::atomic<unsigned> taken{0};
    struct round_state {
        std::unique_ptr<taking> wait;
        std::atomic<bool> has_begun{false};
        std::atomic<bool> has_gone{false};
    };
    const auto all = std::make_unique<round_state[]>(rounds);
    unit::in_parallel(3, [&](unsigned which) {
        for (unsigned i = 0; i < rounds; ++i) {
            together.keep(which, i);
            unit::pause_for((i / (which + 1)) % 16);
            round_state& here = all[i];
            if (which == 0) {
                here.wait = std::make_unique<taking>(counts, [&] {
                    EXPECT_FALSE(here.has_gone);
                    ++taken;
                });
                const bool waits = here.wait->begin();
                taken += waits ? 0 : 1;
                here.has_begun.store(waits);
                completions::run();
                unit::pause_for(i % 32);
                if (waits) {
                    here.wait->leave();
                    here.has_gone = !here.wait->was_handed_on();
                    here.wait.reset();
                }
                completions::run();
            } else if (which == 1) {
                counts.add();
                completions::run();
            } else if (counts.take()) {
                ++taken;
            }
        }
    });
    EXPECT_EQ(taken + static_cast<unsigned>(counts.count()), rounds);
    EXPECT_FALSE(counts.is_waited());
}

} // namespace
