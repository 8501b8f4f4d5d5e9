// SPDX-License-Identifier: BSL-1.0
//
// Senders of which a test knows that they wait.
#pragma once

#include "support/held.hpp"

#include <semaphore>
#include <thread>
#include <utility>

namespace unit {

// In the place of a stop token: is told when its sender has enrolled itself, and never stops it.
struct enrolment {
    std::counting_semaphore<>* has_come;
    static constexpr bool stop_requested() noexcept { return false; }
};
template <class Callback>
weir::detail::no_callback on_stop(const enrolment& who, const Callback&) noexcept {
    who.has_come->release();
    return {};
}

// A thread in a send for which there is no room. The constructor returns when it has enrolled itself,
// or has ended.
template <class Flavor>
class waiting_sender {
public:
    waiting_sender(Flavor& flavor, message_type<Flavor> message, deadline until = deadline::never())
        : message_(std::move(message)), thread_([this, &flavor, until] {
              auto source = source_of(message_);
              source_for<message_type<Flavor>>& from = source;
              result_ = flavor.send(from, until, enrolment{&has_come_});
              has_come_.release(); // it may have ended without a wait
          }) {
        has_come_.acquire();
    }

    // Waits for the end of the send.
    send_result result() {
        if (thread_.joinable()) {
            thread_.join();
        }
        return result_;
    }
    const message_type<Flavor>& message() const noexcept { return message_; }

private:
    message_type<Flavor> message_;
    std::counting_semaphore<> has_come_{0};
    send_result result_{};
    std::jthread thread_;
};

} // namespace unit
