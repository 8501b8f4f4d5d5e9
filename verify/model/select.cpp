// SPDX-License-Identifier: BSL-1.0
//
// Models of waiting for several things at once.

#include "checker/small_list.hpp"
#include "checker/traffic.hpp"

namespace {

using namespace model;
using namespace weir::detail;

template <unsigned Threads>
struct select_model {
    static constexpr unsigned threads = Threads;
    static constexpr unsigned bound = Threads == 2 ? 2 : 1;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr unsigned long random = 100'000;
};

// Two selects crosswise, or three in a ring: each may send to the next and receive from the one before. One exchange takes
// place, and both that are in it say so. The third, if any, is told that the others went.
template <unsigned Threads>
class crossed : public select_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "select.crossed.2" : "select.crossed.3";
    static constexpr const char* protocol = "select claim";
    static constexpr const char* notes = "sent by the first,sent by another";
    static constexpr const char* needs = "parked,woken";

    crossed() {
        for (unsigned i = 0; i < Threads; ++i) {
            auto [tx, rx] = weir::sync_channel<message>(0);
            tx_[i] = std::move(tx);
            rx_[(i + 1) % Threads] = std::move(rx);
        }
    }

    void thread(unsigned index) {
        message own = numbered(index, 1);
        weir::select(
            weir::biased,
            weir::on_send(tx_[index], std::move(own), [&](auto sent) { sent_[index] = sent.has_value(); }),
            weir::on_recv(rx_[index], [&](auto got) { received_[index] = got.has_value() ? got->value() : -1; }));
        check(sent_[index] == (own.value() == 0), "what was not sent is untouched");
        tx_[index].reset();
        rx_[index].reset();
    }

    ~crossed() {
        unsigned exchanges = 0;
        for (unsigned i = 0; i < Threads; ++i) {
            const int expected = static_cast<int>(i) * 10 + 1;
            check(sent_[i] == (received_[(i + 1) % Threads] == expected), "both ends of an exchange say so");
            exchanges += sent_[i] ? 1 : 0;
            seen.noted[i == 0 ? 0 : 1] += sent_[i] ? 1 : 0;
        }
        check(exchanges == 1, "one arm of each select takes effect");
    }

private:
    weir::receiver<message> rx_[Threads];
    weir::sync_sender<message> tx_[Threads];
    bool sent_[Threads] = {};
    int received_[Threads] = {};
};

// A select that waits for some time only, against another select that would serve it or be served by it.
class crossed_in_time : public select_model<2> {
public:
    static constexpr const char* name = "select.time_out.2";
    static constexpr const char* protocol = "select claim against time-out";
    static constexpr const char* notes = "sent,received,gave up";
    static constexpr const char* needs = "parked,woken,timed out";

    crossed_in_time() {
        for (unsigned i = 0; i < 2; ++i) {
            auto [tx, rx] = weir::sync_channel<message>(0);
            tx_[i] = std::move(tx);
            rx_[1 - i] = std::move(rx);
        }
    }

    void thread(unsigned index) {
        message own = numbered(index, 1);
        const auto send = [&](auto sent) { sent_[index] = sent.has_value(); };
        const auto receive = [&](auto got) { received_[index] = got.has_value(); };
        if (index == 0) {
            weir::select(weir::biased, weir::on_send(tx_[0], std::move(own), send), weir::on_recv(rx_[0], receive),
                         weir::on_timeout(some_time(), [] { ++seen.noted[2]; }));
            seen.noted[0] += sent_[0] ? 1 : 0;
            seen.noted[1] += received_[0] ? 1 : 0;
        } else {
            weir::select(weir::biased, weir::on_recv(rx_[1], receive), weir::on_send(tx_[1], std::move(own), send));
        }
        tx_[index].reset();
        rx_[index].reset();
    }

    ~crossed_in_time() {
        check(sent_[0] == received_[1] && sent_[1] == received_[0], "both ends of an exchange say so");
        check(!sent_[0] || !sent_[1], "one arm of each select takes effect");
    }

private:
    weir::receiver<message> rx_[2];
    weir::sync_sender<message> tx_[2];
    bool sent_[2] = {};
    bool received_[2] = {};
};

// A select that waits for some time only, against two threads that each may serve an arm of it.
class served_in_time : public select_model<3> {
public:
    static constexpr const char* name = "select.time_out.3";
    static constexpr const char* protocol = "select claim against time-out";
    static constexpr const char* notes = "sent,received,gave up";
    static constexpr const char* needs = "parked,woken,timed out";

