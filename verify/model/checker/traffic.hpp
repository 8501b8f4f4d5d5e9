// SPDX-License-Identifier: BSL-1.0
//
// What most models of channels do: senders that number their messages, and a receiver that looks at the numbers.
#ifndef WEIR_MODEL_TRAFFIC_HPP
#define WEIR_MODEL_TRAFFIC_HPP

#include "checker/model.hpp"

#include <weir/weir.hpp>

namespace model {

// Message `number`, from 1, of thread `sender`.
template <class Message = message>
Message numbered(unsigned sender, int number) {
    return Message(static_cast<int>(sender) * 10 + number);
}

// A receiver's notes: each sender's messages come in order, each once.
template <unsigned Threads>
class order_check {
public:
    template <class Message>
    void received(const Message& got) {
        const int sender = got.value() / 10;
        check(sender >= 1 && sender < static_cast<int>(Threads), "the message is whole");
        check(got.value() % 10 == ++last_[sender], "a sender's messages come in order, each once");
        // Slots of one block lie in order: a lower one later is one that was passed.
        if (Message::last_slot() < highest_) {
            ++passed_;
        }
        highest_ = std::max(highest_, Message::last_slot());
    }
    int last(unsigned sender) const noexcept { return last_[sender]; }
    unsigned passed() const noexcept { return passed_; }

private:
    int last_[Threads] = {};
    const void* highest_ = nullptr;
    unsigned passed_ = 0;
};

// An hour, which the model's clock may let pass at any time.
inline std::chrono::hours some_time() {
    weir::detail::steady_clock::may_be_late = true;
    return std::chrono::hours(1);
}

// A word of the model's own, for what its threads tell each other.
template <class T>
class told {
public:
    void set(T value) noexcept { word_.store(value, std::memory_order_release); }
    T get() const noexcept { return word_.load(std::memory_order_acquire); }

private:
    weir::detail::atomic<T> word_{T()};
};

} // namespace model

#endif
