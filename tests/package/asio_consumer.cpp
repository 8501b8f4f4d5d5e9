// SPDX-License-Identifier: BSL-1.0
// The same with the component asio.
#include <weir/asio.hpp>
#include <weir/channel.hpp>

#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <cstdio>
#include <expected>
#include <system_error>

int main() {
    asio::io_context context;
    auto [tx, rx] = weir::sync_channel<int>(1);
    int sum = 0;
    weir::asio::async_send(context.get_executor(), tx, 1, asio::detached);
    weir::asio::async_recv(context.get_executor(), rx,
                           [&sum](std::expected<int, std::error_code> message) { sum += message.value_or(0); });
    context.run();
    std::puts(sum == 1 ? "ok" : "wrong");
    return sum == 1 ? 0 : 1;
}
