// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/channel.hpp>
#include <weir/coro.hpp>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    (void)weir::async_recv(rx);
#else
    weir::async_recv(rx);
#endif
}
