// SPDX-License-Identifier: BSL-1.0
// expect: weir: a message type must not be const or volatile
#include <weir/weir.hpp>

#ifdef WEIR_EXPECT_OK
using message = int;
#else
using message = const int;
#endif

int main() {
    auto unbounded = weir::channel<message>();
    auto bounded = weir::sync_channel<message>(1);
    return unbounded.rx.is_empty() && bounded.rx.is_empty() ? 0 : 1;
}
