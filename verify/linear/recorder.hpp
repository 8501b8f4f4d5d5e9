// SPDX-License-Identifier: BSL-1.0
//
// Runs a program on three threads and a channel, and records what came of it.
#pragma once

#include "call.hpp"
#include "program.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../../tests/conformance/support/any_channel.hpp"
#include "../support/random_delays.hpp"

namespace linear {

using conformance::any_sender;
using conformance::outcome;

// The operation that a thread is in.
struct operation_under_way {
    call* now = nullptr;
    std::atomic<std::uint64_t>* clock = nullptr;
};
inline constinit thread_local operation_under_way current{};

// At every named point of the protocols: notes when a receive lies down, and delays it at random.
inline void at_point(const char* point) noexcept {
    if (current.now != nullptr && current.now->waits_since == call::never && std::string_view(point) == "receiver.park") {
        current.now->waits_since = current.clock->fetch_add(1);
    }
    verify::random_delays::pass(point);
}

// Three threads that run one task after another, all three at once, while the caller waits.
class crew {
public:
    crew() {
        for (std::size_t which = 0; which < threads; ++which) {
            members_[which] = std::jthread([this, which] {
                for (;;) {
                    gate_.arrive_and_wait();
                    if (task_ == nullptr) {
                        return;
                    }
                    task_(context_, which);
                    gate_.arrive_and_wait();
                }
            });
        }
    }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;
    ~crew() {
        task_ = nullptr;
        gate_.arrive_and_wait();
    }

    // Calls task(which) on each.
    template <class Task>
    void run(Task& task) {
        context_ = &task;
        task_ = [](void* context, std::size_t which) { (*static_cast<Task*>(context))(which); };
        gate_.arrive_and_wait();
        gate_.arrive_and_wait();
    }

private:
    std::barrier<> gate_{static_cast<std::ptrdiff_t>(threads) + 1};
    void (*task_)(void*, std::size_t) = nullptr;
    void* context_ = nullptr;
    std::array<std::jthread, threads> members_;
};

// Only bytes: a receiver may move it in for a waiting sender.
struct plain_message {
    message_id id;

    explicit plain_message(message_id which) noexcept : id(which) {}
    static constexpr bool holds() noexcept { return true; }
    static constexpr bool is_tracked = false;
    static constexpr std::uint64_t alive() noexcept { return 0; }
};

// Is moved in by its sender, which may be delayed in the middle of it; says whether it was moved from.
class tracked_message {
public:
    message_id id;

    explicit tracked_message(message_id which) noexcept : id(which) { ++count_; }
    tracked_message(tracked_message&& other) noexcept : id(other.id), holds_(std::exchange(other.holds_, false)) {
        ++count_;
        verify::random_delays::pass();
    }
    tracked_message(const tracked_message&) = delete;
    tracked_message& operator=(const tracked_message&) = delete;
    tracked_message& operator=(tracked_message&&) = delete;
    ~tracked_message() { --count_; }

    bool holds() const noexcept { return holds_; }
    static constexpr bool is_tracked = true;
    static std::uint64_t alive() noexcept { return count_; }

private:
    static inline std::atomic<std::uint64_t> count_{0};

    bool holds_ = true;
};

template <class Message>
class recorder {
public:
    recorder(const conformance::flavor& which, const program& plan) : plan_(plan) {
        auto channel = conformance::open<Message>(which);
        receiver_ = std::move(channel.rx);
        for (std::size_t i = 0; i < threads; ++i) {
            calls_[i].reserve(64);
            if (plan_.roles[i].sends) {
                seats_[i].weak = channel.tx.downgrade();
                seats_[i].handles.push_back(channel.tx);
                ++senders_;
            }
        }
        calls_[threads].reserve(64);
        for (const message_id message : plan_.before) {
            planned sending{operation::try_send};
            sending.message = message;
            do_sending(threads, sending, channel.tx);
        }
    }

    std::uint8_t senders() const { return senders_; }

    void operator()(std::size_t which) {
        const role& mine = plan_.roles[which];
        verify::random_delays::start(plan_.delays, mine.seed);
        for (const planned& next : mine.calls) {
            verify::random_delays::pass();
            next.by_receiver || is_receive(next.what) ? receive_in_turn(which, next) : send(which, next);
        }
        while (!seats_[which].handles.empty()) {
            send(which, planned{operation::drop});
        }
        seats_[which].weak.reset();
        if (mine.receives && mine.ends_by_reset) {
            receive_in_turn(which, planned{operation::reset_receiver, true});
        }
        for (bool ended = !mine.receives; !ended;) {
            receive_in_turn(which, planned{operation::recv, true});
            ended = !calls_[which].back().succeeded();
        }
        verify::random_delays::start(verify::delays::none, 0);
    }

    // After the threads are done, or stuck; in the order of the calls.
    std::vector<call> history() const {
        std::vector<call> all;
        for (const auto& each : calls_) {
            all.insert(all.end(), each.begin(), each.end());
        }
        std::sort(all.begin(), all.end(), [](const call& a, const call& b) { return a.began < b.began; });
        return all;
    }

private:
    struct seat {
        std::vector<any_sender<Message>> handles; // the last one is used
        typename any_sender<Message>::weak weak;
    };

    // Takes ids out of messages: an output iterator.
    struct output {
        using difference_type = std::ptrdiff_t;
        call* where;
        output& operator*() { return *this; }
        output& operator++() { return *this; }
        output operator++(int) { return *this; }
        output& operator=(Message&& message) {
            note(*where, message);
            return *this;
        }
    };

    static void note(call& now, const Message& message) {
        if (!message.holds()) {
            now.complaint = "the message was moved from before it came";
        }
        if (now.taken < call::most_taken) {
            now.messages[now.taken++] = message.id;
        }
    }

