// SPDX-License-Identifier: BSL-1.0
//
// A sender's next slots were last read by the receiver, whose cache holds their lines. A write to them waits until they
// have come over, and the claim of the message after that waits for the write. So a sender asks for the lines of a
// slot some way ahead while it fills its own; and it takes the lines of its own, all at once, before it fills it. A
// receiver that waits asks for the line of the message that it waits for.
#ifndef WEIR_DETAIL_FLAVOR_PREFETCH_HPP
#define WEIR_DETAIL_FLAVOR_PREFETCH_HPP

#include <weir/detail/memory.hpp>
#include <weir/detail/platform/config.hpp>
#include <weir/detail/platform/cpu.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weir::detail {

// How many slots ahead: about a kilobyte, and never fewer than one.
template <class T>
constexpr std::uint32_t prefetch_ahead = static_cast<std::uint32_t>(std::clamp<std::size_t>(1024 / sizeof(T), 1, 16));

// Asks for the lines of a slot's value; of a very large one, for the first 64.
template <class T>
WEIR_INLINE void prefetch_value(const void* value) noexcept {
    const std::byte* const bytes = static_cast<const std::byte*>(value);
    for (std::size_t at = 0; at < std::min(sizeof(T), 64 * cache_line); at += cache_line) {
        detail::prefetch_for_write(bytes + at);
    }
}

// The receiver, as long as the state of its next slot says that no message is there: asks for the line of the value, which comes
// beside that of the state then, not after it. The sender of a larger message would have lines taken away while it fills them.
template <class T>
WEIR_INLINE void prefetch_awaited(const T* value) noexcept {
    if constexpr (sizeof(T) <= cache_line) {
        detail::prefetch_for_read(value);
    }
}

// Takes the lines of a slot that is about to be filled: by a store of a byte to each. A vector store, as which a message is
// copied, to a line that another cache shares is about half as fast on some processors (docs/design/performance.md). Of very
// large messages the C library writes lines without reading them first.
template <class T>
WEIR_INLINE void take_lines(T* slot) noexcept {
    constexpr std::size_t size = sizeof(T);
    if constexpr (size > sizeof(std::uint64_t) && size <= 16 * cache_line) {
        auto* const bytes = reinterpret_cast<volatile unsigned char*>(slot);
        for (std::size_t at = 0; at < size; at += cache_line) {
            bytes[at] = 0;
        }
        bytes[size - 1] = 0;
    }
}

} // namespace weir::detail

#endif
