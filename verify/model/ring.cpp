// SPDX-License-Identifier: BSL-1.0
//
// Models of the bounded channel.

#include "checker/traffic.hpp"

namespace {

using namespace model;

template <unsigned Threads, std::size_t Capacity>
class ring_model : public channel_model<Threads, decltype(weir::sync_channel<message>(Capacity))> {
protected:
    using ring = weir::detail::ring<message>;

    ring_model() : ring_model::channel_model(weir::sync_channel<message>(Capacity)) {}

    ring& flavor(unsigned sender) {
        return static_cast<ring&>(*weir::detail::handle_access::channel_of(this->tx_[sender]));
    }
};

// As one of a type that is only bytes: the receiver makes the message of a sender that waits.
class bytes_source {
public:
    static constexpr bool any_thread_makes_it = true;

    explicit bytes_source(message& from) noexcept : from_(from) {}
    void make_at(void* place) noexcept {
        seen.noted[1] += rl::thread_index() == 0 ? 1 : 0;
        ::new (place) message(std::move(from_));
    }

private:
    message& from_;
};

// Senders claim, and wait for room, while the ring goes round; waiting ones are told of it.
template <unsigned Threads>
class wrap : public ring_model<Threads, 1> {
public:
    static constexpr const char* name = Threads == 2 ? "ring.wrap.2" : "ring.wrap.3";
    static constexpr const char* protocol = "ring claim and wrap";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= each; ++i) {
                check(this->tx_[index].send(numbered(index, i)).has_value(), "the send succeeds");
            }
            return; // and stays: no disconnection is to wake a receiver that a message did not
        }
        this->receive((Threads - 1) * each);
        check(!this->rx_.try_recv().has_value(), "then there is no more");
    }

private:
    static constexpr int each = Threads == 2 ? 3 : 1;
};

// The same with a capacity that is no power of two, without waiting: `full` is said only where it is true.
template <unsigned Threads>
class try_ring : public ring_model<Threads, 3> {
public:
    static constexpr const char* name = Threads == 2 ? "ring.try.2" : "ring.try.3";
    static constexpr const char* protocol = "ring claim and wrap";
    static constexpr const char* notes = "full,received";

    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= each; ++i) {
                message value = numbered(index, this->sent_[index] + 1);
                if (this->tx_[index].try_send(std::move(value)).has_value()) {
                    ++this->sent_[index];
                } else {
                    check(value.value() != 0, "what failed is untouched");
                    ++seen.noted[0];
                }
            }
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        for (int i = 0; i < 3; ++i) {
            if (const auto got = this->rx_.try_recv(); got.has_value()) {
                order.received(*got);
                ++seen.noted[1];
            }
        }
        this->receive_all(order);
        this->end(order);
    }

    ~try_ring() { check(Threads != 2 || this->sent_[1] >= 3, "there is room for three, exactly"); }

private:
    static constexpr int each = Threads == 2 ? 5 : 3;
};

// Senders that wait, and a receiver that closes or goes: each send ends, and says what became of its message.
// `Bytes`: the receiver makes the messages of those that wait.
template <unsigned Threads, bool Bytes>
class full_and_close : public ring_model<Threads, 1> {
public:
    static constexpr const char* name = Bytes ? (Threads == 2 ? "ring.served.2" : "ring.served.3")
                                              : (Threads == 2 ? "ring.told.2" : "ring.told.3");
    static constexpr const char* protocol = "ring full, waiter and close";
    static constexpr const char* notes = Bytes ? "refused,made by the receiver" : "refused";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= each; ++i) {
                if (!send(index, i)) {
                    check(before_ == 1, "what came before the close is seen");
                    ++seen.noted[0];
                    break;
                }
                ++this->sent_[index];
            }
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        if (const auto got = this->rx_.recv(); got.has_value()) {
            order.received(*got);
        }
        before_ = 1;
        this->rx_.close();
        if (choose(2) == 0) {
            return; // those that wait are told all the same
        }
        this->receive_all(order);
        this->end(order);
    }

private:
    static constexpr int each = Threads == 2 ? 3 : 2;

    bool send(unsigned index, int number) {
        message value = numbered(index, number);
        if constexpr (Bytes) {
            bytes_source source(value);
            return this->flavor(index).send(source, weir::detail::deadline::never(), weir::detail::no_stop()) ==
                   weir::detail::send_result::sent;
        } else {
            return this->tx_[index].send(std::move(value)).has_value();
        }
    }

    weir::detail::plain<int> before_;
};

// A sender that is told of room when another takes it, and asks for the next place then, or does not yet. With two threads the
// receiver is the other one.
template <unsigned Threads>
class overtaken : public ring_model<Threads, 1> {
public:
    static constexpr const char* name = Threads == 2 ? "ring.granted.2" : "ring.granted.3";
    static constexpr const char* protocol = "ring full, waiter overtaken";
    static constexpr const char* notes = Threads == 2 ? "granted,taken by the other" : "granted";
    static constexpr const char* needs = "parked,woken";

    overtaken() {
        if constexpr (Threads == 2) {
            other_ = this->tx_[1];
        }
    }

