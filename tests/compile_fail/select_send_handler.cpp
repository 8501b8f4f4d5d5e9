// SPDX-License-Identifier: BSL-1.0
// expect: weir: the handler of on_send must take a std::expected<void, weir::send_error>
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::select(weir::on_send(tx, 1, [](std::expected<void, weir::send_error>) {}));
#else
    weir::select(weir::on_send(tx, 1, [] {}));
#endif
}
