// SPDX-License-Identifier: BSL-1.0
// expect: use of deleted function .*receiver|receiver<int>. cannot be assigned|selected deleted operator
#include <weir/weir.hpp>

#include <utility>

int main() {
    auto [tx, rx] = weir::channel<int>();
    weir::receiver<int> other;
#ifdef WEIR_EXPECT_OK
    other = std::move(rx);
#else
    other = rx;
#endif
    return other.is_disconnected() && tx ? 1 : 0;
}
