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
using weir::detail::waiter;

struct nothing {
    static constexpr bool is_plain = true;
    void make_at(void*) noexcept {}
};

// Full for a while; tells a sender that waits to look again, as the holder of the lock does that settles a debt.
class often_full {
public:
    explicit often_full(std::size_t times) : times_(times) {}

    static constexpr std::size_t capacity() noexcept { return 1; }
    static constexpr bool seems_to_have_room() noexcept { return false; }
    static constexpr bool is_worth_looking() noexcept { return true; }
    static constexpr std::uint64_t send_progress() noexcept { return 0; }
    send_result try_send(nothing&) noexcept { return enrolled.size() < times_ ? send_result::full : send_result::sent; }
    enrolment enrol_sender(waiter& self, bool first) noexcept {
        enrolled.push_back(first);
        if (self.take()) {
            self.finish(answer::retry);
        }
        return enrolment::waits;
    }
    void withdraw_sender(waiter&) noexcept {}
    void send_granted(std::uint64_t, nothing&) noexcept {}

    std::vector<bool> enrolled; // whether from the front

private:
    const std::size_t times_;
};

TEST(blocking_send, whoever_was_told_to_look_again_keeps_its_turn) {
    often_full flavor(3);
    sender_wait side(1);
    nothing source;
    EXPECT_EQ(weir::detail::send_waiting(flavor, side, source, deadline::never(), no_stop()), send_result::sent);
    EXPECT_EQ(flavor.enrolled, (std::vector<bool>{false, true, true}));
}

} // namespace
