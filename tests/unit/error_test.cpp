// SPDX-License-Identifier: BSL-1.0
#include <weir/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <expected>
#include <iostream>
#include <set>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace {

using weir::channel_errc;
using weir::recv_error;
using weir::recv_stop_error;
using weir::recv_timeout_error;
using weir::send_error;
using weir::send_stop_error;
using weir::send_timeout_error;
using weir::try_recv_error;
using weir::try_send_error;

constexpr std::array all_kinds{channel_errc::disconnected, channel_errc::full, channel_errc::empty,
                               channel_errc::timeout, channel_errc::stopped};

// Calls visit(error, kind) for every error of every operation, with what it is in channel_errc.
template <class Visit>
void for_each_error(Visit visit) {
    visit(send_error::disconnected, channel_errc::disconnected);
    visit(try_send_error::disconnected, channel_errc::disconnected);
    visit(try_send_error::full, channel_errc::full);
    visit(send_timeout_error::disconnected, channel_errc::disconnected);
    visit(send_timeout_error::timeout, channel_errc::timeout);
    visit(send_stop_error::disconnected, channel_errc::disconnected);
    visit(send_stop_error::stopped, channel_errc::stopped);
    visit(recv_error::disconnected, channel_errc::disconnected);
    visit(try_recv_error::disconnected, channel_errc::disconnected);
    visit(try_recv_error::empty, channel_errc::empty);
    visit(recv_timeout_error::disconnected, channel_errc::disconnected);
    visit(recv_timeout_error::timeout, channel_errc::timeout);
    visit(recv_stop_error::disconnected, channel_errc::disconnected);
    visit(recv_stop_error::stopped, channel_errc::stopped);
    for (const channel_errc kind : all_kinds) {
        visit(kind, kind);
    }
}

static_assert(static_cast<int>(channel_errc::disconnected) == 1);
static_assert(static_cast<int>(channel_errc::full) == 2);
static_assert(static_cast<int>(channel_errc::empty) == 3);
static_assert(static_cast<int>(channel_errc::timeout) == 4);
static_assert(static_cast<int>(channel_errc::stopped) == 5);

template <class... Errors>
constexpr bool
    are_small_codes = ((sizeof(Errors) == 1 && std::is_same_v<std::underlying_type_t<Errors>, unsigned char> &&
                        std::is_error_code_enum_v<Errors> && std::is_convertible_v<Errors, std::error_code> &&
                        std::is_nothrow_convertible_v<Errors, std::error_code>)&&...);
static_assert(are_small_codes<channel_errc, send_error, try_send_error, send_timeout_error, send_stop_error, recv_error,
                              try_recv_error, recv_timeout_error, recv_stop_error>);

// No integer passes for an error, and no error of another library for one of ours.
static_assert(!std::is_convertible_v<int, channel_errc> && !std::is_error_code_enum_v<int>);
template <class E>
concept can_be_told = requires(E error) {
    weir::to_string(error);
};
static_assert(can_be_told<try_recv_error> && !can_be_told<int> && !can_be_told<std::errc>);

// Known at compile time.
static_assert(!weir::to_string(channel_errc::full).empty());
static_assert(weir::to_string(try_send_error::full) == weir::to_string(channel_errc::full));
static_assert(noexcept(weir::to_string(send_error::disconnected)));
static_assert(noexcept(weir::make_error_code(send_error::disconnected)) && noexcept(weir::channel_category()));

TEST(error, has_the_value_that_it_has_in_channel_errc) {
    for_each_error([](auto error, channel_errc kind) { EXPECT_EQ(static_cast<int>(error), static_cast<int>(kind)); });
}

TEST(error, becomes_a_code_of_the_channel_category) {
    for_each_error([](auto error, channel_errc kind) {
        const std::error_code code = error;
        EXPECT_EQ(code.value(), static_cast<int>(kind));
        EXPECT_EQ(&code.category(), &weir::channel_category());
        EXPECT_EQ(code, make_error_code(error));
        EXPECT_TRUE(static_cast<bool>(code));
    });
}

TEST(error, equals_its_kind_whichever_operation_it_came_from_and_no_other) {
    for_each_error([](auto error, channel_errc kind) {
        const std::error_code code = error;
        for (const channel_errc other : all_kinds) {
            EXPECT_EQ(code == other, kind == other) << code << " and " << static_cast<int>(other);
        }
    });
}

