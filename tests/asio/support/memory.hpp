// SPDX-License-Identifier: BSL-1.0
//
// Counts every block that the code of a test program takes, of operator new and of the C library: Asio takes its own by
// aligned_alloc. The program must be linked with tests/unit/support/allocation.cpp, whose operator new calls malloc, and with
// -Wl,--wrap for each function here.
#pragma once

#include <cstddef>

namespace operations {

// So far, by all threads.
std::size_t blocks_taken() noexcept;

} // namespace operations
