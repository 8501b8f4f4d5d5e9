// SPDX-License-Identifier: BSL-1.0
//
// One thread serves connections that come and go. Prints, every time:
//
//   connection 1: 3 lines
//   connection 2: 6 lines
//   connection 3: 9 lines
//   connection 4: 12 lines
//   connection 5: 15 lines
#include <weir/channel.hpp>
#include <weir/select.hpp>

#include <cstddef>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct connection {
    int id = 0;
    weir::receiver<std::string> lines;
};

// Opens five connections, each with a client of its own that sends some lines and hangs up.
void accept(const weir::sender<connection>& accepted) {
    std::vector<std::jthread> clients;
    for (int id = 1; id <= 5; ++id) {
        auto [tx, rx] = weir::sync_channel<std::string>(2);
        clients.emplace_back([id, out = std::move(tx)] {
            for (int line = 0; line < 3 * id; ++line) {
                out.send("line " + std::to_string(line)).value();
            }
        });
        accepted.send({id, std::move(rx)}).value();
    }
}

} // namespace

int main() {
    auto [accepted_tx, accepted] = weir::channel<connection>();
    std::jthread acceptor(accept, std::move(accepted_tx));

    weir::selector any;
    const std::size_t newcomers = any.add(accepted);
    std::map<std::size_t, connection> open; // by the selector's numbers
    std::map<int, int> lines;

    while (any.size() != 0) {
        const std::size_t ready = any.ready();
        if (ready == newcomers) {
            if (auto newcomer = accepted.try_recv()) {
                const std::size_t number = any.add(newcomer->lines);
                open.emplace(number, std::move(*newcomer));
            } else if (newcomer.error() == weir::try_recv_error::disconnected) {
                any.remove(newcomers);
            }
            continue;
        }
        connection& from = open.at(ready);
        if (auto line = from.lines.try_recv()) {
            ++lines[from.id];
        } else if (line.error() == weir::try_recv_error::disconnected) {
            any.remove(ready);
            open.erase(ready);
        }
    }
    for (const auto& [id, count] : lines) {
        std::cout << "connection " << id << ": " << count << " lines\n";
    }
}
