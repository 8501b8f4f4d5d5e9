// SPDX-License-Identifier: BSL-1.0
// expect: weir: the handler of on_recv must take a std::expected<T, weir::recv_error>
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::select(weir::on_recv(rx, [](std::expected<int, weir::recv_error>) {}));
#else
    weir::select(weir::on_recv(rx, [](std::string) {}));
#endif
}
