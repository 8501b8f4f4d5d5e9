// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/close_watch.hpp>

#include "support/scale.hpp"
#include "support/test_waiter.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

namespace {

using namespace unit;
using weir::detail::answer;
using weir::detail::close_watch;
using weir::detail::deadline;

TEST(close_watch, tells_those_that_are_enrolled_once) {
    close_watch side;
    sole_waiter stays;
    sole_waiter goes;
    side.enrol(stays.waiter);
    side.enrol(goes.waiter);
    side.withdraw(goes.waiter);
    side.tell();
    side.tell();
    EXPECT_EQ(stays.waiter.finishes(), 1);
    EXPECT_EQ(stays.waiter.outcome(), answer::retry);
    EXPECT_EQ(goes.waiter.finishes(), 0);
    side.withdraw(stays.waiter);
}

TEST(close_watch, who_enrols_while_it_is_closed_sees_it_or_is_told) {
    constexpr unsigned native_rounds = 20'000;
    struct round_state {
        close_watch side;
        std::atomic<bool> is_closed{false};
        sole_waiter self;
        bool saw = false;
    };
    std::vector<round_state> rounds(scaled(native_rounds));
    pace near(2);
    in_parallel(2, [&](unsigned which) {
        for (std::size_t i = 0; i < rounds.size(); ++i) {
            near.keep(which, static_cast<unsigned>(i + 1));
            if (which == 0) {
                rounds[i].is_closed.store(true, std::memory_order_seq_cst); // as tell() asks for
                rounds[i].side.tell();
            } else {
                rounds[i].side.enrol(rounds[i].self.waiter);
                rounds[i].saw = rounds[i].is_closed.load(std::memory_order_seq_cst);
            }
        }
    });
    for (round_state& round : rounds) {
        ASSERT_TRUE(round.saw || round.self.waiter.await(deadline::passed()));
    }
}

} // namespace
