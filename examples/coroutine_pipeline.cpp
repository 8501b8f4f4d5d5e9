// SPDX-License-Identifier: BSL-1.0
//
// A pipeline of coroutines on one thread, fed by another thread: square, add up, report. Prints, every time:
//
//   sum of the first 1 squares: 1
//   sum of the first 2 squares: 5
//   sum of the first 3 squares: 14
//   sum of the first 4 squares: 30
//   the pipeline has run dry
#include <weir/channel.hpp>
#include <weir/coro.hpp>

#include <coroutine>
#include <exception>
#include <iostream>
#include <thread>
#include <utility>

namespace {

// A coroutine that starts at once and goes by itself when it has ended.
struct task {
    struct promise_type {
        task get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
};

// The one thread that the coroutines run on: an unbounded channel of those that are to go on.
class loop {
public:
    loop() {
        auto [ready, next] = weir::channel<std::coroutine_handle<>>();
        ready_ = std::move(ready);
        next_ = std::move(next);
    }

    // Where to go on: coroutines are resumed by run(), whoever ended their wait.
    auto scheduler() const noexcept {
        return [to = &ready_](std::coroutine_handle<> next) noexcept { (void)to->send(next); };
    }

    void stop() { ready_.reset(); }

    void run() {
        for (std::coroutine_handle<> next : next_) {
            next.resume();
        }
    }

private:
    weir::sender<std::coroutine_handle<>> ready_;
    weir::receiver<std::coroutine_handle<>> next_;
};

task square(const loop& on, weir::receiver<int> numbers, weir::sync_sender<int> squares) {
    while (const auto number = co_await weir::resume_on(weir::async_recv(numbers), on.scheduler())) {
        if (!co_await weir::resume_on(weir::async_send(squares, *number * *number), on.scheduler())) {
            break; // nobody wants them any more
        }
    }
}

task add_up(loop& on, weir::receiver<int> squares) {
    int count = 0;
    int sum = 0;
    while (const auto next = co_await weir::resume_on(weir::async_recv(squares), on.scheduler())) {
        sum += *next;
        std::cout << "sum of the first " << ++count << " squares: " << sum << '\n';
    }
    std::cout << "the pipeline has run dry\n";
    on.stop();
}

} // namespace

int main() {
    loop here;
    auto [number_tx, number_rx] = weir::sync_channel<int>(1);
    auto [square_tx, square_rx] = weir::sync_channel<int>(0);

    square(here, std::move(number_rx), std::move(square_tx));
    add_up(here, std::move(square_rx));

    std::jthread feeds([numbers = std::move(number_tx)] {
        for (int number = 1; number <= 4; ++number) {
            (void)numbers.send(number); // waits where the pipeline is slower
        }
    });
    here.run();
}
