// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/blocking_send.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace {

using weir::detail::answer;
using weir::detail::deadline;
using weir::detail::enrolment;
using weir::detail::no_stop;
using weir::detail::send_result;
using weir::detail::sender_wait;
using weir::detail::service;
using weir::detail::waiter;

struct nothing {
    static constexpr bool any_thread_makes_it = true;
    void make_at(void*) noexcept {}
};

// Full for a while; tells a sender that waits to look again, as the holder of the lock does that settles a debt.
template <bool LeavesToSender>
class often_full {
public:
    // `overtaking`: so many messages pass until a waiter is told.
    explicit often_full(std::size_t times, std::uint64_t overtaking = 0) : times_(times), overtaking_(overtaking) {}

    template <class>
    static constexpr bool leaves_to_sender = LeavesToSender;

    static constexpr std::size_t capacity() noexcept { return 1; }
    static constexpr bool seems_to_have_room() noexcept { return false; }
    static constexpr bool is_worth_looking() noexcept { return true; }
    std::uint64_t send_progress() const noexcept { return enrolled.size() * overtaking_; }
    send_result try_send(nothing&) noexcept { return enrolled.size() < times_ ? send_result::full : send_result::sent; }
    enrolment enrol_sender(waiter& self, bool first) noexcept {
        enrolled.push_back(first);
        asked.push_back(self.asks_for());
        if (self.take()) {
            self.finish(answer::retry);
        }
        return enrolment::waits;
    }
    void withdraw_sender(waiter&) noexcept {}
    void send_granted(std::uint64_t, nothing&) noexcept {}

    std::vector<bool> enrolled; // whether from the front
    std::vector<service> asked;

private:
    const std::size_t times_;
    const std::uint64_t overtaking_;
};

TEST(blocking_send, whoever_was_told_to_look_again_keeps_its_turn) {
    often_full<false> flavor(3);
    sender_wait side(1);
    nothing source;
    EXPECT_EQ(weir::detail::send_waiting(flavor, side, source, deadline::never(), no_stop()), send_result::sent);
    EXPECT_EQ(flavor.enrolled, (std::vector<bool>{false, true, true}));
}

TEST(blocking_send, whose_message_the_receiver_may_make_asks_for_that) {
    often_full<false> flavor(2, 1000);
    sender_wait side(1);
    nothing source;
    EXPECT_EQ(weir::detail::send_waiting(flavor, side, source, deadline::never(), no_stop()), send_result::sent);
    EXPECT_EQ(flavor.asked, (std::vector{service::make, service::make}));
}

TEST(blocking_send, who_makes_its_message_itself_asks_for_a_place_when_it_was_overtaken_for_long) {
    often_full<true> flavor(4, 600);
    sender_wait side(1);
    nothing source;
    EXPECT_EQ(weir::detail::send_waiting(flavor, side, source, deadline::never(), no_stop()), send_result::sent);
    EXPECT_EQ(flavor.asked, (std::vector{service::tell, service::tell, service::grant, service::grant}));
}

} // namespace
