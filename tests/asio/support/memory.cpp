// SPDX-License-Identifier: BSL-1.0
#include "memory.hpp"

#include <atomic>
#include <cstddef>

namespace operations {
namespace {

constinit std::atomic<std::size_t> taken{0};

} // namespace

std::size_t blocks_taken() noexcept { return taken.load(std::memory_order_relaxed); }

} // namespace operations

// The linker calls the wrappers in the place of the functions, and these by the other names.
extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier)
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* place, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
int __real_posix_memalign(void** place, std::size_t alignment, std::size_t size);

void* __wrap_malloc(std::size_t size) {
    operations::taken.fetch_add(1, std::memory_order_relaxed);
    return __real_malloc(size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
    operations::taken.fetch_add(1, std::memory_order_relaxed);
    return __real_calloc(count, size);
}
void* __wrap_realloc(void* place, std::size_t size) {
    operations::taken.fetch_add(1, std::memory_order_relaxed);
    return __real_realloc(place, size);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    operations::taken.fetch_add(1, std::memory_order_relaxed);
    return __real_aligned_alloc(alignment, size);
}
int __wrap_posix_memalign(void** place, std::size_t alignment, std::size_t size) {
    operations::taken.fetch_add(1, std::memory_order_relaxed);
    return __real_posix_memalign(place, alignment, size);
}
// NOLINTEND(bugprone-reserved-identifier)

} // extern "C"
