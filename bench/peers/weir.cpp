// SPDX-License-Identifier: BSL-1.0

#include <cstddef>

#include <weir/weir.hpp>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"

namespace {

template <class Channel, class T>
struct adapter : bench::loops<Channel> {
    using value_type = T;
    static constexpr bool has_senders = true;

    static void send(auto& tx, bench::number n) { tx.send(bench::make_message<T>(n)).value(); }
    static bench::number receive(weir::receiver<T>& rx) { return bench::value_of(rx.recv().value()); }

    static void send_any(auto& tx, bench::number n) {
        const auto sent = [](auto result) { result.value(); };
        weir::select(weir::on_send(tx[0], bench::make_message<T>(n), sent),
                     weir::on_send(tx[1], bench::make_message<T>(n), sent),
                     weir::on_send(tx[2], bench::make_message<T>(n), sent),
                     weir::on_send(tx[3], bench::make_message<T>(n), sent));
    }
    static bench::number receive_any(auto& rx) {
        const auto received = [](auto message) { return bench::value_of(message.value()); };
        return weir::select(weir::on_recv(rx[0], received), weir::on_recv(rx[1], received),
                            weir::on_recv(rx[2], received), weir::on_recv(rx[3], received));
    }
    using set = weir::selector;
};

template <class T>
struct unbounded : adapter<unbounded<T>, T> {
    static auto make(std::size_t) { return weir::channel<T>(); }
};

template <class T>
struct bounded : adapter<bounded<T>, T> {
    static auto make(std::size_t capacity) { return weir::sync_channel<T>(capacity); }
};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("weir", PEER_VERSION, "blocking");
    bench::offer<unbounded>(peer, "unbounded");
    for (const char* kind : {"boundedN", "bounded1024", "bounded64", "bounded1", "bounded0"}) {
        bench::offer<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
