// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/wait_list.hpp>

#include "support/test_waiter.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <vector>

namespace {

using namespace unit;
using weir::detail::answer;
using weir::detail::claim_word;
using weir::detail::wait_list;
using weir::detail::waiter;

TEST(claim_word, is_taken_once) {
    claim_word claim;
    EXPECT_TRUE(claim.take());
    EXPECT_FALSE(claim.take());
}

TEST(claim_word, is_taken_by_one_of_many_threads) {
    constexpr unsigned threads = 3;
    std::array<claim_word, 1'000> claims;
    std::atomic<unsigned> taken{0};
    in_parallel(threads, [&](unsigned) {
        for (auto& claim : claims) {
            taken += claim.take() ? 1U : 0U;
        }
    });
    EXPECT_EQ(taken.load(), claims.size());
}

TEST(wait_list, is_empty_at_first_and_after_the_last_has_left) {
    wait_list list;
    sole_waiter one;
    EXPECT_TRUE(list.is_empty());
    EXPECT_EQ(list.pop_claimed(), nullptr);
    list.push_back(one.waiter);
    EXPECT_FALSE(list.is_empty());
    list.remove(one.waiter);
    EXPECT_TRUE(list.is_empty());
    EXPECT_EQ(list.pop_claimed(), nullptr);
}

TEST(wait_list, gives_waiters_in_the_order_they_came) {
    wait_list list;
    std::array<sole_waiter, 4> all;
    for (auto& each : all) {
        list.push_back(each.waiter);
    }
    for (auto& each : all) {
        EXPECT_EQ(list.pop_claimed(), &each.waiter);
    }
    EXPECT_EQ(list.pop_claimed(), nullptr);
}

TEST(wait_list, who_comes_to_the_front_is_first) {
    wait_list list;
    std::array<sole_waiter, 4> all;
    list.push_front(all[2].waiter);
    list.push_back(all[3].waiter);
    list.push_front(all[1].waiter);
    list.push_front(all[0].waiter);
    for (auto& each : all) {
        EXPECT_EQ(list.pop_claimed(), &each.waiter);
    }
}

TEST(wait_list, anyone_may_leave_from_anywhere_and_more_than_once) {
    constexpr unsigned count = 5;
    for (unsigned leaving = 0; leaving < count; ++leaving) {
        for (unsigned also = 0; also < count; ++also) {
            wait_list list;
            std::array<sole_waiter, count> all;
            for (auto& each : all) {
                list.push_back(each.waiter);
            }
            list.remove(all[leaving].waiter);
            list.remove(all[also].waiter);
            list.remove(all[leaving].waiter);
            for (unsigned i = 0; i < count; ++i) {
                if (i != leaving && i != also) {
                    EXPECT_EQ(list.pop_claimed(), &all[i].waiter);
                }
            }
            EXPECT_TRUE(list.is_empty());
        }
    }
}

TEST(wait_list, removing_one_that_never_came_changes_nothing) {
    wait_list list;
    sole_waiter here;
    sole_waiter elsewhere;
    list.push_back(here.waiter);
    list.remove(elsewhere.waiter);
    EXPECT_EQ(list.pop_claimed(), &here.waiter);
}

// NVIDIA/stdexec#1812: an intrusive queue that was emptied was not as good as a new one.
TEST(wait_list, a_waiter_may_come_again) {
    wait_list list;
    sole_waiter other;
    claim_word first;
    test_waiter again(first);
    list.push_back(again);
    list.push_back(other.waiter);
    list.remove(again);
    list.push_back(again);
    EXPECT_EQ(list.pop_claimed(), &other.waiter);
    EXPECT_EQ(list.pop_claimed(), &again);
}

TEST(wait_list, passes_over_those_whose_claim_is_taken_and_drops_them) {
    wait_list list;
    std::array<sole_waiter, 4> all;
    for (auto& each : all) {
        list.push_back(each.waiter);
    }
    EXPECT_TRUE(all[0].waiter.take());
    EXPECT_TRUE(all[2].waiter.take());
    EXPECT_EQ(list.pop_claimed(), &all[1].waiter);
    EXPECT_EQ(list.pop_claimed(), &all[3].waiter);
    EXPECT_TRUE(list.is_empty());
}

TEST(wait_list, of_two_waiters_with_one_claim_gives_one) {
    wait_list here;
    wait_list there;
    claim_word claim;
    test_waiter one(claim);
    test_waiter other(claim);
    here.push_back(one);
    there.push_back(other);
    EXPECT_EQ(there.pop_claimed(), &other);
    EXPECT_EQ(here.pop_claimed(), nullptr);
    EXPECT_TRUE(here.is_empty());
}

// Notes in what order its like are finished, and goes at once, as one on the stack of a thread that is woken may.
class vanishing_waiter final : public waiter {
public:
    vanishing_waiter(std::vector<int>& order, int number) noexcept : waiter(claim_), order_(&order), number_(number) {}
    bool may_be_served() const noexcept override { return false; }
    void make_at(void*) noexcept override {}
    void finish(answer outcome) noexcept override {
        EXPECT_EQ(outcome, answer::retry);
        order_->push_back(number_);
        delete this;
    }

private:
    ~vanishing_waiter() = default;

    claim_word claim_;
    std::vector<int>* order_;
    int number_;
};

TEST(wait_list, finishes_all_in_order_and_touches_none_after_that) {
    wait_list list;
    std::vector<int> order;
    for (int i = 0; i < 4; ++i) {
        list.append_claimed(*new vanishing_waiter(order, i));
    }
    list.finish_all(answer::retry);
    EXPECT_TRUE(list.is_empty());
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
}

} // namespace
