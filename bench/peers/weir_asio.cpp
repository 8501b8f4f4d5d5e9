// SPDX-License-Identifier: BSL-1.0
//
// Weir's channel in coroutines of Asio, where asio.cpp has Asio's own.

#include <cstddef>

#include <asio/awaitable.hpp>
#include <asio/use_awaitable.hpp>

#include <weir/asio.hpp>
#include <weir/weir.hpp>

#include "../scenarios/asio_tasks.hpp"
#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"

namespace {

using bench::number;

struct bounded : bench::loops<bounded>, bench::asio_tasks<bounded> {
    using value_type = number;

    static auto make(std::size_t capacity) { return weir::sync_channel<number>(capacity); }

    // Of a thread, whose other side is a coroutine.
    static void send(auto& tx, number n) { tx.send(n).value(); }

    static asio::awaitable<void> send_all(auto& tx, number n, number end) {
        for (; n != end; ++n) {
            const auto sent = co_await weir::asio::async_send(tx, n, asio::use_awaitable);
            sent.value();
        }
    }
    static asio::awaitable<void> receive_all(auto& rx, number left, number& sum) {
        for (; left != 0; --left) {
            const auto received = co_await weir::asio::async_recv(rx, asio::use_awaitable);
            sum += received.value();
        }
    }
};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("weir_asio", PEER_VERSION " in Asio " + bench::asio_version(), "tasks");
    for (const char* kind : {"bounded64", "bounded1"}) {
        bench::offer_tasks<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
