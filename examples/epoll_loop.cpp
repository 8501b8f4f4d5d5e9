// SPDX-License-Identifier: BSL-1.0
//
// One thread with an epoll loop and a worker with channels: numbers go out as there is room for them, answers come in,
// a timer watches over both, and nobody polls. Prints, every time:
//
//   1 squared is 1
//   2 squared is 4
//   3 squared is 9
//   4 squared is 16
//   5 squared is 25
//   the worker has gone
#include <weir/channel.hpp>
#include <weir/posix/event_fd.hpp>
#include <weir/timer.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <iostream>
#include <list>
#include <system_error>
#include <thread>
#include <utility>

namespace {

struct answer {
    int number;
    int square;
};

// Calls what belongs to each descriptor that is readable.
class event_loop {
public:
    event_loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) { check(epoll_); }
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;
    ~event_loop() { ::close(epoll_); }

    template <class End>
    void add(const End& end, std::function<void()> call) {
        source& added = sources_.emplace_back(weir::posix::event_fd(end), std::move(call));
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET; // without EPOLLET it works as well
        event.data.ptr = &added;
        check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, added.ready.native_handle(), &event));
    }
    void stop() { is_running_ = false; }
    void run() {
        while (is_running_) {
            epoll_event event{};
            const int count = ::epoll_wait(epoll_, &event, 1, -1);
            if (count == 1) {
                source& told = *static_cast<source*>(event.data.ptr);
                told.ready.clear(); // before the call: what comes meanwhile is told again
                told.call();
            } else if (errno != EINTR) {
                check(count);
            }
        }
    }

private:
    struct source {
        weir::posix::event_fd ready;
        std::function<void()> call;
    };

    static void check(int result) {
        if (result < 0) {
            throw std::system_error(errno, std::system_category());
        }
    }

    int epoll_;
    bool is_running_ = true;
    std::list<source> sources_;
};

} // namespace

int main() {
    auto [number_tx, numbers] = weir::sync_channel<int>(2);
    auto [answer_tx, answers] = weir::channel<answer>();
    std::jthread worker([in = std::move(numbers), out = std::move(answer_tx)]() mutable {
        for (int number : in) {
            out.send(answer{number, number * number}).value();
        }
    });
    auto too_late = weir::after(std::chrono::seconds(10));

    event_loop loop;
    int next = 1;
    loop.add(number_tx, [&, &tx = number_tx] {
        while (next <= 5 && tx.try_send(next)) {
            ++next;
        }
        if (next > 5) {
            tx.reset();
        }
    });
    loop.add(answers, [&, &rx = answers] {
        auto received = rx.try_recv();
        for (; received; received = rx.try_recv()) {
            std::cout << received->number << " squared is " << received->square << '\n';
        }
        if (received.error() == weir::try_recv_error::disconnected) {
            std::cout << "the worker has gone\n";
            loop.stop();
        }
    });
    loop.add(too_late, [&] {
        std::cout << "too late\n";
        loop.stop();
    });
    loop.run();
}
