// SPDX-License-Identifier: BSL-1.0
// One pass over the whole core without exceptions and RTTI. GoogleTest is left out since it is built with both.
#include <weir/posix/event_fd.hpp>
#include <weir/weir.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#ifdef __cpp_exceptions
#error "this program is to be compiled with -fno-exceptions"
#endif
#ifdef __cpp_rtti
#error "this program is to be compiled with -fno-rtti"
#endif

namespace {

using namespace std::chrono_literals;

void require(bool holds, const char* what, int line) {
    if (!holds) {
        std::fprintf(stderr, "smoke.cpp:%d: not so: %s\n", line, what);
        std::exit(1);
    }
}
#define REQUIRE(condition) require(static_cast<bool>(condition), #condition, __LINE__)

void unbounded_delivers_in_order_and_disconnects() {
    auto [tx, rx] = weir::channel<std::unique_ptr<int>>();
    REQUIRE(rx.try_recv().error() == weir::try_recv_error::empty);
    REQUIRE(rx.recv_timeout(0ms).error() == weir::recv_timeout_error::timeout);

    std::thread producer([sender = std::move(tx)] {
        for (int i = 0; i < 1000; ++i) {
            REQUIRE(sender.send(std::make_unique<int>(i)));
        }
    });
    int expected = 0;
    for (auto message : rx) {
        REQUIRE(*message == expected);
        ++expected;
    }
    producer.join();
    REQUIRE(expected == 1000);
    REQUIRE(rx.recv().error() == weir::recv_error::disconnected);
}

void bounded_is_exact_and_gives_a_failed_message_back() {
    auto [tx, rx] = weir::sync_channel<std::string>(3);
    REQUIRE(tx.capacity() == 3U);
    REQUIRE(tx.try_send("one"));
    REQUIRE(tx.try_emplace(3U, 'x'));
    REQUIRE(tx.send_timeout("three", 1s));

    std::string fourth = "the fourth, too long for the small string buffer";
    REQUIRE(tx.try_send(std::move(fourth)).error() == weir::try_send_error::full);
    REQUIRE(fourth.starts_with("the fourth"));
    REQUIRE(tx.send_timeout(std::move(fourth), 1ms).error() == weir::send_timeout_error::timeout);
    REQUIRE(fourth.starts_with("the fourth"));

    std::vector<std::string> taken;
    REQUIRE(rx.recv_many(std::back_inserter(taken), 2) == 2U);
    REQUIRE((taken == std::vector<std::string>{"one", "xxx"}));

    rx.close();
    REQUIRE(tx.is_disconnected());
    REQUIRE(tx.send(std::move(fourth)).error() == weir::send_error::disconnected);
    REQUIRE(rx.recv() == "three");
    REQUIRE(rx.recv().error() == weir::recv_error::disconnected);
}

void rendezvous_hands_over() {
    auto [tx, rx] = weir::sync_channel<int>(0);
    REQUIRE(tx.try_send(1).error() == weir::try_send_error::full);

    std::thread producer([sender = std::move(tx)] {
        for (int i = 0; i < 100; ++i) {
            REQUIRE(sender.send(i));
        }
    });
    for (int i = 0; i < 100; ++i) {
        REQUIRE(rx.recv() == i);
    }
    producer.join();
    REQUIRE(rx.try_recv().error() == weir::try_recv_error::disconnected);
}

void handles_count_and_compare() {
    auto [tx, rx] = weir::channel<int>();
    auto weak = tx.downgrade();
    auto copy = tx;
    REQUIRE(tx.sender_count() == 2);
    REQUIRE(rx.same_channel(copy));
    copy.reset();
    tx.reset();
    REQUIRE(!weak.lock());
    REQUIRE(tx.send(1).error() == weir::send_error::disconnected);
    REQUIRE(rx.is_disconnected());
}

#if WEIR_HAS_STOP_TOKEN
void a_stop_ends_a_wait() {
    auto [tx, rx] = weir::channel<int>();
    std::stop_source stop;
    std::thread stopper([&stop] { stop.request_stop(); });
    REQUIRE(rx.recv(stop.get_token()).error() == weir::recv_stop_error::stopped);
    stopper.join();
    REQUIRE(tx.send(1));
}
#endif

void errors_are_error_codes() {
    const std::error_code code = weir::recv_timeout_error::timeout;
    REQUIRE(code == weir::channel_errc::timeout);
    REQUIRE(code == std::errc::timed_out);
    REQUIRE(!weir::to_string(weir::recv_timeout_error::timeout).empty());
}

} // namespace

int main() {
    unbounded_delivers_in_order_and_disconnects();
    bounded_is_exact_and_gives_a_failed_message_back();
    rendezvous_hands_over();
    handles_count_and_compare();
#if WEIR_HAS_STOP_TOKEN
    a_stop_ends_a_wait();
#endif
    errors_are_error_codes();
}