    served_in_time() {
        auto [room_tx, room_rx] = weir::sync_channel<message>(1);
        auto [tx, rx] = weir::channel<message>();
        check(room_tx.try_send(numbered(1, 1)).has_value(), "there is room for one");
        room_tx_ = std::move(room_tx);
        room_rx_ = std::move(room_rx);
        tx_ = std::move(tx);
        rx_ = std::move(rx);
    }

    void thread(unsigned index) {
        if (index == 0) {
            weir::select(weir::biased,
                         weir::on_send(room_tx_, numbered(1, 2), [this](auto sent) { sent_ = sent.has_value(); }),
                         weir::on_recv(rx_, [this](auto got) { received_ = got.has_value(); }),
                         weir::on_timeout(some_time(), [] { ++seen.noted[2]; }));
        } else if (index == 1) {
            check(room_rx_.recv().has_value(), "there is one");
        } else {
            check(tx_.send(numbered(1, 1)).has_value(), "the send succeeds");
        }
    }

    ~served_in_time() {
        check(!sent_ || !received_, "one arm takes effect");
        check(room_rx_.try_recv().has_value() == sent_, "a send that succeeded is there, another is not");
        check(rx_.try_recv().has_value() != received_, "what was not received is still there");
        seen.noted[0] += sent_ ? 1 : 0;
        seen.noted[1] += received_ ? 1 : 0;
    }

private:
    weir::receiver<message> room_rx_;
    weir::sync_sender<message> room_tx_;
    weir::receiver<message> rx_;
    weir::sender<message> tx_;
    bool sent_ = false;
    bool received_ = false;
};

// A select over ends of all kinds, of which one closes, or two at once: it is told, and of one of these.
template <unsigned Threads>
class ending : public select_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "select.close.2" : "select.close.3";
    static constexpr const char* protocol = "select claim against close";
    static constexpr const char* notes = "sending side closed,senders gone,watched receiver gone";
    static constexpr const char* needs = "parked,woken";

    ending() {
        auto [meeting_tx, meeting_rx] = weir::sync_channel<message>(0);
        auto [other_tx, other_rx] = weir::sync_channel<message>(0);
        auto [queue_tx, queue_rx] = weir::channel<message>();
        send_to_ = std::move(meeting_tx);
        closed_ = std::move(meeting_rx);
        dropped_ = std::move(other_tx);
        receive_from_ = std::move(other_rx);
        watched_ = std::move(queue_tx);
        gone_ = std::move(queue_rx);
    }

    void thread(unsigned index) {
        if (index == 0) {
            message own = numbered(1, 1);
            chosen_ = weir::select(weir::biased,
                                   weir::on_send(send_to_, std::move(own), [](auto sent) { return sent ? -1 : 0; }),
                                   weir::on_recv(receive_from_, [](auto got) { return got ? -1 : 1; }),
                                   weir::on_disconnected(watched_, [] { return 2; }));
            check(own.value() != 0, "what was not sent is untouched");
            check(chosen_ >= 0, "nothing was exchanged");
            ++seen.noted[chosen_];
            return;
        }
        end(index == 2 ? choose(2) + 1 : Threads == 3 ? 0 : choose(3));
    }

    ~ending() { check(is_ended_[chosen_], "the arm that was chosen was ready"); }

private:
    void end(unsigned which) {
        is_ended_[which] = true;
        if (which == 0) {
            choose(2) == 0 ? closed_.close() : closed_.reset();
        } else if (which == 1) {
            dropped_.reset();
        } else {
            gone_.close();
        }
    }

    weir::sync_sender<message> send_to_;
    weir::receiver<message> closed_;
    weir::sync_sender<message> dropped_;
    weir::receiver<message> receive_from_;
    weir::sender<message> watched_;
    weir::receiver<message> gone_;
    bool is_ended_[3] = {};
    int chosen_ = 0;
};

// A sender waits behind a select that waits to send, and another gives up just then. A receiver that finds the list's lock
// held leaves it to that one to tell the select of room, or of itself; where the select then receives, the sender is told in
// its place.
template <std::size_t Capacity>
class passing_on : public select_model<3> {
    using flavor_type = std::conditional_t<Capacity == 0, rendezvous<message>, ring<message>>;

public:
    static constexpr const char* name = Capacity == 0 ? "select.passed_on.rendezvous.3" : "select.passed_on.ring.3";
    static constexpr const char* protocol = "a wake that is passed on";
    static constexpr const char* notes = "received,sent,gave up";
    static constexpr const char* needs = "parked,woken";

    passing_on() {
        auto [room_tx, room_rx] = weir::sync_channel<message>(Capacity);
        auto [tx, rx] = weir::channel<message>();
        if (Capacity != 0) {
            check(room_tx.try_send(numbered(0, 1)).has_value(), "there is room for one");
        }
        room_tx_ = std::move(room_tx);
        room_rx_ = std::move(room_rx);
        tx_ = std::move(tx);
        rx_ = std::move(rx);
    }