    call& start(std::size_t which, const planned& next, bool empty_handle) {
        call& now = calls_[which].emplace_back();
        current = {&now, &clock_};
        now.what = next.what;
        now.thread = static_cast<std::uint8_t>(which);
        now.by_receiver = next.by_receiver;
        now.most = next.most;
        now.message = next.message;
        now.empty_handle = empty_handle;
        now.began = clock_.fetch_add(1);
        return now;
    }
    void end(call& now) {
        now.ended = clock_.fetch_add(1);
        current = {};
    }

    void send(std::size_t which, const planned& next) {
        seat& mine = seats_[which];
        switch (next.what) {
        case operation::clone:
            if (!mine.handles.empty()) {
                call& now = start(which, next, false);
                auto copy = mine.handles.back();
                end(now);
                mine.handles.push_back(std::move(copy));
            }
            return;
        case operation::drop:
            if (!mine.handles.empty()) {
                call& now = start(which, next, false);
                mine.handles.back().reset();
                end(now);
                mine.handles.pop_back();
            }
            return;
        case operation::lock_weak: {
            call& now = start(which, next, false);
            auto locked = mine.weak.lock();
            end(now);
            now.value = locked ? 1 : 0;
            if (locked) {
                mine.handles.push_back(std::move(locked));
            }
            return;
        }
        case operation::request_stop: {
            call& now = start(which, next, false);
            stop_.request_stop();
            end(now);
            return;
        }
        default:
            do_sending(which, next, mine.handles.empty() ? none_ : mine.handles.back());
        }
    }

    void do_sending(std::size_t which, const planned& next, const any_sender<Message>& tx) {
        Message message(next.message);
        const auto began = std::chrono::steady_clock::now();
        call& now = start(which, next, !tx);
        switch (next.what) {
        case operation::send:
            now.error = outcome(tx.send(std::move(message)));
            break;
        case operation::emplace:
            now.error = outcome(tx.emplace(std::move(message)));
            break;
        case operation::try_send:
            now.error = outcome(tx.try_send(std::move(message)));
            break;
        case operation::try_emplace:
            now.error = outcome(tx.try_emplace(std::move(message)));
            break;
        case operation::send_timeout:
            now.error = outcome(tx.send_timeout(std::move(message), next.timeout));
            break;
        case operation::send_deadline:
            now.error = outcome(tx.send_deadline(std::move(message), began + next.timeout));
            break;
        case operation::send_stop:
            now.error = outcome(tx.send(std::move(message), stop_.get_token()));
            break;
        case operation::len:
            now.value = tx.len();
            break;
        case operation::is_empty:
            now.value = tx.is_empty() ? 1 : 0;
            break;
        case operation::is_disconnected:
            now.value = tx.is_disconnected() ? 1 : 0;
            break;
        default:
            now.value = tx.sender_count();
        }
        end(now);
        if (Message::is_tracked && is_send(next.what) && message.holds() == now.succeeded()) {
            now.complaint = now.succeeded() ? "the message was not moved from" : "the failed send touched its message";
        }
        check_time(now, next, began);
    }

    void receive_in_turn(std::size_t which, const planned& next) {
        if (plan_.shares_receiver) {
            const std::lock_guard turn(turns_);
            receive(which, next);
        } else {
            receive(which, next);
        }
    }

    void receive(std::size_t which, const planned& next) {
        const auto began = std::chrono::steady_clock::now();
        call& now = start(which, next, !receiver_);
        const auto take = [&now](auto&& result) {
            now.error = outcome(result);
            if (result) {
                note(now, *result);
            }
        };
        switch (next.what) {
        case operation::recv:
            take(receiver_.recv());
            break;
        case operation::try_recv:
            take(receiver_.try_recv());
            break;
        case operation::recv_timeout:
            take(receiver_.recv_timeout(next.timeout));
            break;
        case operation::recv_deadline:
            take(receiver_.recv_deadline(began + next.timeout));
            break;
        case operation::recv_stop:
            take(receiver_.recv(stop_.get_token()));
            break;
        case operation::recv_many: {
            const auto count = receiver_.recv_many(output{&now}, next.most);
            now.error = outcome(count);
            if (count.value_or(0) != now.taken) {
                now.complaint = "recv_many did not write as many messages as it said";
            }
            break;
        }
        case operation::iterate:
            now.error = weir::channel_errc::disconnected;
            for (auto&& message : receiver_) {
                now.error = {};
                note(now, message);
                break;
            }
            break;
        case operation::try_iterate:
            for (auto&& message : receiver_.try_iter()) {
                note(now, message);
                break;
            }
            break;
        case operation::close:
            receiver_.close();
            break;
        case operation::reset_receiver:
            receiver_.reset();
            break;
        case operation::len:
            now.value = receiver_.len();
            break;
        case operation::is_empty:
            now.value = receiver_.is_empty() ? 1 : 0;
            break;
        case operation::is_disconnected:
            now.value = receiver_.is_disconnected() ? 1 : 0;
            break;
        default:
            now.value = receiver_.sender_count();
        }
        end(now);
        check_time(now, next, began);
    }

    static void check_time(call& now, const planned& next, std::chrono::steady_clock::time_point began) {
        if (now.error == weir::channel_errc::timeout && std::chrono::steady_clock::now() - began < next.timeout) {
            now.complaint = "timed out early";
        }
    }

    const program& plan_;
    weir::receiver<Message> receiver_;
    std::mutex turns_;
    seat seats_[threads];
    any_sender<Message> none_;
    std::stop_source stop_;
    std::uint8_t senders_ = 0;
    std::vector<call> calls_[threads + 1]; // the last: before the threads start
    alignas(64) std::atomic<std::uint64_t> clock_{0};
};

} // namespace linear
