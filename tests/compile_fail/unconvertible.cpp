// SPDX-License-Identifier: BSL-1.0
// expect: no matching (member )?function for call to .*send
#include <weir/weir.hpp>

#include <string>

int main() {
    auto [tx, rx] = weir::channel<std::string>();
#ifdef WEIR_EXPECT_OK
    return tx.send("text") && rx ? 0 : 1;
#else
    return tx.send(12) && rx ? 0 : 1;
#endif
}
