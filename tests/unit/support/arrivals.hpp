// SPDX-License-Identifier: BSL-1.0
//
// The messages of a stress test: who sent each, and its number; each in memory of its own, so that a message lost or
// destroyed twice is found by the sanitizers.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace unit {

using boxed = std::unique_ptr<std::uint64_t>;

inline boxed number(unsigned sender, std::uint64_t count) {
    return std::make_unique<std::uint64_t>((std::uint64_t{sender} << 32) | count);
}

// Checks that each sender's messages come in order, and all of them.
class arrivals {
public:
    void note(const boxed& message) {
        ASSERT_NE(message, nullptr);
        const auto sender = static_cast<std::size_t>(*message >> 32);
        ASSERT_LT(sender, next_.size());
        ASSERT_EQ(*message & 0xffff'ffffU, next_[sender]) << "of sender " << sender;
        ++next_[sender];
    }
    std::uint64_t of(unsigned sender) const { return next_[sender]; }

private:
    std::array<std::uint64_t, 16> next_{};
};

} // namespace unit
