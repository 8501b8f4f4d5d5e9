// SPDX-License-Identifier: BSL-1.0
// expect: weir: a message type must be nothrow destructible
#include <weir/weir.hpp>

#ifdef WEIR_EXPECT_OK
constexpr bool never_throws = true;
#else
constexpr bool never_throws = false;
#endif

struct message {
    message() = default;
    message(message&&) noexcept {}
    ~message() noexcept(never_throws) {}
};

int main() {
    auto unbounded = weir::channel<message>();
    auto bounded = weir::sync_channel<message>(1);
    return unbounded.rx.is_empty() && bounded.rx.is_empty() ? 0 : 1;
}
