// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/nested_drop.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace {

using weir::detail::droppable;
using weir::detail::nested_drop;

// What a drop of something nested looks like from outside.
struct history {
    std::vector<int> begun;
    std::vector<int> ended;
    int depth = 0;
    int deepest = 0;
};

// Holds others, and drops them when it is dropped.
class box final : public droppable {
public:
    box(history& log, int number) : log_(&log), number_(number) {}

    void put(box& inner) { inner_.push_back(&inner); }

    void drop() noexcept override {
        log_->begun.push_back(number_);
        ++log_->depth;
        log_->deepest = log_->depth > log_->deepest ? log_->depth : log_->deepest;
        for (box* const inner : inner_) {
            nested_drop::run(*inner);
        }
        --log_->depth;
        log_->ended.push_back(number_);
    }

private:
    history* log_;
    int number_;
    std::vector<box*> inner_;
};

// Boxes in boxes, the outermost first.
std::vector<std::unique_ptr<box>> chain(history& log, int length) {
    std::vector<std::unique_ptr<box>> boxes;
    for (int i = 0; i < length; ++i) {
        boxes.push_back(std::make_unique<box>(log, i));
        if (i != 0) {
            boxes[static_cast<std::size_t>(i) - 1]->put(*boxes.back());
        }
    }
    return boxes;
}

TEST(nested_drop, drops_at_once) {
    history log;
    box one(log, 0);
    nested_drop::run(one);
    EXPECT_EQ(log.ended, std::vector{0});
}

TEST(nested_drop, down_to_eight_levels_inside_drops_before_the_inner_drop_returns) {
    constexpr int levels = 9; // the outermost and eight inside it
    history log;
    const auto boxes = chain(log, levels);
    nested_drop::run(*boxes.front());
    EXPECT_EQ(log.begun, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(log.ended, (std::vector{8, 7, 6, 5, 4, 3, 2, 1, 0}));
}

TEST(nested_drop, deeper_ones_are_dropped_when_the_outermost_is_and_before_it_returns) {
    constexpr int levels = 11;
    history log;
    const auto boxes = chain(log, levels);
    nested_drop::run(*boxes.front());
    EXPECT_EQ(log.ended, (std::vector{8, 7, 6, 5, 4, 3, 2, 1, 0, 10, 9}));
}

TEST(nested_drop, of_a_chain_of_any_length_goes_no_deeper_and_forgets_none) {
    constexpr int levels = 100'000;
    constexpr int bound = 9;
    history log;
    const auto boxes = chain(log, levels);
    nested_drop::run(*boxes.front());
    EXPECT_EQ(log.begun.size(), boxes.size());
    EXPECT_EQ(log.ended.size(), boxes.size());
    EXPECT_EQ(log.deepest, bound);
    EXPECT_EQ(log.depth, 0);
}

TEST(nested_drop, of_many_in_one_that_is_too_deep_forgets_none) {
    constexpr int levels = 9;
    constexpr int leaves = 50;
    history log;
    const auto boxes = chain(log, levels);
    std::vector<std::unique_ptr<box>> inside;
    for (int i = 0; i < leaves; ++i) {
        inside.push_back(std::make_unique<box>(log, 100 + i));
        boxes.back()->put(*inside.back());
    }
    nested_drop::run(*boxes.front());
    EXPECT_EQ(log.ended.size(), static_cast<std::size_t>(levels + leaves));
}

TEST(nested_drop, is_ready_for_the_next_after_each) {
    constexpr int levels = 20;
    constexpr int times = 5;
    for (int i = 0; i < times; ++i) {
        history log;
        const auto boxes = chain(log, levels);
        nested_drop::run(*boxes.front());
        EXPECT_EQ(log.ended.size(), boxes.size());
        EXPECT_EQ(log.deepest, 9);
    }
}

TEST(nested_drop, counts_each_threads_depth_for_itself) {
    // A drop eight levels inside that waits for a drop on another thread.
    class elsewhere final : public droppable {
    public:
        explicit elsewhere(droppable& what) : what_(&what) {}
        void drop() noexcept override {
            std::jthread([this] { nested_drop::run(*what_); }).join();
        }

    private:
        droppable* what_;
    };
    class holder final : public droppable {
    public:
        explicit holder(droppable& inner) : inner_(&inner) {}
        void drop() noexcept override { nested_drop::run(*inner_); }

    private:
        droppable* inner_;
    };
    history log;
    const auto boxes = chain(log, 9);
    elsewhere far(*boxes.front());
    std::vector<std::unique_ptr<holder>> around;
    droppable* inner = &far;
    for (int i = 0; i < 8; ++i) {
        around.push_back(std::make_unique<holder>(*inner));
        inner = around.back().get();
    }
    nested_drop::run(*inner);
    EXPECT_EQ(log.deepest, 9) << "nothing was put off over there";
    EXPECT_EQ(log.ended.size(), 9U);
}

} // namespace
