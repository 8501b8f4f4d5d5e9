// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/weir.hpp>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    return tx.send(1) ? 0 : 1;
#else
    tx.send(1);
#endif
}
