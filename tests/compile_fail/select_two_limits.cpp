// SPDX-License-Identifier: BSL-1.0
// expect: weir: a select may have one of on_timeout, on_deadline and on_idle, and that once
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::select(weir::on_recv(rx, [](auto) {}), weir::on_timeout(std::chrono::seconds(1), [] {}));
#else
    weir::select(weir::on_recv(rx, [](auto) {}), weir::on_timeout(std::chrono::seconds(1), [] {}),
                 weir::on_idle([] {}));
#endif
}
