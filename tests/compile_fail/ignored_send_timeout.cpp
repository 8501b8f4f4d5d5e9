// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/weir.hpp>

#include <chrono>

int main() {
    auto [tx, rx] = weir::sync_channel<int>(1);
#ifdef WEIR_EXPECT_OK
    return tx.send_timeout(1, std::chrono::seconds(1)) ? 0 : 1;
#else
    tx.send_timeout(1, std::chrono::seconds(1));
#endif
}
