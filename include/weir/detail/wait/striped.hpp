// SPDX-License-Identifier: BSL-1.0
//
// A few of a kind, shared by many that each belong to one of them: for what must be there longer than any of the many.
#ifndef WEIR_DETAIL_WAIT_STRIPED_HPP
#define WEIR_DETAIL_WAIT_STRIPED_HPP

#include <cstddef>
#include <cstdint>

namespace weir::detail {

template <class T>
class striped {
public:
    // The one for what lies there. Distance: in bytes, of one of the many from the next.
    template <std::size_t Distance>
    T& of(const void* address) noexcept {
        const auto number = reinterpret_cast<std::uintptr_t>(address) / Distance;
        return all_[(number ^ number / count) % count];
    }

private:
    static constexpr std::size_t count = 16;

    T all_[count]{};
};

} // namespace weir::detail

#endif
