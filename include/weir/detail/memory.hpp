// SPDX-License-Identifier: BSL-1.0
//
// Memory for channels and their blocks: from the plain operator new, aligned by hand (the aligned one is much slower in
// common C libraries).
#ifndef WEIR_DETAIL_MEMORY_HPP
#define WEIR_DETAIL_MEMORY_HPP

#include <weir/detail/platform/fatal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

namespace weir::detail {

// `alignment`: a power of two.
constexpr std::size_t round_up(std::size_t size, std::size_t alignment) noexcept {
    return (size + alignment - 1) & ~(alignment - 1);
}

// What allocate() asks for beyond the size it is given.
constexpr std::size_t allocation_overhead(std::size_t alignment) noexcept { return alignment + sizeof(void*); }

namespace memory {

inline void* align(void* raw, std::size_t alignment) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(raw) + sizeof(void*);
    const std::size_t gap = round_up(address, alignment) - address;
    std::byte* const aligned = static_cast<std::byte*>(raw) + sizeof(void*) + gap;
    reinterpret_cast<void**>(aligned)[-1] = raw;
    return aligned;
}

} // namespace memory

// `alignment`: a power of two, not less than that of a pointer. Throws std::bad_alloc. Not inline: a compiler that sees
// how much memory a channel has warns of the flavors that it is not.
WEIR_NOINLINE inline void* allocate(std::size_t size, std::size_t alignment) {
    return memory::align(::operator new(size + allocation_overhead(alignment)), alignment);
}

// Null where memory is out.
inline void* try_allocate(std::size_t size, std::size_t alignment) noexcept {
    void* const raw = ::operator new(size + allocation_overhead(alignment), std::nothrow);
    return raw != nullptr ? memory::align(raw, alignment) : nullptr;
}

inline void deallocate(void* place) noexcept { ::operator delete(static_cast<void**>(place)[-1]); }

// Room in a std::vector for so many values in all; where it grows, to twice as much or more. Throws std::bad_alloc.
template <class Vector>
void make_room(Vector& values, std::size_t size) {
    if (values.capacity() < size) {
        values.reserve(std::max(size, 2 * values.capacity()));
    }
}

} // namespace weir::detail

#endif
