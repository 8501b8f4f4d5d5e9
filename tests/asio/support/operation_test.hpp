// SPDX-License-Identifier: BSL-1.0
//
// A channel of any kind and a context, with callbacks that keep what they are called with.
#pragma once

#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

#include "../../conformance/support/flavor.hpp"
#include "net.hpp"

namespace operations {

// The context goes first.
class operation_test : public conformance::flavor_test {
protected:
    conformance::ends<value> ends = conformance::open<value>(GetParam());
    std::optional<net::io_context> context{std::in_place};
    std::optional<received<value>> got;
    std::optional<sent> result;

    auto executor() { return context->get_executor(); }
    void recv() { weir::asio::async_recv(executor(), ends.rx, into(got)); }
    void send(std::uint64_t number) { async_send(executor(), ends.tx, made(number), into(result)); }
    // Until a send waits.
    void fill() {
        for (std::uint64_t i = 0; i < GetParam().capacity.value(); ++i)
            EXPECT_TRUE(ends.tx.send(made(100 + i)));
    }
    void expect_received(std::uint64_t number) {
        if (got && *got)
            EXPECT_EQ(***got, number);
        else
            ADD_FAILURE() << "nothing was received";
    }
};

inline auto some_flavors() { return testing::Values(flavor{}, flavor{0}, flavor{1}, flavor{5}); }
inline auto some_bounded_flavors() { return testing::Values(flavor{0}, flavor{1}, flavor{5}); }

} // namespace operations
