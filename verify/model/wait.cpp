// SPDX-License-Identifier: BSL-1.0
//
// Models of how anything waits.

#include "checker/small_list.hpp"
#include "checker/traffic.hpp"

namespace {

using namespace model;
using namespace weir::detail;

template <unsigned Threads>
struct wait_model {
    static constexpr unsigned threads = Threads;
    static constexpr unsigned bound = Threads == 2 ? 3 : 2;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr unsigned long random = 100'000;
};

// A writes and asks, B raises and looks: one of them sees the other. Several A.
template <unsigned Threads>
class flags : public wait_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "wait.flags.2" : "wait.flags.3";
    static constexpr const char* protocol = "flag word";
    static constexpr const char* notes = "A saw B,B saw A";

    void thread(unsigned index) {
        if (index != 0) {
            written_[index].store(true, memory_order_release);
            asked_[index] = flags_.after_write() != 0;
            return;
        }
        flags_.raise(1);
        flags_.barrier();
        for (unsigned i = 1; i < Threads; ++i) {
            looked_[i] = written_[i].load(memory_order_acquire);
        }
    }

    ~flags() {
        for (unsigned i = 1; i < Threads; ++i) {
            check(asked_[i] || looked_[i], "one of them sees the other");
            seen.noted[0] += asked_[i] ? 1 : 0;
            seen.noted[1] += looked_[i] ? 1 : 0;
        }
    }

private:
    flag_word flags_;
    atomic<bool> written_[Threads];
    bool asked_[Threads] = {};
    bool looked_[Threads] = {};
};

// A token wakes the owner, who sees what came before it. The last token taken, the parker may go.
template <unsigned Threads>
class park : public wait_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "wait.park.2" : "wait.park.3";
    static constexpr const char* protocol = "park and wake";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            data_[index] = 1;
            done_[index].store(true, memory_order_relaxed);
            place_->unpark();
            return;
        }
        for (unsigned i = 1; i < Threads; ++i) {
            while (!done_[i].load(memory_order_relaxed)) {
                check(place_->park(deadline::never()), "a park without a deadline ends with a token");
                if constexpr (Threads == 2) {
                    check(done_[1].load(memory_order_relaxed), "what came before the token is seen");
                    check(data_[1] == 1, "what came before the token is seen");
                    owned_.reset(); // nobody touches it any more
                    return;
                }
            }
        }
        if constexpr (Threads == 2) {
            check(place_->park(deadline::never()), "the token is still there, or comes");
            owned_.reset();
        }
    }

private:
    plain<int> data_[Threads];
    atomic<bool> done_[Threads];
    std::optional<parker> owned_{std::in_place};
    parker* const place_ = &*owned_;
};

// A claim settles a time-out against those that serve; who lost it still gets his token.
template <unsigned Threads>
class park_in_time : public wait_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "wait.park_in_time.2" : "wait.park_in_time.3";
    static constexpr const char* protocol = "park and wake with time-out";
    static constexpr const char* notes = "served,gave up,served though late";
    static constexpr const char* needs = "parked,woken,timed out";

    void thread(unsigned index) {
        if (index != 0) {
            if (claim_.take()) {
                outcome_ = static_cast<int>(index);
                place_->unpark();
            }
            return;
        }
        if (!place_->park(deadline::after(some_time()))) {
            if (claim_.take()) {
                owned_.reset();
                ++seen.noted[1];
                return;
            }
            ++seen.noted[2];
            check(place_->park(deadline::never()), "the token is on its way");
        }
        check(outcome_ != 0, "the outcome is there");
        owned_.reset();
        ++seen.noted[0];
    }

private:
    claim_word claim_;
    plain<int> outcome_;
    std::optional<parker> owned_{std::in_place};
    parker* const place_ = &*owned_;
};

