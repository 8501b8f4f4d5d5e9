// SPDX-License-Identifier: BSL-1.0
// expect: weir: a select needs at least one arm
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::select(weir::on_idle([] {}));
#else
    weir::select();
#endif
}
