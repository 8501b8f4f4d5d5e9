// SPDX-License-Identifier: BSL-1.0
//
// The table of channels that the suite runs over.
#pragma once

#include <ostream>
#include <string_view>

#include <gtest/gtest.h>

#include "any_channel.hpp"

namespace conformance {

class flavor_test : public testing::TestWithParam<flavor> {};

inline auto every_flavor() {
    return testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{2}, flavor{3}, flavor{5}, flavor{64}, flavor{1000});
}
// Those that hold a message nobody has received yet.
inline auto buffered_flavors() {
    return testing::Values(flavor{}, flavor{1}, flavor{2}, flavor{3}, flavor{5}, flavor{64}, flavor{1000});
}
// Those that can be full.
inline auto bounded_flavors() {
    return testing::Values(flavor{0}, flavor{1}, flavor{2}, flavor{3}, flavor{5}, flavor{64}, flavor{1000});
}
inline auto ring_flavors() {
    return testing::Values(flavor{1}, flavor{2}, flavor{3}, flavor{5}, flavor{64}, flavor{1000});
}
inline std::string flavor_name(const testing::TestParamInfo<flavor>& info) { return info.param.name(); }

} // namespace conformance

namespace weir {
// Found by GoogleTest when an expectation fails.
inline void PrintTo(channel_errc code, std::ostream* out) {
    *out << (code == channel_errc{} ? std::string_view("ok") : to_string(code));
}
} // namespace weir
