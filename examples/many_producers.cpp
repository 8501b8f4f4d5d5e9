// SPDX-License-Identifier: BSL-1.0
//
// Many producers, one consumer: each of five threads sends through a clone of its own, and the receiver is read as a
// range. The loop over it ends by itself once every sender is gone, so the original must go too. The messages of
// different threads arrive in any order; what they add up to is always the same.
//
// Prints:
//   received 15 messages from 5 producers, sum 90

#include <iostream>
#include <thread>
#include <vector>

#include <weir/weir.hpp>

int main() {
    auto [tx, rx] = weir::channel<int>();

    std::vector<std::jthread> producers;
    for (int id = 1; id <= 5; ++id) {
        producers.emplace_back([clone = tx, id] {
            for (int step = 1; step <= 3; ++step) {
                clone.send(id * step).value();
            }
        });
    }
    tx.reset(); // The clones went into the threads and go with them.

    int count = 0;
    int sum = 0;
    for (int number : rx) {
        ++count;
        sum += number;
    }
    std::cout << "received " << count << " messages from " << producers.size() << " producers, sum " << sum << '\n';
}