// A lock whose holder does the work of those that found it held.
template <unsigned Threads>
class debts : public wait_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "wait.debts.2" : "wait.debts.3";
    static constexpr const char* protocol = "debt_lock";
    static constexpr const char* notes = "owed,locked";
    static constexpr const char* needs = "slept for a lock";

    void thread(unsigned index) {
        jobs_.fetch_add(1, memory_order_relaxed);
        if (index == 0) {
            lock_.lock();
        } else if (!lock_.try_lock_or_owe()) {
            ++seen.noted[0];
            return again(index);
        }
        work();
        again(index);
    }

    ~debts() {
        check(done_ == static_cast<int>(Threads) + 1, "every job was done, by its owner or by who held the lock");
    }

private:
    void work() {
        do {
            done_ = static_cast<int>(jobs_.load(memory_order_relaxed));
        } while (!lock_.unlock_unless_owed());
    }

    void again(unsigned index) {
        if (index == 1) {
            jobs_.fetch_add(1, memory_order_relaxed);
            lock_.lock();
            ++seen.noted[1];
            work();
        }
    }

    debt_lock lock_;
    atomic<unsigned> jobs_;
    plain<int> done_;
};

// A receive that waits for some time, against senders that send once and go.
template <unsigned Threads>
class receive_in_time : public channel_model<Threads, decltype(weir::channel<message>())> {
public:
    static constexpr const char* name = Threads == 2 ? "wait.receive_in_time.2" : "wait.receive_in_time.3";
    static constexpr const char* protocol = "park and wake with time-out";
    static constexpr const char* notes = "received in time,gave up";
    static constexpr const char* needs = "parked,woken,timed out";

    receive_in_time() : receive_in_time::channel_model(weir::channel<message>()) {}

    void thread(unsigned index) {
        if (index != 0) {
            this->sent_[index] = this->tx_[index].send(numbered(index, 1)).has_value() ? 1 : 0;
            check(this->sent_[index] == 1, "the send succeeds");
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        if (const auto got = this->rx_.recv_timeout(some_time()); got.has_value()) {
            order.received(*got);
            ++seen.noted[0];
        } else {
            check(got.error() == weir::recv_timeout_error::timeout, "there is a message, or the time is over");
            ++seen.noted[1];
        }
        this->receive_all(order); // a time-out loses no message and no wake
        this->end(order);
    }
};

// A stop request against a message, for a receive that waits. With two threads: the request alone ends it.
template <unsigned Threads>
class stop_receive : public wait_model<Threads> {
public:
    static constexpr unsigned bound = Threads == 2 ? 2 : 1;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr const char* name = Threads == 2 ? "wait.stop_receive.2" : "wait.stop_receive.3";
    static constexpr const char* protocol = "stop request against wake";
    static constexpr const char* notes = Threads == 2 ? "stopped" : "stopped,received";
    static constexpr const char* needs = "parked,woken";

    stop_receive() {
        auto [tx, rx] = weir::channel<message>();
        rx_ = std::move(rx);
        kept_ = tx;
        tx_ = std::move(tx);
    }

    void thread(unsigned index) {
        if (index == 1) {
            stop_.request();
            return;
        }
        if (index == 2) {
            check(tx_.send(numbered(1, 1)).has_value(), "the send succeeds");
            tx_.reset();
            return;
        }
        bool received = receive(stop_token{&stop_});
        ++seen.noted[received ? 1 : 0];
        if constexpr (Threads == 3) {
            received = received || receive(no_stop());
            check(received, "a stop loses no message and no wake");
        }
    }

private:
    template <class Stop>
    bool receive(const Stop& stop) {
        auto& flavor = static_cast<list<message>&>(*handle_access::channel_of(kept_));
        auto [got, error] = take(flavor, deadline::never(), stop);
        if (got == nullptr) {
            check(error == weir::channel_errc::stopped, "there is a sender");
            return false;
        }
        const taken_message taken(flavor, got);
        return true;
    }

