// SPDX-License-Identifier: BSL-1.0
//
// A server on Asio whose connections feed one consumer, a thread that knows nothing of Asio, through a channel with room for two.
// While it is full the connections wait in async_send and read nothing, so that clients that send faster than the consumer works
// are held up by their own sockets. Each request carries the sender for its answer.
//
// Three clients send the numbers 1 to 100 each, as fast as they can, and read the squares. Prints, every time:
//
//   3 clients, 300 answers, all of them right
//   never more than 2 requests waited in the channel
#include <weir/asio.hpp>
#include <weir/channel.hpp>

#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

namespace {

constexpr int clients = 3;
constexpr int numbers = 100;
constexpr std::size_t room = 2;

void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "asio_server: %s\n", what);
        std::abort();
    }
}

struct request {
    long number;
    weir::sender<long> reply;
};

using asio::ip::tcp;

// Reads the next line into `line`, without its end; false at the end of the stream.
asio::awaitable<bool> read_line(tcp::socket& socket, std::string& buffered, std::string& line) {
    try {
        const std::size_t length =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(buffered), '\n', asio::use_awaitable);
        line = buffered.substr(0, length - 1);
        buffered.erase(0, length);
        co_return true;
    } catch (const std::system_error&) {
        co_return false;
    }
}

asio::awaitable<void> serve(tcp::socket socket, weir::sync_sender<request> requests) {
    auto [reply, replied] = weir::channel<long>();
    std::string buffered;
    std::string line;
    while (co_await read_line(socket, buffered, line)) {
        // The next line is read only when there was room for this one.
        request next{std::stol(line), reply};
        const auto sent = co_await weir::asio::async_send(requests, std::move(next), asio::use_awaitable);
        const auto answer = co_await weir::asio::async_recv(replied, asio::use_awaitable);
        if (!sent || !answer) {
            break;
        }
        const std::string square = std::to_string(*answer) + "\n";
        co_await asio::async_write(socket, asio::buffer(square), asio::use_awaitable);
    }
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor, weir::sync_sender<request> requests) {
    for (int i = 0; i < clients; ++i) {
        asio::co_spawn(acceptor.get_executor(), serve(co_await acceptor.async_accept(asio::use_awaitable), requests),
                       asio::detached);
    }
}

asio::awaitable<void> write_numbers(tcp::socket& socket) {
    for (int i = 1; i <= numbers; ++i) {
        const std::string line = std::to_string(i) + "\n";
        co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
    }
}

asio::awaitable<void> read_squares(tcp::socket& socket, int& right) {
    std::string buffered;
    std::string line;
    for (long i = 1; i <= numbers; ++i) {
        const bool has_line = co_await read_line(socket, buffered, line);
        check(has_line, "the server hung up");
        right += std::stol(line) == i * i ? 1 : 0;
    }
}

asio::awaitable<void> ask(tcp::socket socket, tcp::endpoint server, int& right) {
    using namespace asio::experimental::awaitable_operators;
    co_await socket.async_connect(server, asio::use_awaitable);
    co_await (write_numbers(socket) && read_squares(socket, right));
}

} // namespace

int main() {
    asio::io_context context;
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    auto [tx, rx] = weir::sync_channel<request>(room);

    std::size_t most = 0;
    std::thread consumer([&most, requests = std::move(rx)]() mutable {
        for (request each : requests) { // until the last connection has gone
            most = std::max(most, requests.len());
            check(each.reply.send(each.number * each.number).has_value(), "a connection did not wait for its answer");
        }
    });

    int right = 0;
    asio::co_spawn(context, accept_all(acceptor, std::move(tx)), asio::detached);
    for (int i = 0; i < clients; ++i) {
        asio::co_spawn(context, ask(tcp::socket(context), acceptor.local_endpoint(), right), asio::detached);
    }
    context.run();
    consumer.join();

    check(right == clients * numbers, "answers are missing");
    check(most <= room, "the channel held more than it has room for");
    std::printf("%d clients, %d answers, all of them right\n", clients, right);
    std::printf("never more than %zu requests waited in the channel\n", room);
}
