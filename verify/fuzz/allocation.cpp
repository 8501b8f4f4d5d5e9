// SPDX-License-Identifier: BSL-1.0
#include "allocation.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace fuzz {
namespace {

constinit std::atomic<std::ptrdiff_t> live{0};
constinit thread_local unsigned left = 0; // 0: no limit; 1: fails

void* allocate(std::size_t size) noexcept {
    if (left == 1) {
        return nullptr;
    }
    if (left > 1) {
        --left;
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

allocation_limit::allocation_limit(unsigned fails_at) noexcept : before_(std::exchange(left, fails_at)) {}
allocation_limit::~allocation_limit() { left = before_; }

} // namespace fuzz

void* operator new(std::size_t size) {
    void* const place = fuzz::allocate(size);
    if (place == nullptr) {
        throw std::bad_alloc();
    }
    return place;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return fuzz::allocate(size); }
void operator delete(void* place) noexcept { fuzz::give_back(place); }
void operator delete(void* place, std::size_t) noexcept { fuzz::give_back(place); }
void operator delete(void* place, const std::nothrow_t&) noexcept { fuzz::give_back(place); }