    void thread(unsigned index) {
        if (index == 1) {
            check(this->tx_[1].send(numbered(1, 1)).has_value(), "the send succeeds");
            send_waiting();
            return; // and stays: no disconnection is to wake a receiver that a message did not
        }
        if (index == 2) {
            check(this->tx_[2].send(numbered(2, 1)).has_value(), "the send succeeds");
            return;
        }
        order_check<3> order;
        for (unsigned left = 3; left != 0; --left) {
            const auto got = this->rx_.recv();
            check(got.has_value(), "a message comes while a sender is there");
            order.received(*got);
            if (Threads == 2 && left == 3) {
                const bool is_quicker = other_.try_send(numbered(2, 1)).has_value();
                seen.noted[1] += is_quicker ? 1 : 0;
                left -= is_quicker ? 0 : 1;
            }
        }
    }

private:
    // As a blocking send, but that it may ask for a place as soon as it was told in vain.
    void send_waiting() {
        auto& flavor = this->flavor(1);
        auto made = []() noexcept { return numbered(1, 2); };
        weir::detail::message_source<message, false, decltype(made)> source(made);
        weir::detail::spin_policy spin(1);
        bool is_sent = flavor.try_send(source) == weir::detail::send_result::sent;
        for (bool told_in_vain = false; !is_sent; told_in_vain = true) {
            using weir::detail::service;
            weir::detail::thread_waiter self(source, told_in_vain && choose(2) != 0 ? service::grant : service::tell);
            if (flavor.enrol_sender(self, told_in_vain) != weir::detail::enrolment::waits) {
                flavor.withdraw_sender(self);
            } else if (self.await(weir::detail::deadline::never(), weir::detail::no_stop(), spin, 0) ==
                       weir::detail::answer::granted) {
                flavor.send_granted(self.ticket(), source);
                ++seen.noted[0];
                return;
            }
            is_sent = flavor.try_send(source) == weir::detail::send_result::sent;
        }
    }

    decltype(weir::sync_channel<message>(1).tx) other_;
};

// A sender that waits no longer than some time, against the receiver that serves it. A third thread sends one message, and
// waits for ever: whatever the other's time-out holds up, it is served.
template <unsigned Threads>
class send_time_out : public ring_model<Threads, 1> {
public:
    static constexpr const char* name = Threads == 2 ? "ring.time_out.2" : "ring.time_out.3";
    static constexpr const char* protocol = "ring full, waiter and time-out";
    static constexpr const char* notes = "send timed out,received";
    static constexpr const char* needs = "parked,woken,timed out";

    void thread(unsigned index) {
        if (index != 0) {
            if (index == 2) {
                check(this->tx_[index].send(numbered(index, ++this->sent_[index])).has_value(), "the send succeeds");
                this->tx_[index].reset();
                return;
            }
            for (int i = 1; i <= each; ++i) {
                if (this->tx_[index].send_timeout(numbered(index, this->sent_[index] + 1), some_time()).has_value()) {
                    ++this->sent_[index];
                } else {
                    ++seen.noted[0];
                }
            }
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        this->receive_all(order);
        seen.noted[1] += order.count();
        this->end(order);
    }

private:
    static constexpr int each = 2; // with a time-out
};

// One message at a time passes through a ring of two: who looks whether it is full says no, however old what it sees.
class never_full : public ring_model<2, 2> {
public:
    static constexpr unsigned quick_bound = bound;
    static constexpr const char* name = "ring.never_full.2";
    static constexpr const char* protocol = "ring claim and wrap";
    static constexpr const char* notes = "between,at an end";

    never_full() : own_(tx_[1]) {}

    void thread(unsigned index) {
        if (index != 0) {
            for (int looks = 0; looks < 3; ++looks) {
                check(!flavor(1).is_full(), "there is room");
            }
            const int passed = passed_.load(std::memory_order_relaxed);
            ++seen.noted[passed != 0 && passed != most ? 0 : 1];
            return;
        }
        for (int i = 1; i <= most; ++i) {
            check(own_.try_send(numbered(1, i)).has_value() && rx_.try_recv().has_value(), "it passes");
            passed_.store(i, std::memory_order_relaxed);
        }
    }

private:
    static constexpr int most = 3;

    weir::sync_sender<message> own_;
    weir::detail::atomic<int> passed_{0};
};

// The receiver takes what is there behind a stalled sender, in a ring that goes round.
template <unsigned Threads>
class look_ahead : public ring_model<Threads, 3> {
public:
    static constexpr const char* name = Threads == 2 ? "ring.look_ahead.2" : "ring.look_ahead.3";
    static constexpr const char* protocol = "look-ahead past a stalled sender";
    static constexpr const char* notes = "passed,after another";

    look_ahead() {
        if constexpr (Threads == 2) {
            own_ = this->tx_[1];
        }
    }

    void thread(unsigned index) {
        if (index != 0) {
            passing_.send(this->tx_[index], index);
        } else {
            if constexpr (Threads == 2) {
                passing_.send(own_, 2);
            }
            passing_.receive(this->rx_);
        }
    }

private:
    passing<Threads, message, 2, Threads == 2 ? 1 : 2, 3> passing_;
    decltype(weir::sync_channel<message>(3).tx) own_;
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    wrap<2>, wrap<3>, try_ring<2>, try_ring<3>, full_and_close<2, false>, full_and_close<3, false>,                    \
        full_and_close<2, true>, full_and_close<3, true>, overtaken<2>, overtaken<3>, send_time_out<2>,                \
        send_time_out<3>, never_full, look_ahead<2>, look_ahead<3>
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
