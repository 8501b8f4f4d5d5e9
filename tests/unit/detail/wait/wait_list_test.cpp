// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/wait_list.hpp>

#include "support/scale.hpp"
#include "support/test_waiter.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

namespace {

using namespace unit;
using weir::detail::answer;
using weir::detail::claim_word;
using weir::detail::service;
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

// ---- Meetings ----

TEST(wait_list, meets_the_first_whose_claim_can_be_had) {
    for (std::size_t own = 0; own < 4; ++own) { // one that lies below, between and above the others
        std::array<sole_waiter, 4> four;
        wait_list list;
        for (std::size_t i = 0; i < four.size(); ++i) {
            if (i != own) {
                list.push_back(four[i].waiter);
            }
        }
        const std::size_t first = own == 0 ? 1 : 0;
        EXPECT_TRUE(four[first].waiter.take());
        const auto met = list.meet(four[own].waiter);
        const std::size_t second = first + 1 == own ? first + 2 : first + 1;
        EXPECT_EQ(met.peer, &four[second].waiter);
        EXPECT_TRUE(met.is_own);
        EXPECT_FALSE(four[own].waiter.take());
        EXPECT_FALSE(four[second].waiter.take());
    }
}

TEST(wait_list, meets_nobody_where_all_are_claimed_or_its_own) {
    wait_list list;
    claim_word claim;
    test_waiter self(claim);
    test_waiter other_end(claim);
    sole_waiter claimed;
    EXPECT_TRUE(claimed.waiter.take());
    list.push_back(other_end);
    list.push_back(claimed.waiter);
    EXPECT_EQ(list.meet(self).peer, nullptr);
    EXPECT_FALSE(list.is_empty()) << "its own other end stays";
}

TEST(wait_list, one_that_is_claimed_itself_keeps_no_peer) {
    for (std::size_t own = 0; own < 2; ++own) {
        std::array<sole_waiter, 2> pair;
        EXPECT_TRUE(pair[own].waiter.take());
        wait_list list;
        list.push_back(pair[1 - own].waiter);
        const auto met = list.meet(pair[own].waiter);
        EXPECT_FALSE(met.is_own);
        if (met.peer == nullptr) {
            EXPECT_TRUE(pair[1 - own].waiter.take()) << "it is still open";
        } else {
            EXPECT_FALSE(pair[1 - own].waiter.take()) << "it is to be told";
        }
    }
}

// Each looks for the next, all at once: exactly one meeting of two or three can be made, and one is.
template <std::size_t Count>
void meet_in_a_ring() {
    constexpr unsigned native_rounds = 20'000;
    struct round_state {
        std::array<sole_waiter, Count> waiters;
        std::array<wait_list, Count> lists;
        std::array<bool, Count> has_met{};
        round_state() {
            for (std::size_t i = 0; i < Count; ++i) {
                lists[i].push_back(waiters[(i + 1) % Count].waiter);
            }
        }
    };
    for (int batch = 0; batch < 3; ++batch) {
        std::vector<round_state> rounds(scaled(native_rounds));
        pace near(Count);
        in_parallel(Count, [&](unsigned which) {
            for (std::size_t i = 0; i < rounds.size(); ++i) {
                near.keep(which, static_cast<unsigned>(i + 1));
                const auto met = rounds[i].lists[which].meet(rounds[i].waiters[which].waiter);
                rounds[i].has_met[which] = met.peer != nullptr && met.is_own;
            }
        });
        for (const round_state& round : rounds) {
            ASSERT_EQ(std::count(round.has_met.begin(), round.has_met.end(), true), 1);
        }
    }
}

TEST(wait_list, of_two_that_look_for_each_other_one_meets_the_other) { meet_in_a_ring<2>(); }
TEST(wait_list, of_three_that_look_for_each_other_in_a_ring_one_meets_the_next) { meet_in_a_ring<3>(); }

// Notes in what order its like are finished, and goes at once, as one on the stack of a thread that is woken may.
class vanishing_waiter final : public waiter {
public:
    vanishing_waiter(std::vector<int>& order, int number) noexcept : waiter(claim_), order_(&order), number_(number) {}
    service asks_for() const noexcept override { return service::tell; }
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
