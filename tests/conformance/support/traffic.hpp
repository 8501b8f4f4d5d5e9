// SPDX-License-Identifier: BSL-1.0
//
// Traffic in which every operation takes part: senders and a receiver that change their way with each message, and a
// record of what arrived. Messages tell value() and, unless they were moved from, holds().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "any_channel.hpp"

#if WEIR_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace conformance {

// Longer than anything here waits.
inline constexpr std::chrono::seconds long_wait{30};

// Stops one wait after another, when somebody asks for it.
class stops {
#if WEIR_HAS_STOP_TOKEN
public:
    std::stop_token next() {
        const std::lock_guard lock(mutex_);
        source_ = std::stop_source();
        return source_.get_token();
    }
    void request() {
        std::unique_lock lock(mutex_);
        std::stop_source current = source_;
        lock.unlock();
        current.request_stop();
    }

private:
    std::mutex mutex_;
    std::stop_source source_;
#else
public:
    void request() {}
#endif
};

// Sends in a way that depends on the number, again where it failed for want of room or time. Ok, or disconnected.
template <class Message>
channel_errc send_somehow(const any_sender<Message>& tx, Message& message, std::uint64_t number,
                          [[maybe_unused]] stops& stopped) {
    channel_errc came_to = ok;
    const auto is_over = [&](const auto& result) {
        came_to = outcome(result);
        return came_to == ok || came_to == channel_errc::disconnected;
    };
    switch (number % 64) {
    case 10:
        while (!is_over(tx.try_send(std::move(message))))
            std::this_thread::yield();
        break;
    case 20:
        while (!is_over(tx.send_timeout(std::move(message), std::chrono::microseconds(number % 50)))) {
        }
        break;
    case 30: {
        const auto clone = tx;
        is_over(clone.send(std::move(message)));
        break;
    }
    case 40: {
        const auto locked = tx.downgrade().lock();
        is_over(locked.send_deadline(std::move(message), std::chrono::steady_clock::now() + long_wait));
        break;
    }
    case 45:
        is_over(tx.emplace(std::move(message)));
        break;
#if WEIR_HAS_STOP_TOKEN
    case 50:
        while (!is_over(tx.send(std::move(message), stopped.next()))) {
        }
        break;
#endif
    default:
        is_over(tx.send(std::move(message)));
    }
    return came_to;
}

// Checks each message that arrives: it holds its value, and it is its producer's next.
class arrivals {
public:
    explicit arrivals(std::size_t producers) : next_(producers, 0) {}

    static constexpr std::uint64_t value_of(std::uint64_t producer, std::uint64_t number) {
        return producer << 32 | number;
    }

    template <class Message>
    void take(Message&& message) {
        const auto producer = static_cast<std::size_t>(message.value() >> 32);
        const std::uint64_t number = message.value() & 0xffffffffu;
        if (!message.holds() || producer >= next_.size() || number != next_[producer])
            ++wrong_;
        if (producer < next_.size())
            next_[producer] = number + 1;
        ++count_;
    }
    std::uint64_t count() const { return count_; }
    std::uint64_t wrong() const { return wrong_; }
    // How many came from that producer, if nothing is wrong.
    std::uint64_t count_of(std::size_t producer) const { return next_[producer]; }

    // An output iterator, for recv_many.
    template <class Message>
    struct output {
        using difference_type = std::ptrdiff_t;
        arrivals* where;
        output& operator*() { return *this; }
        output& operator++() { return *this; }
        output operator++(int) { return *this; }
        output& operator=(Message&& message) {
            where->take(std::move(message));
            return *this;
        }
    };

private:
    std::vector<std::uint64_t> next_;
    std::uint64_t count_ = 0;
    std::uint64_t wrong_ = 0;
};

// Receives in every way until the channel is disconnected, or about `most` messages have come. Disconnected, or ok.
template <class Message>
channel_errc receive_somehow(weir::receiver<Message>& rx, arrivals& seen, [[maybe_unused]] stops& stopped,
                             std::uint64_t most = ~std::uint64_t{0}) {
    for (std::size_t turn = 0; seen.count() < most; ++turn) {
        channel_errc came_to = ok;
        const auto take = [&](auto&& got) {
            if (got)
                seen.take(std::move(*got));
            came_to = outcome(got);
        };
        switch (turn % 32) {
        case 3:
            take(rx.try_recv());
            break;
        case 7:
            take(rx.recv_timeout(std::chrono::microseconds(turn % 40)));
            break;
        case 11:
            take(rx.recv_deadline(std::chrono::steady_clock::now() + long_wait));
            break;
        case 15:
        case 16:
        case 17:
            came_to = outcome(rx.recv_many(arrivals::output<Message>{&seen}, turn % 30));
            break;
        case 19:
            for (auto&& message : rx) {
                seen.take(std::move(message));
                if (seen.count() % 5 == 0)
                    break;
            }
            break;
        case 23:
            for (auto&& message : rx.try_iter()) {
                seen.take(std::move(message));
                if (seen.count() % 50 == 0)
                    break;
            }
            break;
#if WEIR_HAS_STOP_TOKEN
        case 27:
            take(rx.recv(stopped.next()));
            break;
#endif
        default:
            take(rx.recv());
        }
        if (came_to == channel_errc::disconnected)
            return came_to;
    }
    return ok;
}

} // namespace conformance
