// SPDX-License-Identifier: BSL-1.0
// expect: ignoring return value.*nodiscard
#include <weir/weir.hpp>

#include <iterator>
#include <vector>

std::vector<int> out;

int main() {
    auto [tx, rx] = weir::channel<int>();
#ifdef WEIR_EXPECT_OK
    return rx.recv_many(std::back_inserter(out), 1) ? 0 : 1;
#else
    rx.recv_many(std::back_inserter(out), 1);
#endif
}
