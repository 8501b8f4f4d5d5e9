// SPDX-License-Identifier: BSL-1.0
//
// What a checked and an unchecked translation unit of one program share.
#pragma once

#include <weir/weir.hpp>

namespace conformance {

struct message {
    int number;
};

// Receives once, through functions compiled without the check.
void receive_unchecked(weir::receiver<message>& rx);

} // namespace conformance
