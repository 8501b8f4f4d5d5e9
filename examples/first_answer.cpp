// SPDX-License-Identifier: BSL-1.0
//
// Asks three servers and takes the first answer. Prints, every time:
//
//   the second server says: 42
//   the others were told that nobody waits any more
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <iostream>
#include <string>
#include <thread>
#include <utility>

namespace {

// One that answers at once, and one that thinks until nobody wants to know any more.
void answer_quickly(const weir::sync_sender<int>& reply) { reply.send(42).value(); }
void answer_slowly(const weir::sync_sender<int>& reply) {
    weir::select(weir::on_disconnected(reply, [] {}));
}

} // namespace

int main() {
    auto [first_tx, first_rx] = weir::sync_channel<int>(1);
    auto [second_tx, second_rx] = weir::sync_channel<int>(1);
    auto [third_tx, third_rx] = weir::sync_channel<int>(1);
    std::jthread first(answer_slowly, std::move(first_tx));
    std::jthread second(answer_quickly, std::move(second_tx));
    std::jthread third(answer_slowly, std::move(third_tx));

    const auto says = [](const std::string& who) {
        return [who](auto answer) { return "the " + who + " server says: " + std::to_string(answer.value()); };
    };
    std::cout << weir::select(weir::on_recv(first_rx, says("first")), weir::on_recv(second_rx, says("second")),
                              weir::on_recv(third_rx, says("third")))
              << '\n';

    first_rx.reset();
    third_rx.reset();
    first.join();
    third.join();
    std::cout << "the others were told that nobody waits any more\n";
}