    void thread(unsigned index) {
        if (index == 0) {
            weir::select(weir::biased, weir::on_recv(rx_, [](auto) { ++seen.noted[0]; }),
                         weir::on_send(room_tx_, numbered(0, 2), [](auto) { ++seen.noted[1]; }));
        } else if (index == 1) {
            send();
        } else {
            while (!receive()) {
            }
        }
    }

private:
    // True: that was the message of the sender that waits. On a rendezvous the first receive has looked before anybody waited,
    // and was then held up: with another look before it arms it would find those who wait, and owe them nothing.
    bool receive() {
        if constexpr (Capacity == 0) {
            auto& flavor = static_cast<flavor_type&>(*handle_access::channel_received_by(room_rx_));
            message* got = nullptr;
            const auto poll = [&]() noexcept {
                return (flavor.is_met() || std::exchange(has_looked_, true)) && (got = flavor.acquire()) != nullptr;
            };
            (void)flavor.wait(deadline::never(), no_stop(), poll);
            const bool is_last = got->value() / 10 == 1;
            flavor.release(got);
            return is_last;
        } else {
            return room_rx_.recv()->value() / 10 == 1;
        }
    }

    // As a blocking send; but once it is enrolled the other sender comes and goes, and something else for the select.
    void send() {
        auto& flavor = static_cast<flavor_type&>(*handle_access::channel_of(room_tx_));
        auto made = []() noexcept { return numbered(1, 1); };
        message_source<message, false, decltype(made)> source(made);
        for (bool first = false, is_sent = false; !is_sent;) {
            thread_waiter self(source, first ? service::grant : service::tell);
            const enrolment entered = flavor.enrol_sender(self, first);
            if (!std::exchange(first, true)) {
                give_up(flavor);
                check(tx_.send(numbered(2, 2)).has_value(), "the send succeeds");
            }
            is_sent = finish(flavor, self, source, entered);
        }
    }

    // As an arm of a select that takes another one.
    void give_up(flavor_type& flavor) {
        auto made = []() noexcept { return numbered(2, 1); };
        message_source<message, false, decltype(made)> source(made);
        thread_waiter self(source, service::grant);
        if (flavor.enrol_sender(self, false) != enrolment::waits || self.take()) {
            flavor.withdraw_sender(self);
            ++seen.noted[2];
        } else if (await(flavor, self, source) == answer::retry) {
            flavor.pass_on();
        }
    }

    // What every sender does that was enrolled. True: it has sent.
    template <class Source>
    static bool finish(flavor_type& flavor, thread_waiter<Source>& self, Source& source, enrolment entered) {
        if (entered == enrolment::waits) {
            return await(flavor, self, source) != answer::retry || flavor.try_send(source) == send_result::sent;
        }
        flavor.withdraw_sender(self);
        return entered == enrolment::met || flavor.try_send(source) == send_result::sent;
    }

    template <class Source>
    static answer await(flavor_type& flavor, thread_waiter<Source>& self, Source& source) {
        spin_policy spin(1);
        const answer outcome = self.await(deadline::never(), no_stop(), spin, 0);
        if (outcome == answer::granted) {
            flavor.send_granted(self.ticket(), source);
        }
        return outcome;
    }

    weir::receiver<message> room_rx_;
    weir::sync_sender<message> room_tx_;
    weir::receiver<message> rx_;
    weir::sender<message> tx_;
    bool has_looked_ = false; // its receiver
};

// Senders that send once each and stay, on a list and a ring, and a select that receives from both.
template <unsigned Threads>
class receive : public select_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "select.receive.2" : "select.receive.3";
    static constexpr const char* protocol = "select claim";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    receive() {
        auto [list_tx, list_rx] = weir::channel<message>();
        auto [ring_tx, ring_rx] = weir::sync_channel<message>(1);
        list_tx_ = std::move(list_tx);
        list_rx_ = std::move(list_rx);
        ring_tx_ = std::move(ring_tx);
        ring_rx_ = std::move(ring_rx);
    }

    void thread(unsigned index) {
        if (index == 0) {
            for (int i = 0; i < 2; ++i) {
                weir::select(weir::biased, weir::on_recv(list_rx_, [this](auto got) { take(0, got->value()); }),
                             weir::on_recv(ring_rx_, [this](auto got) { take(1, got->value()); }));
            }
            return;
        }
        if (index == Threads - 1) {
            check(list_tx_.send(numbered(1, 1)).has_value(), "the send succeeds");
        }
        if (index == 1) {
            check(ring_tx_.send(numbered(2, 1)).has_value(), "the send succeeds");
        }
    }

