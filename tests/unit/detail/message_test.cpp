// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/message.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using weir::detail::check_message;
using weir::detail::message_place;
using weir::detail::send_constructed;
using weir::detail::send_converted;

struct empty {};
struct no_address {
    no_address* operator&() = delete;
};
struct no_default {
    explicit no_default(int) noexcept {}
};
struct alignas(128) overaligned {};
static_assert(check_message<int>() && check_message<empty>() && check_message<no_address>() &&
              check_message<no_default>() && check_message<overaligned>() && check_message<std::unique_ptr<int>>() &&
              check_message<std::array<std::byte, 256 * 1024>>() && check_message<int*>() &&
              check_message<std::string>());

using result = std::expected<void, int>;
constexpr int refused = 1;

// What happens to a send: whether it was let in, and whether the message was made.
struct attempt {
    bool checks_ok = true;
    bool sends = true;
    int checked = 0;
    int sent = 0;

    template <class T>
    auto check() {
        return [this]() -> result {
            ++checked;
            return checks_ok ? result() : std::unexpected(refused);
        };
    }
    template <class T>
    auto send(message_place<T>& place) {
        return [this, &place](auto& source) -> result {
            ++sent;
            if (!sends) {
                return std::unexpected(refused);
            }
            source.make_at(place.raw());
            return {};
        };
    }
};

// Notes how it came to be.
struct traced {
    traced(int) noexcept : self(this) {}
    traced(traced&& other) noexcept : self(this), moves(other.moves + 1) {}
    traced* self;
    int moves = 0;
};

TEST(message_source, makes_what_cannot_throw_straight_in_its_place) {
    attempt way;
    message_place<traced> place;
    EXPECT_TRUE(send_converted<traced>(5, way.check<traced>(), way.send(place)));
    EXPECT_EQ(static_cast<void*>(place.get()->self), place.raw());
    EXPECT_EQ(place.get()->moves, 0);
    EXPECT_EQ(way.checked, 0) << "nothing is made before the send, so there is nothing to check for";

    EXPECT_TRUE(send_constructed<traced>(way.check<traced>(), way.send(place), 5));
    EXPECT_EQ(static_cast<void*>(place.get()->self), place.raw());
    EXPECT_EQ(place.get()->moves, 0);
}

TEST(message_source, moves_a_message_once) {
    attempt way;
    message_place<traced> place;
    traced message(1);
    EXPECT_TRUE(send_converted<traced>(std::move(message), way.check<traced>(), way.send(place)));
    EXPECT_EQ(place.get()->moves, 1);
}

TEST(message_source, leaves_the_argument_of_a_send_that_fails) {
    attempt way;
    way.sends = false;
    message_place<std::unique_ptr<int>> place;
    auto argument = std::make_unique<int>(3);
    EXPECT_FALSE(
        send_converted<std::unique_ptr<int>>(std::move(argument), way.check<std::unique_ptr<int>>(), way.send(place)));
    EXPECT_NE(argument, nullptr);
    EXPECT_FALSE(send_constructed<std::unique_ptr<int>>(way.check<std::unique_ptr<int>>(), way.send(place),
                                                        std::move(argument)));
    EXPECT_NE(argument, nullptr);
    EXPECT_EQ(way.sent, 2);
}

TEST(message_source, leaves_an_argument_of_another_type_that_converts_without_throwing) {
    struct base {
        virtual ~base() = default;
    };
    struct derived final : base {};
    attempt way;
    way.sends = false;
    message_place<std::unique_ptr<base>> place;
    auto argument = std::make_unique<derived>();
    EXPECT_FALSE(send_converted<std::unique_ptr<base>>(std::move(argument), way.check<std::unique_ptr<base>>(),
                                                       way.send(place)));
    EXPECT_NE(argument, nullptr);
    way.sends = true;
    EXPECT_TRUE(send_converted<std::unique_ptr<base>>(std::move(argument), way.check<std::unique_ptr<base>>(),
                                                      way.send(place)));
    EXPECT_EQ(argument, nullptr);
    std::destroy_at(place.get());
}

struct may_throw {
    may_throw(int value) : made(value) {
        if (value < 0) {
            throw value;
        }
    }
    may_throw(may_throw&& other) noexcept : made(other.made) {}
    int made;
};

TEST(message_source, what_may_throw_is_made_before_the_send_begins) {
    attempt way;
    message_place<may_throw> place;
    EXPECT_TRUE(send_converted<may_throw>(7, way.check<may_throw>(), way.send(place)));
    EXPECT_EQ(place.get()->made, 7);
    EXPECT_THROW((void)send_converted<may_throw>(-1, way.check<may_throw>(), way.send(place)), int);
    EXPECT_THROW((void)send_constructed<may_throw>(way.check<may_throw>(), way.send(place), -1), int);
    EXPECT_EQ(way.sent, 1) << "nothing was claimed for a message that was not made";
}

TEST(message_source, what_may_throw_is_not_made_where_the_send_cannot_succeed) {
    attempt way;
    way.checks_ok = false;
    message_place<may_throw> place;
    EXPECT_FALSE(send_converted<may_throw>(-1, way.check<may_throw>(), way.send(place)));
    EXPECT_FALSE(send_constructed<may_throw>(way.check<may_throw>(), way.send(place), -1));
    EXPECT_EQ(way.checked, 2);
    EXPECT_EQ(way.sent, 0);
}

