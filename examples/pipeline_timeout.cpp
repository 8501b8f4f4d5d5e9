// SPDX-License-Identifier: BSL-1.0
//
// One time-out over a whole pipeline, not over each of its messages. Prints, every time:
//
//   1
//   4
//   9
//   time is up
//   source: the pipeline is closed
#include <weir/channel.hpp>
#include <weir/select.hpp>
#include <weir/timer.hpp>

#include <chrono>
#include <iostream>
#include <thread>
#include <utility>

namespace {

// Three numbers, and then none for as long as anybody waits.
void source(const weir::sync_sender<int>& out) {
    for (int number : {1, 2, 3}) {
        out.send(number).value();
    }
    weir::select(weir::on_disconnected(out, [] { std::cout << "source: the pipeline is closed\n"; }));
}

// What nobody takes any more must not be waited for: a stage that gets no input looks at its output, too.
void square(weir::receiver<int> in, const weir::sync_sender<int>& out) {
    for (bool is_open = true; is_open;) {
        weir::select(weir::on_recv(in, [&](auto number) { is_open = number && out.send(*number * *number); }),
                     weir::on_disconnected(out, [&] { is_open = false; }));
    }
}

} // namespace

int main() {
    auto [number_tx, number_rx] = weir::sync_channel<int>(0);
    auto [square_tx, square_rx] = weir::sync_channel<int>(0);
    std::jthread first(source, std::move(number_tx));
    std::jthread second(square, std::move(number_rx), std::move(square_tx));

    auto end = weir::after(std::chrono::milliseconds(300));
    for (bool in_time = true; in_time;) {
        weir::select(weir::biased, // what is there counts, even at the last moment
                     weir::on_recv(square_rx, [](auto number) { std::cout << number.value() << '\n'; }),
                     weir::on_recv(end, [&](auto) { in_time = false; }));
    }
    std::cout << "time is up\n";
    square_rx.reset();
}
