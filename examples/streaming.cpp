// SPDX-License-Identifier: BSL-1.0
//
// Messages are there as soon as they are sent: a producer sends three words, 200 ms apart, and main prints each as it
// comes rather than all of them at the end.
//
// Prints, 200 ms apart:
//   one
//   two
//   three

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <weir/weir.hpp>

int main() {
    using namespace std::chrono_literals;

    auto [tx, rx] = weir::channel<std::string>();

    std::jthread producer([out = std::move(tx)] {
        out.send("one").value();
        std::this_thread::sleep_for(200ms);
        out.send("two").value();
        std::this_thread::sleep_for(200ms);
        out.send("three").value();
    });

    for (const std::string& word : rx) {
        std::cout << word << '\n' << std::flush; // It is to be seen now.
    }
}
