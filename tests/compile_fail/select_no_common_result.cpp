// SPDX-License-Identifier: BSL-1.0
// expect: weir: the handlers of a select must return a common type, or all nothing
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <chrono>
#include <string>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    return weir::select(weir::on_recv(rx, [](auto) { return 1; }), weir::on_idle([] { return 2; }));
#else
    (void)weir::select(weir::on_recv(rx, [](auto) { return 1; }), weir::on_idle([] { return std::string(); }));
#endif
}
