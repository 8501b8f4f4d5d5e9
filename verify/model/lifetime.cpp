// SPDX-License-Identifier: BSL-1.0
//
// Models of how a channel is counted, and ends.

#include "checker/small_list.hpp"
#include "checker/traffic.hpp"

namespace {

using namespace model;

enum class kind { list, ring, rendezvous };

template <kind Kind>
auto open() {
    if constexpr (Kind == kind::list) {
        return weir::channel<message>();
    } else {
        return weir::sync_channel<message>(Kind == kind::ring ? 1 : 0);
    }
}

template <kind Kind>
using ends_of = decltype(open<Kind>());

template <unsigned Threads, kind Kind>
class lifetime_model : public channel_model<Threads, ends_of<Kind>> {
public:
    static constexpr unsigned bound = Threads == 2 ? 3 : 2;
    static constexpr unsigned quick_bound = bound - 1;

protected:
    lifetime_model() : lifetime_model::channel_model(open<Kind>()) {}
};

// All leave at once: the state is freed, once, by whoever is last.
template <unsigned Threads, kind Kind>
class last_out : public lifetime_model<Threads, Kind> {
public:
    static constexpr const char* name =
        Kind == kind::list   ? (Threads == 2 ? "lifetime.last_out.list.2" : "lifetime.last_out.list.3")
        : Kind == kind::ring ? (Threads == 2 ? "lifetime.last_out.ring.2" : "lifetime.last_out.ring.3")
                             : (Threads == 2 ? "lifetime.last_out.rendezvous.2" : "lifetime.last_out.rendezvous.3");
    static constexpr const char* protocol = "sender count and last out";
    static constexpr const char* notes = Kind == kind::rendezvous ? "" : "sent";

    void thread(unsigned index) {
        if (index == 0) {
            this->rx_.reset();
            return;
        }
        if constexpr (Kind != kind::rendezvous) {
            if (index == 1) { // so that there is something to be destroyed
                seen.noted[0] += this->tx_[index].send(numbered(index, 1)).has_value() ? 1 : 0;
            }
        }
        this->tx_[index].reset();
    }
};

// A receiver that waits while the last sender goes is told, and sees what all senders did (crossbeam#838).
template <unsigned Threads, kind Kind>
class disconnected : public lifetime_model<Threads, Kind> {
public:
    static constexpr const char* name =
        Kind == kind::list ? (Threads == 2 ? "lifetime.disconnected.list.2" : "lifetime.disconnected.list.3")
        : Kind == kind::ring
            ? (Threads == 2 ? "lifetime.disconnected.ring.2" : "lifetime.disconnected.ring.3")
            : (Threads == 2 ? "lifetime.disconnected.rendezvous.2" : "lifetime.disconnected.rendezvous.3");
    static constexpr const char* protocol = "sender count and last out";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index == 0) {
            check(!this->rx_.recv().has_value(), "nothing was sent");
            for (unsigned i = 1; i < Threads; ++i) {
                check(done_[i] == 1, "what happened before a sender went is seen");
            }
            this->rx_.reset();
            return;
        }
        done_[index] = 1;
        this->tx_[index].reset();
    }

private:
    weir::detail::plain<int> done_[Threads];
};

// A weak handle makes a sender only while there is one; disconnected stays so.
template <unsigned Threads>
class weak_lock : public lifetime_model<Threads, kind::list> {
public:
    static constexpr const char* name = Threads == 2 ? "lifetime.weak.2" : "lifetime.weak.3";
    static constexpr const char* protocol = "sender count and last out";
    static constexpr const char* notes = "locked,received,too late";

    weak_lock() : weak_(this->tx_[1].downgrade()) {}

    void thread(unsigned index) {
        if (index == 0) {
            auto made = weak_.lock();
            weak_.reset();
            const bool sent = made && made.send(numbered(1, 1)).has_value();
            seen.noted[0] += sent ? 1 : 0;
            made.reset();
            if constexpr (Threads == 2) {
                receive(sent);
            }
        } else if (index == 1) {
            this->tx_[1].reset();
            if constexpr (Threads == 3) {
                this->tx_[2].reset();
            }
        } else {
            receive(false);
        }
    }

private:
    void receive(bool sent) {
        const auto got = this->rx_.recv();
        check(!sent || got.has_value(), "what was sent is received before it is disconnected");
        seen.noted[got.has_value() ? 1 : 2] += 1;
        if (got.has_value()) {
            check(!this->rx_.recv().has_value(), "then it is disconnected, for ever");
        }
        check(!this->rx_.try_recv().has_value(), "for ever");
        this->rx_.reset();
    }

    weir::weak_sender<message> weak_;
};

// Senders that wait for nothing but the end of the receiver, which closes the channel or goes: all are told.
template <unsigned Threads, kind Kind>
class watched : public lifetime_model<Threads, Kind> {
public:
    static constexpr const char* name =
        Kind == kind::list   ? (Threads == 2 ? "lifetime.watched.list.2" : "lifetime.watched.list.3")
        : Kind == kind::ring ? (Threads == 2 ? "lifetime.watched.ring.2" : "lifetime.watched.ring.3")
                             : (Threads == 2 ? "lifetime.watched.rendezvous.2" : "lifetime.watched.rendezvous.3");
    static constexpr const char* protocol = "close that is watched for";
    static constexpr const char* notes = "closed,gone";
    static constexpr const char* needs = "parked,woken";

    void thread(unsigned index) {
        if (index != 0) {
            weir::select(weir::on_disconnected(this->tx_[index], [] {}));
            check(this->tx_[index].is_disconnected(), "who is told of a close sees it");
            return;
        }
        const unsigned how = choose(2);
        ++seen.noted[how];
        how == 0 ? this->rx_.close() : this->rx_.reset();
    }
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    last_out<2, kind::list>, last_out<3, kind::list>, last_out<2, kind::ring>, last_out<3, kind::ring>,                \
        last_out<2, kind::rendezvous>, last_out<3, kind::rendezvous>, disconnected<2, kind::list>,                     \
        disconnected<3, kind::list>, disconnected<2, kind::ring>, disconnected<3, kind::ring>,                         \
        disconnected<2, kind::rendezvous>, disconnected<3, kind::rendezvous>, weak_lock<2>, weak_lock<3>,              \
        watched<2, kind::list>, watched<3, kind::list>, watched<2, kind::ring>, watched<3, kind::ring>,                \
        watched<2, kind::rendezvous>, watched<3, kind::rendezvous>
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
