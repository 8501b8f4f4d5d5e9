// SPDX-License-Identifier: BSL-1.0
//
// The operator new of the fuzzing programs: it counts, and fails where it is told to.
#pragma once

#include <cstddef>

namespace fuzz {

// Allocations that are not given back yet.
std::ptrdiff_t live_allocations() noexcept;

// While one lives, this thread's operator new fails from the n-th call on; 0: never.
class allocation_limit {
public:
    explicit allocation_limit(unsigned fails_at) noexcept;
    allocation_limit(const allocation_limit&) = delete;
    allocation_limit& operator=(const allocation_limit&) = delete;
    ~allocation_limit();

private:
    unsigned before_;
};

} // namespace fuzz
