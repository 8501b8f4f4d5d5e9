// SPDX-License-Identifier: BSL-1.0
// expect: weir: a message type must be an object type, not a reference, function, array or void
#include <weir/weir.hpp>

#ifdef WEIR_EXPECT_OK
using message = int;
#else
using message = int[3];
#endif

int main() {
    auto unbounded = weir::channel<message>();
    auto bounded = weir::sync_channel<message>(1);
    return unbounded.rx.is_empty() && bounded.rx.is_empty() ? 0 : 1;
}
