// SPDX-License-Identifier: BSL-1.0
// What a user's program does with the library, built in each of the ways it can be had.
#include <weir/weir.hpp>

#include <cstdio>
#include <string>
#include <thread>
#include <utility>

int main() {
    auto [tx, rx] = weir::channel<std::string>();
    auto [room_tx, room_rx] = weir::sync_channel<int>(1);
    auto [hand_tx, hand_rx] = weir::sync_channel<int>(0);

    std::thread worker([words = std::move(tx), room = std::move(room_tx), hand = std::move(hand_tx)] {
        const bool all_sent = words.send("hello") && room.send(1) && room.send(2) && hand.send(3);
        if (!all_sent) {
            std::puts("a send failed");
        }
    });
    const std::string word = rx.recv().value();
    const int sum = room_rx.recv().value() + room_rx.recv().value() + hand_rx.recv().value();
    worker.join();

    const bool right = word == "hello" && sum == 6 && rx.recv().error() == weir::recv_error::disconnected;
    std::puts(right ? "ok" : "wrong");
    return right ? 0 : 1;
}
