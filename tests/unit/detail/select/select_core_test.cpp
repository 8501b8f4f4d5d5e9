// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/select/select_core.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
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
    const weir::detail::channel_base* channel = nullptr;

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
    const weir::detail::channel_base* end_of() const noexcept override { return channel; }

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
              (log{"a prepare", "b prepare", "a enrol", "b enrol", "a withdraw", "b complete"}))
        << "its server has unlinked b";
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

// What is learnt is the thread's. The channel's address is all that counts.
class select_core_lessons : public testing::Test {
protected:
    void SetUp() override {
        if (!weir::detail::can_spin())
            GTEST_SKIP() << "there is one processor";
    }

    log calls;
    fake_arm a{calls, "a"};
    fake_arm b{calls, "b"};
    fake_arm c{calls, "c"};
    std::array<select_arm*, 3> list{&a, &b, &c};
    std::array<char, 3> channels{};

    void give_channels() {
        a.channel = as_channel(0);
        b.channel = as_channel(1);
        c.channel = as_channel(2);
    }
    void run(bool is_biased) {
        calls.clear();
        list = {&a, &b, &c};
        select_core core(list, is_biased);
        EXPECT_EQ(core.run(deadline::never()), &c);
    }
    std::string first_enrolled() const {
        return *std::ranges::find_if(calls, [](const std::string& call) { return call.ends_with("enrol"); });
    }

private:
    const weir::detail::channel_base* as_channel(std::size_t which) const {
        return reinterpret_cast<const weir::detail::channel_base*>(&channels[which]);
    }
};

TEST_F(select_core_lessons, where_the_last_one_took_effect_is_enrolled_first) {
    std::thread([&] {
        give_channels();
        c.on_enrol = [](fake_arm& self) { return self.answered(answer::served); };
        run(false);
        for (int i = 0; i < 20; ++i) {
            run(false);
            EXPECT_EQ(first_enrolled(), "c enrol");
            EXPECT_EQ(std::ranges::count(calls, "a enrol") + std::ranges::count(calls, "b enrol"), 0) << "answered";
        }
    }).join();
}

TEST_F(select_core_lessons, a_biased_one_enrols_as_written) {
    std::thread([&] {
        give_channels();
        c.on_enrol = [](fake_arm& self) { return self.answered(answer::served); };
        for (int i = 0; i < 20; ++i) {
            run(true);
            EXPECT_EQ(calls[3], "a enrol");
            EXPECT_EQ(calls[4], "b enrol");
            EXPECT_EQ(calls[5], "c enrol");
        }
    }).join();
}

TEST_F(select_core_lessons, arms_without_a_channel_are_no_channel) {
    std::thread([&] {
        c.on_enrol = [](fake_arm& self) { return self.answered(answer::served); };
        run(true);
        run(true);
        EXPECT_EQ(calls[3], "a enrol");
    }).join();
}

} // namespace
