// SPDX-License-Identifier: BSL-1.0
// expect: weir: the handler of on_timeout, on_deadline or on_idle must take no argument
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::select(weir::on_idle([] {}));
#else
    weir::select(weir::on_idle([](int) {}));
#endif
}