TEST(error, equals_the_like_error_of_every_other_operation) {
    for_each_error([](auto error, channel_errc kind) {
        for_each_error([&](auto other_error, channel_errc other_kind) {
            EXPECT_EQ(make_error_code(error) == make_error_code(other_error), kind == other_kind);
        });
    });
}

TEST(error, maps_to_the_nearest_condition_and_no_other) {
    const auto condition_of = [](channel_errc kind) {
        switch (kind) {
        case channel_errc::disconnected:
            return std::errc::broken_pipe;
        case channel_errc::full:
        case channel_errc::empty:
            return std::errc::operation_would_block;
        case channel_errc::timeout:
            return std::errc::timed_out;
        case channel_errc::stopped:
            return std::errc::operation_canceled;
        }
        return std::errc{};
    };
    for_each_error([&](auto error, channel_errc kind) {
        const std::error_code code = error;
        for (const auto condition : {std::errc::broken_pipe, std::errc::operation_would_block, std::errc::timed_out,
                                     std::errc::operation_canceled, std::errc::not_enough_memory}) {
            EXPECT_EQ(code == condition, condition_of(kind) == condition) << code;
        }
    });
}

TEST(error, says_what_happened_in_a_sentence_of_its_own) {
    std::set<std::string_view> sentences;
    for (const channel_errc kind : all_kinds) {
        const std::string_view sentence = to_string(kind);
        EXPECT_GT(sentence.size(), 10U);
        EXPECT_TRUE(sentences.insert(sentence).second) << sentence;
        EXPECT_EQ(make_error_code(kind).message(), sentence);
    }
    for_each_error([&](auto error, channel_errc kind) {
        EXPECT_TRUE(to_string(error).starts_with(to_string(kind))) << to_string(error);
    });
}

TEST(error, of_a_send_and_of_a_receive_say_of_whom_the_channel_is_disconnected) {
    EXPECT_NE(to_string(send_error::disconnected), to_string(recv_error::disconnected));
    EXPECT_EQ(to_string(send_error::disconnected), to_string(send_stop_error::disconnected));
    EXPECT_EQ(to_string(recv_error::disconnected), to_string(try_recv_error::disconnected));
}

TEST(error, of_no_known_value_is_said_to_be_unknown) {
    constexpr auto unknown = static_cast<channel_errc>(77);
    EXPECT_FALSE(to_string(unknown).empty());
    EXPECT_EQ(weir::channel_category().message(77), to_string(unknown));
    EXPECT_EQ(weir::channel_category().message(0), to_string(channel_errc{}));
    EXPECT_EQ(weir::channel_category().default_error_condition(77), std::error_condition(77, weir::channel_category()));
    for (const channel_errc kind : all_kinds) {
        EXPECT_NE(to_string(kind), to_string(unknown));
        for (const int far : {static_cast<int>(kind) + 256, static_cast<int>(kind) - 256}) {
            EXPECT_EQ(weir::channel_category().message(far), to_string(unknown));
            EXPECT_EQ(weir::channel_category().default_error_condition(far),
                      std::error_condition(far, weir::channel_category()));
        }
    }
}

TEST(channel_category, has_a_name_and_is_one) {
    EXPECT_STREQ(weir::channel_category().name(), "weir");
    EXPECT_EQ(&weir::channel_category(), &weir::channel_category());
    EXPECT_NE(weir::channel_category(), std::generic_category());
    EXPECT_NE(weir::channel_category(), std::system_category());
    EXPECT_NE(std::error_code(channel_errc::full), std::error_code(2, std::generic_category()));
}

// Asks for a message in the destructor of a static object that was made before anything of the category was used.
struct late_user {
    ~late_user() { std::cerr << make_error_code(channel_errc::timeout).message(); }
};

TEST(channel_category, is_good_for_use_in_destructors_of_static_objects) {
    const auto end_program = [] {
        static const late_user user;
        std::exit(0);
    };
    EXPECT_EXIT(end_program(), testing::ExitedWithCode(0), "timed out");
}

TEST(error, is_thrown_by_value_as_the_operations_own) {
    const std::expected<int, try_recv_error> nothing = std::unexpected(try_recv_error::empty);
    bool is_caught = false;
    try {
        static_cast<void>(nothing.value());
    } catch (const std::bad_expected_access<try_recv_error>& failure) {
        is_caught = true;
        EXPECT_EQ(failure.error(), try_recv_error::empty);
    }
    EXPECT_TRUE(is_caught);
}

} // namespace
