// SPDX-License-Identifier: BSL-1.0
//
// The operator new of a test program: it counts, and fails where a test says so.
#pragma once

#include <cstddef>

namespace unit {

// Allocations that are not given back yet.
std::ptrdiff_t live_allocations() noexcept;

// What this thread's operator new was asked for last, and how often it was asked.
std::size_t last_allocation_size() noexcept;
std::size_t own_allocations() noexcept;

// While one lives, this thread's operator new finds no memory.
class no_memory {
public:
    no_memory() noexcept;
    no_memory(const no_memory&) = delete;
    no_memory& operator=(const no_memory&) = delete;
    ~no_memory();
};

// While one lives, there is memory again.
class memory_again {
public:
    memory_again() noexcept;
    memory_again(const memory_again&) = delete;
    memory_again& operator=(const memory_again&) = delete;
    ~memory_again();

private:
    int before_;
};

} // namespace unit
