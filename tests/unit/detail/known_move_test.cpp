// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/known_move.hpp>
#include <weir/weir.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace {

using weir::detail::has_known_move;

struct own_move {
    own_move(own_move&&) noexcept {}
};

struct own_pointer {
    struct pointer {
        pointer(std::nullptr_t = nullptr) noexcept {}
        pointer(const pointer&) noexcept {}
        pointer& operator=(const pointer&) noexcept { return *this; }
        [[maybe_unused]] friend bool operator==(const pointer&, std::nullptr_t) noexcept { return true; }
    };
    void operator()(pointer) const noexcept {}
};

template <class T>
struct own_allocator : std::allocator<T> {
    own_allocator() = default;
    own_allocator(const own_allocator&) noexcept {}
    template <class U>
    own_allocator(const own_allocator<U>&) noexcept {}
    template <class U>
    struct rebind {
        using other = own_allocator<U>;
    };
};

TEST(known_move, is_one_of_bytes_or_of_the_standard_library) {
    EXPECT_TRUE(has_known_move<int>);
    EXPECT_TRUE((has_known_move<std::array<int, 4>>));
    EXPECT_TRUE(has_known_move<std::string>);
    EXPECT_TRUE(has_known_move<std::wstring>);
    EXPECT_TRUE(has_known_move<std::vector<own_move>>) << "its elements stay where they are";
    EXPECT_TRUE(has_known_move<std::unique_ptr<own_move>>);
    EXPECT_TRUE(has_known_move<std::unique_ptr<int[]>>);
    EXPECT_TRUE((has_known_move<std::unique_ptr<std::FILE, int (*)(std::FILE*)>>));
    EXPECT_TRUE(has_known_move<std::shared_ptr<own_move>>);
    EXPECT_TRUE(has_known_move<std::weak_ptr<own_move>>);
    EXPECT_TRUE((has_known_move<std::pair<std::string, int>>));
    EXPECT_TRUE((has_known_move<std::tuple<std::string, std::vector<int>, std::optional<std::unique_ptr<int>>>>));
    EXPECT_TRUE((has_known_move<std::variant<std::monostate, std::string, std::vector<int>>>));
    EXPECT_TRUE((has_known_move<std::expected<std::string, int>>));
    EXPECT_TRUE((has_known_move<std::expected<void, std::string>>));
}

TEST(known_move, may_be_that_of_a_handle) {
    EXPECT_TRUE(has_known_move<weir::sender<own_move>>);
    EXPECT_TRUE(has_known_move<weir::weak_sender<own_move>>);
    EXPECT_TRUE(has_known_move<weir::sync_sender<own_move>>);
    EXPECT_TRUE(has_known_move<weir::weak_sync_sender<own_move>>);
    EXPECT_TRUE(has_known_move<weir::receiver<own_move>>);
}

TEST(known_move, is_none_that_may_run_code_of_users) {
    EXPECT_FALSE(has_known_move<own_move>);
    EXPECT_FALSE(has_known_move<std::function<void()>>) << "what it holds may be moved with it";
    EXPECT_FALSE((has_known_move<std::unique_ptr<int, std::function<void(int*)>>>));
    EXPECT_FALSE((has_known_move<std::unique_ptr<int, own_pointer>>));
    EXPECT_FALSE((has_known_move<std::vector<int, own_allocator<int>>>));
    EXPECT_FALSE((has_known_move<std::basic_string<char, std::char_traits<char>, own_allocator<char>>>));
    EXPECT_FALSE(has_known_move<std::optional<own_move>>);
    EXPECT_FALSE((has_known_move<std::array<own_move, 2>>));
    EXPECT_FALSE((has_known_move<std::pair<int, own_move>>));
    EXPECT_FALSE((has_known_move<std::tuple<int, own_move>>));
    EXPECT_FALSE((has_known_move<std::variant<int, own_move>>));
    EXPECT_FALSE((has_known_move<std::expected<own_move, int>>));
    EXPECT_FALSE((has_known_move<std::expected<void, own_move>>));
}

} // namespace
