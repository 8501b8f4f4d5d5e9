// SPDX-License-Identifier: BSL-1.0
//
// Models of the channel without room.

#include "checker/traffic.hpp"

namespace {

using namespace model;

template <unsigned Threads>
class rendezvous_model : public channel_model<Threads, decltype(weir::sync_channel<message>(0))> {
protected:
    rendezvous_model() : rendezvous_model::channel_model(weir::sync_channel<message>(0)) {}
};

// Each send meets a receive: neither waits while the other does.
template <unsigned Threads>
class meet : public rendezvous_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "rendezvous.meet.2" : "rendezvous.meet.3";
    static constexpr const char* protocol = "rendezvous";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= each; ++i) {
                check(this->tx_[index].send(numbered(index, i)).has_value(), "the send succeeds");
                ++this->sent_[index];
            }
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        this->receive_all(order);
        this->end(order);
    }

private:
    static constexpr int each = Threads == 2 ? 2 : 1;
};

// Both sides wait for some time only. A third thread sends too, and waits for ever: until it is served, or the receiver goes
// after its first receive.
template <unsigned Threads>
class meet_in_time : public rendezvous_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "rendezvous.time_out.2" : "rendezvous.time_out.3";
    static constexpr const char* protocol = "rendezvous against time-out";
    static constexpr const char* notes = "send timed out,receive timed out,received";
    static constexpr const char* needs = "parked,woken,timed out";

    void thread(unsigned index) {
        if (index != 0) {
            message value = numbered(index, 1);
            const bool in_time = index == 1;
            const bool is_sent = in_time ? this->tx_[1].send_timeout(std::move(value), some_time()).has_value()
                                         : this->tx_[index].send(std::move(value)).has_value();
            check(is_sent == (value.value() == 0), "what failed is untouched");
            this->sent_[index] = is_sent ? 1 : 0;
            seen.noted[0] += in_time && !is_sent ? 1 : 0;
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        for (int left = 2; left != 0; --left) {
            const auto got = this->rx_.recv_timeout(some_time());
            if (!got.has_value()) {
                seen.noted[1] += got.error() == weir::recv_timeout_error::timeout ? 1 : 0;
                break;
            }
            order.received(*got);
            ++seen.noted[2];
        }
        this->end(order);
    }
};

// Waiting senders, and a receiver that goes: all of them end.
template <unsigned Threads>
class close_rendezvous : public rendezvous_model<Threads> {
public:
    static constexpr const char* name = Threads == 2 ? "rendezvous.close.2" : "rendezvous.close.3";
    static constexpr const char* protocol = "rendezvous against close";
    static constexpr const char* notes = "refused,received";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= 2; ++i) {
                if (!this->tx_[index].send(numbered(index, i)).has_value()) {
                    check(before_ == 1, "what came before the receiver went is seen");
                    ++seen.noted[0];
                    break;
                }
                ++this->sent_[index];
            }
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        if (const auto got = this->rx_.try_recv(); got.has_value()) {
            order.received(*got);
            ++seen.noted[1];
        }
        if (const auto got = this->rx_.recv(); got.has_value()) {
            order.received(*got);
            ++seen.noted[1];
        }
        before_ = 1;
        this->end(order);
    }

private:
    weir::detail::plain<int> before_;
};

// A sender whose claim comes late: the receive that it saw waiting was served by another, and the next one waits.
class late_claim : public rendezvous_model<3> {
public:
    static constexpr unsigned quick_bound = bound;
    static constexpr const char* name = "rendezvous.late_claim.3";
    static constexpr const char* protocol = "rendezvous";
    static constexpr const char* notes = "came first,came second,refused";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            sent_[index] =
                (index == 1 ? tx_[1].try_send(numbered(1, 1)).has_value() : tx_[2].send(numbered(2, 1)).has_value())
                    ? 1
                    : 0;
            tx_[index].reset();
            return;
        }
        order_check<3> order;
        int before = 0;
        for (auto got = rx_.recv(); got.has_value(); got = rx_.recv()) {
            order.received(*got);
            seen.noted[before++] += got->value() / 10 == 1 ? 1 : 0;
        }
        end(order);
        seen.noted[2] += order.last(1) == 0 ? 1 : 0;
    }
};

// A receiver that waits for some time only, and goes: who saw it wait, and is told that it has gone, sees what came before.
class close_in_time : public rendezvous_model<2> {
public:
    static constexpr const char* name = "rendezvous.close_in_time.2";
    static constexpr const char* protocol = "rendezvous against close";
    static constexpr const char* notes = "sent,full,refused";
    static constexpr const char* needs = "parked,timed out";

    void thread(unsigned index) {
        if (index == 1) {
            const auto sent = tx_[1].try_send(numbered(1, 1));
            sent_[1] = sent.has_value() ? 1 : 0;
            const bool is_refused = !sent && sent.error() == weir::try_send_error::disconnected;
            check(!is_refused || before_ == 1, "what came before the receiver went is seen");
            ++seen.noted[sent ? 0 : is_refused ? 2 : 1];
            tx_[1].reset();
            return;
        }
        order_check<2> order;
        if (const auto got = rx_.recv_timeout(some_time()); got.has_value()) {
            order.received(*got);
        }
        before_ = 1;
        end(order);
    }

private:
    weir::detail::plain<int> before_;
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    meet<2>, meet<3>, late_claim, meet_in_time<2>, meet_in_time<3>, close_rendezvous<2>, close_rendezvous<3>,          \
        close_in_time
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
