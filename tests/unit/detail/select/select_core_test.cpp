// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/select/select_core.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::detail::answer;
using weir::detail::deadline;
using weir::detail::enrolment;
using weir::detail::select_arm;
using weir::detail::select_core;

using log = std::vector<std::string>;

// Does as it is told, and notes what is asked of it.
class fake_arm final : public select_arm {
public:
    fake_arm(log& calls, std::string name) : calls_(&calls), name_(std::move(name)) {}

    std::function<bool()> ready = [] { return false; };
    std::function<enrolment(fake_arm&)> on_enrol = [](fake_arm&) { return enrolment::waits; };
    deadline due_at = deadline::never();

    // As another thread would.
    enrolment answered(answer outcome) {
        EXPECT_TRUE(take());
        finish(outcome);
        return enrolment::waits;
    }

    bool attempt() override { return ready(); }
    bool seems_ready() noexcept override { return false; }
    void prepare() override { note("prepare"); }
    enrolment enrol() noexcept override {
        note(keeps_turn() ? "enrol in front" : "enrol");
        return on_enrol(*this);
    }
    void withdraw() noexcept override { note("withdraw"); }
    void complete(answer) noexcept override { note("complete"); }
    void pass_on() noexcept override { note("pass_on"); }
    deadline due() noexcept override { return due_at; }

private:
    void note(const char* what) { calls_->push_back(name_ + ' ' + what); }

    log* calls_;
    std::string name_;
};

struct two_arms {
    log calls;
    fake_arm a{calls, "a"};
    fake_arm b{calls, "b"};
    std::array<select_arm*, 2> list{&a, &b};

    select_arm* run(deadline until = deadline::never()) {
        select_core core(list, true);
        return core.run(until);
    }
};

TEST(select_core, an_arm_that_is_ready_is_all_that_is_touched) {
    two_arms arms;
    arms.a.ready = arms.b.ready = [] { return true; };
    EXPECT_EQ(arms.run(), &arms.a);
    EXPECT_TRUE(arms.calls.empty());
}

TEST(select_core, without_time_nothing_is_prepared_or_enrolled) {
    two_arms arms;
    EXPECT_EQ(arms.run(deadline::passed()), nullptr);
    EXPECT_TRUE(arms.calls.empty());
}

TEST(select_core, an_arm_that_is_served_is_completed_when_all_have_withdrawn) {
    two_arms arms;
    arms.b.on_enrol = [](fake_arm& self) { return self.answered(answer::served); };
    EXPECT_EQ(arms.run(), &arms.b);
    EXPECT_EQ(arms.calls,
              (log{"a prepare", "b prepare", "a enrol", "b enrol", "a withdraw", "b withdraw", "b complete"}));
}

TEST(select_core, an_arm_that_met_another_ends_the_enrolling) {
    two_arms arms;
    arms.a.on_enrol = [](fake_arm& self) {
        EXPECT_TRUE(self.take());
        return enrolment::met;
    };
    EXPECT_EQ(arms.run(), &arms.a);
    EXPECT_EQ(arms.calls, (log{"a prepare", "b prepare", "a enrol", "a withdraw", "a complete"}));
}

TEST(select_core, an_arm_found_ready_when_enrolled_has_all_tried_again) {
    two_arms arms;
    bool is_ready = false;
    arms.b.on_enrol = [&](fake_arm& self) {
        EXPECT_TRUE(self.take());
        is_ready = true;
        return enrolment::ready;
    };
    arms.b.ready = [&] { return is_ready; };
    EXPECT_EQ(arms.run(), &arms.b);
    EXPECT_EQ(arms.calls, (log{"a prepare", "b prepare", "a enrol", "b enrol", "a withdraw", "b withdraw"}));
}

TEST(select_core, an_arm_that_was_told_passes_it_on_where_another_is_chosen) {
    two_arms arms;
    bool is_ready = false;
    arms.b.on_enrol = [&](fake_arm& self) {
        is_ready = true;
        return self.answered(answer::retry);
    };
    arms.a.ready = arms.b.ready = [&] { return is_ready; };
    EXPECT_EQ(arms.run(), &arms.a);
    EXPECT_EQ(arms.calls.back(), "b pass_on");
}

TEST(select_core, an_arm_that_was_told_and_is_chosen_passes_nothing_on) {
    two_arms arms;
    bool is_ready = false;
    arms.b.on_enrol = [&](fake_arm& self) {
        is_ready = true;
        return self.answered(answer::retry);
    };
    arms.b.ready = [&] { return is_ready; };
    EXPECT_EQ(arms.run(), &arms.b);
    EXPECT_EQ(arms.calls.back(), "b withdraw");
}

TEST(select_core, an_arm_that_was_told_in_vain_keeps_its_turn_until_its_select_has_ended) {
    two_arms arms;
    int enrolled = 0;
    arms.b.on_enrol = [&](fake_arm& self) {
        return self.answered(++enrolled % 2 == 1 ? answer::retry : answer::served);
    };
    EXPECT_EQ(arms.run(), &arms.b);
    EXPECT_EQ(std::ranges::count(arms.calls, "b enrol"), 1);
    EXPECT_EQ(std::ranges::count(arms.calls, "b enrol in front"), 1);
    EXPECT_EQ(std::ranges::count(arms.calls, "a enrol in front"), 0) << "nobody told it";
    EXPECT_EQ(arms.run(), &arms.b);
    EXPECT_EQ(std::ranges::count(arms.calls, "b enrol"), 2) << "another select";
}

TEST(select_core, each_round_has_its_own_claim) {
    two_arms arms;
    int rounds = 0;
    arms.a.on_enrol = [&](fake_arm& self) {
        return ++rounds < 3 ? self.answered(answer::retry) : self.answered(answer::served);
    };
    EXPECT_EQ(arms.run(), &arms.a);
    EXPECT_EQ(rounds, 3);
}

TEST(select_core, the_deadline_ends_the_wait_with_all_withdrawn) {
    two_arms arms;
    EXPECT_EQ(arms.run(deadline::after(2ms)), nullptr);
    EXPECT_EQ(arms.calls, (log{"a prepare", "b prepare", "a enrol", "b enrol", "a withdraw", "b withdraw"}));
}

TEST(select_core, an_arm_that_is_due_by_itself_is_tried_then) {
    two_arms arms;
    arms.b.due_at = deadline::after(2ms);
    arms.b.ready = [&] { return arms.b.due_at.has_passed(); };
    EXPECT_EQ(arms.run(), &arms.b);
}

} // namespace
