// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::select(weir::on_recv(rx, [](auto) {}));
#else
    weir::on_recv(rx, [](auto) {});
#endif
}