private:
    void take(int which, int value) {
        check(value == (which + 1) * 10 + 1, "the message is whole");
        check(!std::exchange(has_[which], true), "a message is received once");
    }

    weir::sender<message> list_tx_;
    weir::receiver<message> list_rx_;
    weir::sync_sender<message> ring_tx_;
    weir::receiver<message> ring_rx_;
    bool has_[2] = {};
};

// A selector over two ends. With two threads it says twice which one is ready; with three it goes after the first time,
// perhaps while the other one is being told.
template <unsigned Threads>
class selecting : public select_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "select.selector.2" : "select.selector.3";
    static constexpr const char* protocol = "selector";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    selecting() {
        for (unsigned i = 0; i < 2; ++i) {
            auto [tx, rx] = weir::channel<message>();
            tx_[i] = std::move(tx);
            rx_[i] = std::move(rx);
        }
    }

    void thread(unsigned index) {
        if (index != 0) {
            send(index - 1);
            if (Threads == 2) {
                send(1);
            }
            return;
        }
        weir::selector any;
        (void)any.add(rx_[0]);
        (void)any.add(rx_[1]);
        for (int i = 0; i < (Threads == 2 ? 2 : 1); ++i) {
            const std::size_t ready = any.ready();
            check(rx_[ready].try_recv().has_value(), "an end that is ready has a message");
        }
    }

private:
    void send(unsigned i) { check(tx_[i].send(numbered(i, 1)).has_value(), "the send succeeds"); }

    weir::receiver<message> rx_[2];
    weir::sender<message> tx_[2];
};

// One end twice in a selector: where the other entry is taken out, the first is told all the same.
class selecting_twice : public select_model<2> {
public:
    static constexpr const char* name = "select.selector.twice.2";
    static constexpr const char* protocol = "selector";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    selecting_twice() {
        auto [tx, rx] = weir::channel<message>();
        tx_ = std::move(tx);
        rx_ = std::move(rx);
    }

    void thread(unsigned index) {
        if (index != 0) {
            check(tx_.send(numbered(index, 1)).has_value(), "the send succeeds");
            return;
        }
        weir::selector any;
        (void)any.add(rx_);
        (void)any.add(rx_);
        any.remove(any.ready());
        (void)any.ready();
        check(rx_.try_recv().has_value(), "an end that is ready has a message");
    }

private:
    weir::receiver<message> rx_;
    weir::sender<message> tx_;
};

// A selector that waits for senders of a rendezvous, which wait for a receiver.
template <unsigned Threads>
class selecting_meeting : public select_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "select.selector.rendezvous.2" : "select.selector.rendezvous.3";
    static constexpr const char* protocol = "selector";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    selecting_meeting() {
        auto [tx, rx] = weir::sync_channel<message>(0);
        tx_ = std::move(tx);
        rx_ = std::move(rx);
    }

    void thread(unsigned index) {
        if (index != 0) {
            check(tx_.send(numbered(index, 1)).has_value(), "the send succeeds");
            return;
        }
        weir::selector any;
        (void)any.add(rx_);
        for (unsigned received = 0; received < Threads - 1;) {
            (void)any.ready();
            received += rx_.try_recv().has_value() ? 1 : 0;
        }
    }

private:
    weir::receiver<message> rx_;
    weir::sync_sender<message> tx_;
};

// A selector that waits for room, or for a receiver that waits.
template <std::size_t Capacity>
class watching : public select_model<2> {
public:
    static constexpr const char* name = Capacity == 0 ? "select.watch.rendezvous.2" : "select.watch.ring.2";
    static constexpr const char* protocol = "selector";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    watching() {
        auto [tx, rx] = weir::sync_channel<message>(Capacity);
        if (Capacity != 0) {
            check(tx.try_send(numbered(1, 0)).has_value(), "there is room for one");
        }
        tx_ = std::move(tx);
        rx_ = std::move(rx);
    }

    void thread(unsigned index) {
        if (index != 0) {
            int last = Capacity == 0 ? 0 : -1;
            while (last != 1) {
                const auto got = rx_.recv();
                check(got.has_value() && got->value() == 10 + ++last, "messages come in order");
            }
            return;
        }
        weir::selector any;
        (void)any.add(tx_);
        while (!tx_.try_send(numbered(1, 1)).has_value()) {
            (void)any.ready();
        }
    }

private:
    weir::receiver<message> rx_;
    weir::sync_sender<message> tx_;
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    crossed<2>, crossed<3>, crossed_in_time, served_in_time, ending<2>, ending<3>, passing_on<0>, passing_on<1>,       \
        receive<2>, receive<3>, selecting<2>, selecting<3>, selecting_twice, selecting_meeting<2>,                     \
        selecting_meeting<3>, watching<0>, watching<1>
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
