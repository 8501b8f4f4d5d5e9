// SPDX-License-Identifier: BSL-1.0
//
// The smallest use of a channel: a spawned thread moves a string into it, and main receives the string and prints it.
// send and recv return a std::expected; .value() says that we expect no failure here, and throws if there is one.
//
// Prints:
//   hello from the other thread

#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <weir/weir.hpp>

int main() {
    auto [tx, rx] = weir::channel<std::string>();

    std::jthread producer([out = std::move(tx)] {
        std::string greeting = "hello from the other thread";
        out.send(std::move(greeting)).value();
    });

    std::cout << rx.recv().value() << '\n';
}
