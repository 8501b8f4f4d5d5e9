// SPDX-License-Identifier: BSL-1.0
//
// What most models of channels do: senders that number their messages, and a receiver that looks at the numbers.
#ifndef WEIR_MODEL_TRAFFIC_HPP
#define WEIR_MODEL_TRAFFIC_HPP

#include "checker/model.hpp"

// Timers are no part of the models: they have a thread to themselves, and a clock that stands still says nothing of them.
#include <weir/channel.hpp>
#include <weir/select.hpp>

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
    explicit order_check(unsigned slots = 0) noexcept : slots_(slots) {}

    template <class Message>
    void received(const Message& got) {
        const int sender = got.value() / 10;
        check(sender >= 1 && sender < static_cast<int>(Threads), "the message is whole");
        check(got.value() % 10 == ++last_[sender], "a sender's messages come in order, each once");
        // Slots lie in order: of the first few, a lower one later is one that was passed.
        passed_ += ++count_ <= slots_ && Message::last_slot() < highest_ ? 1 : 0;
        highest_ = std::max(highest_, Message::last_slot());
    }
    int last(unsigned sender) const noexcept { return last_[sender]; }
    unsigned count() const noexcept { return count_; }
    unsigned passed() const noexcept { return passed_; }

private:
    int last_[Threads] = {};
    const void* highest_ = nullptr;
    const unsigned slots_;
    unsigned count_ = 0;
    unsigned passed_ = 0;
};

// What most models are: one sender to a thread, and thread 0 the receiver. `Ends` is what makes a channel.
template <unsigned Threads, class Ends>
class channel_model {
public:
    static constexpr unsigned threads = Threads;
    static constexpr unsigned bound = Threads == 2 ? 2 : 1;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr unsigned long random = 100'000;

protected:
    explicit channel_model(Ends ends) : rx_(std::move(ends.rx)) {
        for (unsigned i = 1; i < Threads; ++i) {
            tx_[i] = ends.tx;
        }
    }

    ~channel_model() {
        for (unsigned i = 1; is_over_ && i < Threads; ++i) {
            check(received_[i] == sent_[i], "a send that succeeded was received, one that failed was not");
        }
    }

    // As many messages as come while a sender is there.
    void receive_all(order_check<Threads>& order) {
        for (auto got = rx_.recv(); got.has_value(); got = rx_.recv()) {
            order.received(*got);
        }
    }

    // So many, from senders that stay.
    void receive(unsigned count) {
        order_check<Threads> order;
        for (unsigned i = 0; i < count; ++i) {
            const auto got = rx_.recv();
            check(got.has_value(), "a message comes while a sender is there");
            order.received(*got);
        }
    }

    // The receiver goes. What it received is to be what was sent, if its models counted that in `sent_`.
    void end(const order_check<Threads>& order) {
        for (unsigned i = 1; i < Threads; ++i) {
            received_[i] = order.last(i);
        }
        is_over_ = true;
        rx_.reset();
    }

    decltype(Ends::rx) rx_;
    decltype(Ends::tx) tx_[Threads];
    int sent_[Threads] = {};

private:
    int received_[Threads] = {};
    bool is_over_ = false;
};

// A word of the model's own, for what its threads tell each other.
template <class T>
class told {
public:
    void set(T value) noexcept { word_.store(value, std::memory_order_release); }
    T get() const noexcept { return word_.load(std::memory_order_acquire); }

private:
    weir::detail::atomic<T> word_{T()};
};

// Two senders, one of which may be stalled, and what the receiver may then find: what is there, and in no wrong order. A send
// that had returned before another began is received first. With two threads the receiver is one of the senders.
template <unsigned Threads, class Message, int First, int Second, unsigned Slots>
class passing {
public:
    template <class Sender>
    void send(Sender& tx, unsigned sender) {
        for (int i = 1; i <= (sender == 1 ? First : Second); ++i) {
            before_[sender][i] = returned_[3 - sender].get();
            check(tx.send(numbered<Message>(sender, i)).has_value(), "the send succeeds");
            returned_[sender].set(i);
        }
        tx.reset();
    }

    template <class Receiver>
    void receive(Receiver& rx) {
        order_check<3> order(Slots);
        for (auto got = rx.recv(); got.has_value(); got = rx.recv()) {
            order.received(*got);
            const unsigned sender = static_cast<unsigned>(got->value() / 10);
            const int first = before_[sender][got->value() % 10];
            check(order.last(3 - sender) >= first, "what was sent before is received before");
            seen.noted[1] += first > 0 ? 1 : 0;
        }
        check(order.last(1) == First && order.last(2) == Second, "all is received");
        seen.noted[0] += order.passed();
        rx.reset();
    }

private:
    told<int> returned_[3];
    int before_[3][4] = {};
};

// An hour from the next look at the clock, which may let it pass at any time after that.
inline std::chrono::hours some_time() {
    weir::detail::steady_clock::begin_hour();
    return std::chrono::hours(1);
}

} // namespace model

#endif
