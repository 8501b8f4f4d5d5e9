// SPDX-License-Identifier: BSL-1.0
//
// Three ways to receive, and everything that each of them can say. Every operation has an error type of its own, which
// holds just the errors that this operation can meet, so the compiler warns of a switch that leaves one out. Messages
// that were sent are handed out before anyone hears that the senders are gone.
//
// Prints:
//   try_recv: nothing there now
//   recv_timeout: nothing came within a second
//   try_recv: one
//   recv_timeout: two
//   recv: three
//   try_recv: every sender is gone
//   recv_timeout: every sender is gone
//   recv: every sender is gone

#include <chrono>
#include <iostream>
#include <string>

#include <weir/weir.hpp>

// Never waits.
void receive_now(weir::receiver<std::string>& rx) {
    std::cout << "try_recv: ";
    if (auto message = rx.try_recv()) {
        std::cout << *message << '\n';
    } else {
        switch (message.error()) {
        case weir::try_recv_error::empty:
            std::cout << "nothing there now\n";
            break;
        case weir::try_recv_error::disconnected:
            std::cout << "every sender is gone\n";
            break;
        }
    }
}

// Waits, but not for ever.
void receive_within_a_second(weir::receiver<std::string>& rx) {
    std::cout << "recv_timeout: ";
    if (auto message = rx.recv_timeout(std::chrono::seconds(1))) {
        std::cout << *message << '\n';
    } else {
        switch (message.error()) {
        case weir::recv_timeout_error::timeout:
            std::cout << "nothing came within a second\n";
            break;
        case weir::recv_timeout_error::disconnected:
            std::cout << "every sender is gone\n";
            break;
        }
    }
}

// Waits for as long as there is somebody to wait for.
void receive(weir::receiver<std::string>& rx) {
    std::cout << "recv: ";
    if (auto message = rx.recv()) {
        std::cout << *message << '\n';
    } else {
        switch (message.error()) {
        case weir::recv_error::disconnected:
            std::cout << "every sender is gone\n";
            break;
        }
    }
}

int main() {
    auto [tx, rx] = weir::channel<std::string>();

    receive_now(rx);
    receive_within_a_second(rx);

    tx.send("one").value();
    tx.send("two").value();
    tx.send("three").value();
    tx.reset();

    receive_now(rx);
    receive_within_a_second(rx);
    receive(rx);

    receive_now(rx);
    receive_within_a_second(rx);
    receive(rx);
}
