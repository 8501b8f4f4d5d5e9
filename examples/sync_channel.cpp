// SPDX-License-Identifier: BSL-1.0
//
// A channel with room for three messages. The producer's first three sends return at once; the fourth waits until main
// has received one and so made room. The producer says how far it has come through a second, unbounded channel. Main
// prints everything, which is why the output is the same each time.
//
// Prints:
//   producer: 1, 2 and 3 are in
//   main: all 3 places are taken, one more is refused
//   main: no word of the fourth
//   main: received 1
//   producer: 4 is in
//   main: received 2
//   main: received 3
//   main: received 4

#include <expected>
#include <iostream>
#include <string_view>
#include <thread>
#include <utility>

#include <weir/weir.hpp>

int main() {
    auto [tx, rx] = weir::sync_channel<int>(3);
    auto [report, reports] = weir::channel<std::string_view>();

    std::jthread producer([out = tx, log = std::move(report)] {
        for (int number : {1, 2, 3}) {
            out.send(number).value();
        }
        log.send("producer: 1, 2 and 3 are in").value();
        out.send(4).value(); // Waits here.
        log.send("producer: 4 is in").value();
    });

    std::cout << reports.recv().value() << '\n';

    if (tx.try_send(5) == std::unexpected(weir::try_send_error::full)) {
        std::cout << "main: all " << rx.len() << " places are taken, one more is refused\n";
    }
    if (reports.try_recv() == std::unexpected(weir::try_recv_error::empty)) {
        std::cout << "main: no word of the fourth\n";
    }
    tx.reset(); // Main's own handle; the producer has another.

    std::cout << "main: received " << rx.recv().value() << '\n';
    std::cout << reports.recv().value() << '\n';

    for (int number : rx) {
        std::cout << "main: received " << number << '\n';
    }
}
