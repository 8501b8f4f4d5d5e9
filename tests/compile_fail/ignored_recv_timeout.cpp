// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/weir.hpp>

#include <chrono>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    return rx.recv_timeout(std::chrono::seconds(1)) ? 0 : 1;
#else
    rx.recv_timeout(std::chrono::seconds(1));
#endif
}
