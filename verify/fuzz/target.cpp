// SPDX-License-Identifier: BSL-1.0
//
// For libFuzzer.
#include "fuzz.hpp"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::run({data, size});
    return 0;
}