// Sends nothing, but looks whether any thread might make the message.
class look_at_source {
public:
    template <class Source>
    result operator()(Source&) const {
        by_any_thread_ = Source::any_thread_makes_it;
        return std::unexpected(refused);
    }
    bool any_thread_makes_it() const { return by_any_thread_; }

private:
    mutable bool by_any_thread_ = false;
};
template <class T, class Value>
bool any_thread_makes_it(Value&& value) {
    const look_at_source look;
    EXPECT_FALSE(send_converted<T>(std::forward<Value>(value), [] { return result(); }, look));
    return look.any_thread_makes_it();
}
template <class T, class... Args>
bool any_thread_constructs_it(Args&&... args) {
    const look_at_source look;
    EXPECT_FALSE(send_constructed<T>([] { return result(); }, look, std::forward<Args>(args)...));
    return look.any_thread_makes_it();
}

struct converting {
    operator int() const noexcept { return 3; }
};

TEST(message_source, tells_whether_any_thread_may_make_it) {
    const std::uint64_t number = 4;
    EXPECT_TRUE(any_thread_makes_it<int>(3));
    EXPECT_TRUE(any_thread_makes_it<std::uint64_t>(number));
    EXPECT_TRUE(any_thread_makes_it<std::uint64_t>(3)) << "a conversion of numbers is no code of users";
    EXPECT_TRUE(any_thread_makes_it<const int*>(nullptr));
    EXPECT_TRUE((any_thread_makes_it<std::array<int, 4>>(std::array<int, 4>{})));
    EXPECT_TRUE(any_thread_makes_it<std::unique_ptr<int>>(std::unique_ptr<int>()));
    EXPECT_TRUE(any_thread_makes_it<std::string>(std::string("x")));
    const std::string copied("x");
    EXPECT_TRUE(any_thread_makes_it<std::string>(copied)) << "a copy is made before";
    EXPECT_TRUE(any_thread_makes_it<std::string>("x")) << "likewise";
    EXPECT_FALSE(any_thread_makes_it<traced>(traced(1)));
    EXPECT_FALSE(any_thread_makes_it<traced>(1)) << "its conversion is code of users";
    EXPECT_FALSE(any_thread_makes_it<int>(converting())) << "here, too";
    EXPECT_TRUE(any_thread_constructs_it<int>(3L));
    EXPECT_TRUE(any_thread_constructs_it<int>());
    EXPECT_TRUE((any_thread_constructs_it<std::array<int, 4>>(std::array<int, 4>{})));
    EXPECT_FALSE((any_thread_constructs_it<std::array<int, 4>>()));
    EXPECT_FALSE(any_thread_constructs_it<int>(converting()));
}

TEST(message_source, makes_a_message_of_several_arguments_or_none) {
    attempt way;
    message_place<std::string> place;
    EXPECT_TRUE(send_constructed<std::string>(way.check<std::string>(), way.send(place), std::size_t{3}, 'x'));
    EXPECT_EQ(*place.get(), "xxx");
    std::destroy_at(place.get());
    EXPECT_TRUE(send_constructed<std::string>(way.check<std::string>(), way.send(place)));
    EXPECT_EQ(*place.get(), "");
    std::destroy_at(place.get());
}

TEST(message_source, copies_an_lvalue) {
    attempt way;
    message_place<std::string> place;
    const std::string argument = "a text that is too long for the small string's own place";
    EXPECT_TRUE(send_converted<std::string>(argument, way.check<std::string>(), way.send(place)));
    EXPECT_EQ(*place.get(), argument);
    std::destroy_at(place.get());
}

using words = std::array<std::uint64_t, 100>;
struct with_constructor {
    with_constructor() = default;
    template <class U>
    explicit with_constructor(const U&) {} // would be taken instead of the copy constructor
    words bytes;
};

TEST(passed_on, copies_a_large_message_of_bytes_alone) {
    using weir::detail::is_large_and_plain;
    using weir::detail::passed_on;
    static_assert(is_large_and_plain<words>);
    static_assert(!is_large_and_plain<with_constructor>);
    static_assert(!is_large_and_plain<std::uint64_t>);
    static_assert(!is_large_and_plain<std::array<std::unique_ptr<int>, 100>>);
    static_assert(std::is_same_v<decltype(passed_on<words>(std::declval<int&>())), int&>);
    words from{};
    from.front() = 1;
    from.back() = 2;
    EXPECT_EQ(words(passed_on<words>(from)), from);
    EXPECT_EQ(words(passed_on<words>(std::as_const(from))), from);
    EXPECT_EQ(words(passed_on<words>(std::move(from))), from);
    attempt way;
    message_place<words> place;
    EXPECT_TRUE(send_converted<words>(from, way.check<words>(), way.send(place)));
    EXPECT_EQ(*place.get(), from);
}

TEST(message_place, is_as_large_and_as_aligned_as_its_message) {
    EXPECT_EQ(sizeof(message_place<overaligned>), sizeof(overaligned));
    EXPECT_EQ(alignof(message_place<overaligned>), alignof(overaligned));
    EXPECT_EQ(sizeof(message_place<char>), 1U);
    message_place<no_address> place;
    ::new (place.raw()) no_address();
    EXPECT_EQ(static_cast<void*>(place.get()), place.raw());
}

} // namespace
