// SPDX-License-Identifier: BSL-1.0
// expect: use of deleted function .*receiver|call to (implicitly-)?deleted (copy )?constructor of .*receiver
#include <weir/weir.hpp>

#include <utility>

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    weir::receiver<int> other = std::move(rx);
#else
    weir::receiver<int> other = rx;
#endif
    return other.is_disconnected() && tx ? 1 : 0;
}
