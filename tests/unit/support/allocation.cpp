// SPDX-License-Identifier: BSL-1.0
#include "support/allocation.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace unit {
namespace {

constinit std::atomic<std::ptrdiff_t> live{0};
constinit thread_local std::size_t last_size = 0;
constinit thread_local std::size_t count = 0;
constinit thread_local int refusals = 0;

void* allocate(std::size_t size) noexcept {
    last_size = size;
    ++count;
    if (refusals != 0) {
        return nullptr;
    }
    void* const place = std::malloc(size != 0 ? size : 1);
    if (place != nullptr) {
        live.fetch_add(1, std::memory_order_relaxed);
    }
    return place;
}

void give_back(void* place) noexcept {
    if (place != nullptr) {
        live.fetch_sub(1, std::memory_order_relaxed);
        std::free(place);
    }
}

} // namespace

std::ptrdiff_t live_allocations() noexcept { return live.load(std::memory_order_relaxed); }
std::size_t last_allocation_size() noexcept { return last_size; }
std::size_t own_allocations() noexcept { return count; }

no_memory::no_memory() noexcept { ++refusals; }
no_memory::~no_memory() { --refusals; }

memory_again::memory_again() noexcept : before_(std::exchange(refusals, 0)) {}
memory_again::~memory_again() { refusals = before_; }

} // namespace unit

void* operator new(std::size_t size) {
    void* const place = unit::allocate(size);
    if (place == nullptr) {
        throw std::bad_alloc();
    }
    return place;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return unit::allocate(size); }
void operator delete(void* place) noexcept { unit::give_back(place); }
void operator delete(void* place, std::size_t) noexcept { unit::give_back(place); }
void operator delete(void* place, const std::nothrow_t&) noexcept { unit::give_back(place); }
