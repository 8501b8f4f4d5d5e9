// SPDX-License-Identifier: BSL-1.0
//
// How a run says that the library and the model disagree: it writes where, and aborts.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace fuzz {

// What is being done, for the one who reads the message.
inline thread_local const char* doing = "";

inline void check(bool holds, const char* what, std::source_location at = std::source_location::current()) {
    if (!holds) {
        std::fprintf(stderr, "fuzz: %s:%u: in %s: %s\n", at.file_name(), static_cast<unsigned>(at.line()), doing, what);
        std::abort();
    }
}

} // namespace fuzz