    stop_state stop_;
    weir::receiver<message> rx_;
    weir::sender<message> tx_;
    weir::sender<message> kept_;
};

// A stop request against the receiver that serves, for a send that waits.
template <unsigned Threads>
class stop_send : public wait_model<Threads> {
public:
    static constexpr unsigned bound = Threads == 2 ? 2 : 1;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr const char* name = Threads == 2 ? "wait.stop_send.2" : "wait.stop_send.3";
    static constexpr const char* protocol = "stop request against wake";
    static constexpr const char* notes = "sent,stopped";
    static constexpr const char* needs = "parked,woken";

    stop_send() {
        auto [tx, rx] = weir::sync_channel<message>(1);
        rx_ = std::move(rx);
        tx_ = std::move(tx);
        check(tx_.try_send(numbered(1, 1)).has_value(), "there is room for one");
    }

    void thread(unsigned index) {
        if (index == 1) {
            send();
        } else if (index == 0) {
            if constexpr (Threads == 2) {
                stop_.request();
            }
            receive();
        } else {
            stop_.request();
        }
    }

    ~stop_send() { check(received_ == sent_ + 1, "a send that succeeded was received, one that was stopped was not"); }

private:
    void send() {
        auto& flavor = static_cast<ring<message>&>(*handle_access::channel_of(tx_));
        message value = numbered(1, 2);
        auto made = [&value]() noexcept -> message { return std::move(value); };
        message_source<message, false, decltype(made)> source(made);
        const send_result result = flavor.send(source, deadline::never(), stop_token{&stop_});
        check(result == send_result::sent || result == send_result::stopped, "nothing else ends it");
        sent_ = result == send_result::sent ? 1 : 0;
        ++seen.noted[sent_ == 1 ? 0 : 1];
        tx_.reset();
    }

    void receive() {
        while (rx_.recv().has_value()) {
            ++received_;
        }
        rx_.reset();
    }

    stop_state stop_;
    weir::receiver<message> rx_;
    weir::sync_sender<message> tx_;
    int sent_ = 0;
    int received_ = 0;
};

// A waiter that is enrolled at the receiving side, as all will be that are not a thread in a blocking receive.
template <unsigned Threads>
class enrolled : public wait_model<Threads> {
public:
    static constexpr unsigned bound = Threads == 2 ? 2 : 1;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr const char* name = Threads == 2 ? "wait.enrolled.2" : "wait.enrolled.3";
    static constexpr const char* protocol = "park and wake";
    static constexpr const char* notes = "found,told";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            there_[index].store(true, memory_order_release);
            side_.notify(side_.flags_after_write());
            return;
        }
        for (unsigned i = 1; i < Threads; ++i) {
            while (!is_there(i)) {
                wait_for(i);
            }
        }
    }

private:
    class node final : public waiter {
    public:
        node() noexcept : waiter(claim_) {}
        service asks_for() const noexcept override { return service::tell; }
        void make_at(void*) noexcept override {}
        void finish(answer) noexcept override { parker_.unpark(); }
        void await() noexcept { parker_.park(deadline::never()); }

    private:
        claim_word claim_;
        parker parker_;
    };

    bool is_there(unsigned i) const noexcept { return there_[i].load(memory_order_acquire); }

    void wait_for(unsigned i) {
        node self;
        side_.enrol(self);
        side_.barrier(); // as where a message is under way
        if (is_there(i) && self.take()) {
            side_.withdraw(self);
            ++seen.noted[0];
        } else {
            self.await();
            ++seen.noted[1];
        }
    }

    receiver_wait side_{1};
    atomic<bool> there_[Threads];
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    flags<2>, flags<3>, park<2>, park<3>, park_in_time<2>, park_in_time<3>, debts<2>, debts<3>, receive_in_time<2>,    \
        receive_in_time<3>, stop_receive<2>, stop_receive<3>, stop_send<2>, stop_send<3>, enrolled<2>, enrolled<3>
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
