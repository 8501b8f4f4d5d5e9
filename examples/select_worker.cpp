// SPDX-License-Identifier: BSL-1.0
//
// A worker that serves jobs, a control channel and the clock, whichever comes first. Prints, every time:
//
//   job 1 done
//   job 2 done
//   job 3 done
//   the clock has ticked
//   told to stop
#include <weir/channel.hpp>
#include <weir/select.hpp>
#include <weir/timer.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

namespace {

enum class command { stop };

void work(weir::receiver<int> jobs, weir::receiver<command> control, weir::sender<std::string> reports) {
    auto ticks = weir::tick(std::chrono::milliseconds(5));
    bool is_running = true;
    bool is_first_tick = true;
    const auto report = [&](const std::string& text) { (void)reports.send(text); };

    while (is_running) {
        weir::select(weir::on_recv(jobs,
                                   [&](auto job) {
                                       if (job) {
                                           report("job " + std::to_string(*job) + " done");
                                       } else {
                                           jobs = weir::never<int>(); // no more jobs: this arm is switched off
                                       }
                                   }),
                     weir::on_recv(control,
                                   [&](auto) {
                                       report("told to stop");
                                       is_running = false;
                                   }),
                     weir::on_recv(ticks, [&](auto) {
                         if (std::exchange(is_first_tick, false)) {
                             report("the clock has ticked");
                         }
                     }));
    }
}

} // namespace

int main() {
    auto [job_tx, job_rx] = weir::sync_channel<int>(0);
    auto [control_tx, control_rx] = weir::channel<command>();
    auto [report_tx, report_rx] = weir::channel<std::string>();
    std::jthread worker(work, std::move(job_rx), std::move(control_rx), std::move(report_tx));

    for (int job : {1, 2, 3}) {
        job_tx.send(job).value();
    }
    job_tx.reset();

    std::string ticked;
    for (int reports = 0; reports < 4; ++reports) {
        std::string report = report_rx.recv().value();
        if (report.starts_with("job")) {
            std::cout << report << '\n';
        } else {
            ticked = report;
        }
    }
    std::cout << ticked << '\n';

    control_tx.send(command::stop).value();
    std::cout << report_rx.recv().value() << '\n';
}
