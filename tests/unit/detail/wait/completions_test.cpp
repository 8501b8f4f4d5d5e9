// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/completions.hpp>

#include <weir/detail/wait/parker.hpp>

#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace {

using weir::detail::answer;
using weir::detail::claim_word;
using weir::detail::completion;
using weir::detail::completions;
using weir::detail::deadline;
using weir::detail::parker;

constexpr auto stays = []() noexcept { return false; };

class noted final : public completion {
public:
    explicit noted(std::function<void()> action) : completion(claim_), action_(std::move(action)) {}
    void run() noexcept override { action_(); }
    weir::detail::service asks_for() const noexcept override { return weir::detail::service::tell; }
    void make_at(void*) noexcept override {}
    void finish(answer) noexcept override {}
    void push() {
        completions::aim(*this);
        EXPECT_TRUE(completions::push(*this, stays));
    }

private:
    claim_word claim_;
    std::function<void()> action_;
};

TEST(completions, run_in_the_order_they_were_pushed_and_not_before) {
    std::vector<int> ran;
    noted first([&] { ran.push_back(1); });
    noted second([&] { ran.push_back(2); });
    first.push();
    second.push();
    EXPECT_TRUE(ran.empty());
    completions::run();
    EXPECT_EQ(ran, (std::vector{1, 2}));
    completions::run();
    EXPECT_EQ(ran.size(), 2U);
}

TEST(completions, of_one_that_is_run_wait_until_it_has_returned) {
    std::vector<int> ran;
    noted inner([&] { ran.push_back(2); });
    noted outer([&] {
        inner.push();
        completions::run();
        ran.push_back(1);
    });
    outer.push();
    completions::run();
    EXPECT_EQ(ran, (std::vector{1, 2}));
}

TEST(completions, a_long_chain_takes_no_stack) {
    constexpr int length = 1'000'000;
    int ran = 0;
    const void* lowest = nullptr;
    const void* highest = nullptr;
    std::unique_ptr<noted> links[2];
    const auto link = [&](int next) {
        return [&, next] {
            const void* const here = __builtin_frame_address(0); // of a variable the sanitizer might tell another
            lowest = lowest == nullptr || std::less<>()(here, lowest) ? here : lowest;
            highest = highest == nullptr || std::less<>()(highest, here) ? here : highest;
            if (++ran < length) {
                links[next]->push();
                completions::run();
            }
        };
    };
    links[0] = std::make_unique<noted>(link(1));
    links[1] = std::make_unique<noted>(link(0));
    links[0]->push();
    completions::run();
    EXPECT_EQ(ran, length);
    EXPECT_EQ(lowest, highest);
}

TEST(completions, run_before_the_thread_parks_even_inside_one_that_is_run) {
    parker place;
    int depth = 0;
    noted wakes([&] {
        ++depth;
        place.unpark();
    });
    noted sleeps([&] {
        wakes.push();
        EXPECT_TRUE(place.park(deadline::never()));
        ++depth;
    });
    sleeps.push();
    completions::run();
    EXPECT_EQ(depth, 2);
}

struct dropping : weir::detail::droppable {
    explicit dropping(std::function<void()> action) : what(std::move(action)) {}
    void drop() noexcept override { what(); }
    std::function<void()> what;
};

TEST(completions, wait_for_the_end_of_a_drop) {
    bool has_run = false;
    noted over([&] { has_run = true; });
    dropping channel([&] {
        over.push();
        completions::run();
        EXPECT_FALSE(has_run);
    });
    weir::detail::nested_drop::run(channel);
    completions::run();
    EXPECT_TRUE(has_run);
}

TEST(completions, one_that_was_removed_does_not_run_and_the_others_do) {
    for (std::size_t removed = 0; removed < 3; ++removed) {
        std::vector<std::size_t> ran;
        std::vector<std::unique_ptr<noted>> all;
        for (std::size_t i = 0; i < 3; ++i) {
            all.push_back(std::make_unique<noted>([&ran, i] { ran.push_back(i); }));
            all.back()->push();
        }
        std::jthread([&] { EXPECT_TRUE(completions::remove(*all[removed])); }).join();
        EXPECT_FALSE(completions::remove(*all[removed]));
        completions::run();
        EXPECT_EQ(ran.size(), 2U);
        for (const std::size_t each : ran) {
            EXPECT_NE(each, removed);
        }
    }
}

TEST(completions, one_that_is_gone_is_not_pushed) {
    noted over([] { ADD_FAILURE(); });
    completions::aim(over);
    EXPECT_FALSE(completions::push(over, []() noexcept { return true; }));
    EXPECT_FALSE(completions::remove(over));
    completions::run();
}

TEST(completions, one_that_another_thread_removes_meanwhile_is_either_run_or_removed) {
    constexpr unsigned rounds = 20000;
    std::atomic<unsigned> ran{0};
    unsigned removed = 0;
    std::vector<std::unique_ptr<noted>> all;
    for (unsigned i = 0; i < rounds; ++i) {
        all.push_back(std::make_unique<noted>([&ran] { ++ran; }));
    }
    std::atomic<unsigned> pushed{0};
    unit::pace together(2);
    unit::in_parallel(2, [&](unsigned which) {
        for (unsigned i = 0; i < rounds; ++i) {
            together.keep(which, i);
            if (which == 0) {
                all[i]->push();
                pushed.store(i + 1, std::memory_order_release);
                unit::pause_for(i % 20);
                completions::run();
            } else {
                while (pushed.load(std::memory_order_acquire) <= i) {
                    unit::pause_for(1);
                }
                removed += completions::remove(*all[i]) ? 1 : 0;
            }
        }
    });
    EXPECT_EQ(ran + removed, rounds);
}

} // namespace
