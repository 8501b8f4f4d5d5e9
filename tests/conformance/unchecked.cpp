// SPDX-License-Identifier: BSL-1.0
//
// The unchecked half of a program whose translation units differ in WEIR_CHECKED. It calls everything that the checked
// half does, and comes first when they are linked: the linker must not take these functions for the checked ones.

#define WEIR_CHECKED 0

#include <chrono>
#include <iterator>
#include <vector>

#include "support/mixed.hpp"

void conformance::receive_unchecked(weir::receiver<message>& rx) {
    std::vector<message> out;
    static_cast<void>(rx.recv_many(std::back_inserter(out), 1));
    static_cast<void>(rx.try_recv());
    static_cast<void>(rx.recv_timeout(std::chrono::seconds(0)));
    for ([[maybe_unused]] auto value : rx.try_iter()) {
    }
    for ([[maybe_unused]] auto value : rx) {
    }
    static_cast<void>(rx.recv());
    rx.close();
}
