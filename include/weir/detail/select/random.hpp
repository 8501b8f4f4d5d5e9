// SPDX-License-Identifier: BSL-1.0
//
// Fair choices: a small generator of numbers, one for each thread.
#ifndef WEIR_DETAIL_SELECT_RANDOM_HPP
#define WEIR_DETAIL_SELECT_RANDOM_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::detail {

class fair_choice {
public:
    // One of 0 to count - 1, each as likely; count is from 1 to 2^32.
    static std::size_t below(std::size_t count) noexcept {
        return static_cast<std::size_t>((std::uint64_t{next()} * count) >> 32);
    }

private:
    // splitmix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014)
    static std::uint32_t next() noexcept {
        if (state_ == 0) {
            state_ = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
                     reinterpret_cast<std::uintptr_t>(&state_);
        }
        std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15U);
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
        return static_cast<std::uint32_t>((mixed ^ (mixed >> 31)) >> 32);
    }

    static constinit inline thread_local std::uint64_t state_ = 0;
};

} // namespace weir::detail

#endif
