// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/weir.hpp>

int main() {
    auto [tx, rx] = weir::sync_channel<int>(1);
#ifdef WEIR_EXPECT_OK
    return tx.try_send(1) ? 0 : 1;
#else
    tx.try_send(1);
#endif
}
