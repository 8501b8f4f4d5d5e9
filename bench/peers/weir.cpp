// SPDX-License-Identifier: BSL-1.0

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>

#include <weir/coro.hpp>
#include <weir/weir.hpp>

#include "../scenarios/loops.hpp"
#include "../scenarios/offer.hpp"

namespace {

using bench::number;

// A coroutine that runs until it waits, and goes by itself.
struct task {
    struct promise_type {
        static task get_return_object() noexcept { return {}; }
        static std::suspend_never initial_suspend() noexcept { return {}; }
        static std::suspend_never final_suspend() noexcept { return {}; }
        static void return_void() noexcept {}
        [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }
    };
};

// Resumes on its thread the coroutines whose waits are over.
class run_loop {
public:
    using handle = std::coroutine_handle<>;

    auto scheduler() noexcept {
        return [this](handle ready) noexcept { ready_.tx.send(ready).value(); };
    }
    // In a coroutine, as long as it runs.
    auto enter() {
        ++running_;
        return std::unique_ptr<std::size_t, void (*)(std::size_t*)>(&running_, [](std::size_t* count) { --*count; });
    }
    // Until all have ended.
    void run() {
        while (running_ != 0) {
            ready_.rx.recv().value().resume();
        }
    }

private:
    std::size_t running_ = 0;
    weir::endpoints<weir::sender<handle>, weir::receiver<handle>> ready_ = weir::channel<handle>();
};

template <class T>
struct tasks {
    using has_tasks = void;

    static task send_on(run_loop& loop, auto& tx, number n, number end) {
        const auto inside = loop.enter();
        for (; n != end; ++n) {
            const auto sent =
                co_await weir::resume_on(weir::async_send(tx, bench::make_message<T>(n)), loop.scheduler());
            sent.value();
        }
    }
    static task receive_on(run_loop& loop, weir::receiver<T>& rx, number left, number& sum) {
        const auto inside = loop.enter();
        for (; left != 0; --left) {
            const auto received = co_await weir::resume_on(weir::async_recv(rx), loop.scheduler());
            sum += bench::value_of(received.value());
        }
    }

    static void send_in_task(auto& tx, number first, number end) {
        run_loop loop;
        send_on(loop, tx, first, end);
        loop.run();
    }
    static number receive_in_task(weir::receiver<T>& rx, number count) {
        run_loop loop;
        number sum = 0;
        receive_on(loop, rx, count, sum);
        loop.run();
        return sum;
    }
    static number exchange_in_tasks(auto& tx, weir::receiver<T>& rx, number count) {
        run_loop loop;
        number sum = 0;
        receive_on(loop, rx, count, sum);
        send_on(loop, tx, 0, count);
        loop.run();
        return sum;
    }
    static number wait_in_tasks(auto& tx, weir::receiver<T>& rx, number count, auto all_wait) {
        run_loop loop;
        for (number n = 0; n != count; ++n) {
            send_on(loop, tx, n, n + 1);
        }
        all_wait();
        number sum = 0;
        receive_on(loop, rx, count, sum);
        loop.run();
        return sum;
    }
};

template <class Channel, class T>
struct adapter : bench::loops<Channel>, tasks<T> {
    using value_type = T;
    static constexpr bool has_senders = true;

    static void send(auto& tx, bench::number n) { tx.send(bench::make_message<T>(n)).value(); }
    static bench::number receive(weir::receiver<T>& rx) { return bench::value_of(rx.recv().value()); }

    static void send_any(auto& tx, bench::number n) {
        const auto sent = [](auto result) { result.value(); };
        weir::select(weir::on_send(tx[0], bench::make_message<T>(n), sent),
                     weir::on_send(tx[1], bench::make_message<T>(n), sent),
                     weir::on_send(tx[2], bench::make_message<T>(n), sent),
                     weir::on_send(tx[3], bench::make_message<T>(n), sent));
    }
    static bench::number receive_any(auto& rx) {
        const auto received = [](auto message) { return bench::value_of(message.value()); };
        return weir::select(weir::on_recv(rx[0], received), weir::on_recv(rx[1], received),
                            weir::on_recv(rx[2], received), weir::on_recv(rx[3], received));
    }
    using set = weir::selector;
};

template <class T>
struct unbounded : adapter<unbounded<T>, T> {
    static auto make(std::size_t) { return weir::channel<T>(); }
};

template <class T>
struct bounded : adapter<bounded<T>, T> {
    static auto make(std::size_t capacity) { return weir::sync_channel<T>(capacity); }
};

} // namespace

int main(int argc, char** argv) {
    bench::program peer("weir", PEER_VERSION, "blocking");
    bench::offer<unbounded>(peer, "unbounded");
    for (const char* kind : {"boundedN", "bounded1024", "bounded64", "bounded1", "bounded0"}) {
        bench::offer<bounded>(peer, kind);
    }
    return peer.main(argc, argv);
}
