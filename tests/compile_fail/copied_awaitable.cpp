// SPDX-License-Identifier: BSL-1.0
// expect: use of deleted function .*awaitable<|call to (implicitly-)?deleted (copy )?constructor of .*awaitable<
#include <weir/channel.hpp>
#include <weir/coro.hpp>

#include <utility>

int main() {
    auto [tx, rx] = weir::channel<int>();
    auto receives = weir::async_recv(rx);
#ifdef WEIR_EXPECT_OK
    (void)receives;
#else
    auto other = std::move(receives);
#endif
}
