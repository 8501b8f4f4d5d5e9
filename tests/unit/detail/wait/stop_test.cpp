// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/wait/stop.hpp>

#include <gtest/gtest.h>

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace {

using weir::detail::no_stop;
using weir::detail::on_stop;

TEST(no_stop, is_never_requested_and_never_calls) {
    EXPECT_FALSE(no_stop::stop_requested());
    bool is_called = false;
    [[maybe_unused]] const auto callback = on_stop(no_stop(), [&]() noexcept { is_called = true; });
    EXPECT_FALSE(is_called);
}

#if WEIR_HAS_STOP_TOKEN
TEST(on_stop, calls_when_a_stop_is_requested) {
    std::stop_source source;
    int calls = 0;
    {
        [[maybe_unused]] const auto callback = on_stop(source.get_token(), [&]() noexcept { ++calls; });
        EXPECT_EQ(calls, 0);
        source.request_stop();
        EXPECT_EQ(calls, 1);
    }
    EXPECT_EQ(calls, 1);
}

TEST(on_stop, calls_at_once_where_the_stop_was_requested_before) {
    std::stop_source source;
    source.request_stop();
    int calls = 0;
    [[maybe_unused]] const auto callback = on_stop(source.get_token(), [&]() noexcept { ++calls; });
    EXPECT_EQ(calls, 1);
}

TEST(on_stop, does_not_call_once_it_is_gone) {
    std::stop_source source;
    int calls = 0;
    {
        [[maybe_unused]] const auto callback = on_stop(source.get_token(), [&]() noexcept { ++calls; });
    }
    source.request_stop();
    EXPECT_EQ(calls, 0);
}

TEST(on_stop, takes_a_token_that_nobody_can_request_a_stop_of) {
    [[maybe_unused]] const auto callback =
        on_stop(std::stop_token(), []() noexcept { ADD_FAILURE() << "nobody asked for a stop"; });
    EXPECT_FALSE(std::stop_token().stop_possible());
}
#endif

} // namespace
