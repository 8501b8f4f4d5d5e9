// SPDX-License-Identifier: BSL-1.0
//
// Models of waits without a thread, whose owner goes while they are answered.

#include "checker/small_list.hpp"
#include "checker/traffic.hpp"

#include <weir/detail/flavor/rendezvous.hpp>
#include <weir/detail/wait/async_wait.hpp>

namespace {

using namespace model;
using namespace weir::detail;

// Room that is counted, and waits for it in a list.
class counted_side {
public:
    // Tells the first waiter, if any, to look again.
    void add() noexcept { tell(1); }
    void pass_on() noexcept { tell(0); }
    bool take() noexcept {
        lock_.lock();
        const bool is_there = count_ > 0;
        if (is_there) {
            count_ = count_ - 1;
        }
        unlock();
        return is_there;
    }
    enrolment enrol(waiter& node, bool keeps_turn) noexcept {
        lock_.lock();
        keeps_turn ? list_.push_front(node) : list_.push_back(node);
        const bool is_ready = count_ > 0 && node.take();
        unlock();
        return is_ready ? enrolment::ready : enrolment::waits;
    }
    void withdraw(waiter& node) noexcept {
        lock_.lock();
        list_.remove(node);
        unlock();
    }
    int count() noexcept { return count_; }
    bool is_waited() noexcept { return !list_.is_empty(); }

private:
    void unlock() noexcept { lock_.unlock(); }

    void tell(int more) noexcept {
        lock_.lock();
        count_ = count_ + more;
        waiter* const told = count_ > 0 ? list_.pop_claimed() : nullptr;
        unlock();
        if (told != nullptr) {
            told->finish(answer::retry);
        }
    }

    debt_lock lock_;
    wait_list list_;
    plain<int> count_;
};

// Takes one from the side, and then says so.
class taking final : public async_wait {
public:
    explicit taking(counted_side& from, atomic<bool>& handed) noexcept : from_(from), handed_(handed) {}

    bool begin() noexcept { return async_wait::begin(); }
    // True: it took one, and nobody was told.
    bool leave() noexcept {
        if (cancel() == answer::retry) {
            from_.pass_on();
        }
        return has_taken_ && !was_handed_on();
    }

    void make_at(void*) noexcept override {}

private:
    enrolment enrol(bool keeps_turn) noexcept override { return from_.enrol(*this, keeps_turn); }
    void withdraw() noexcept override { from_.withdraw(*this); }
    bool settle(answer) noexcept override {
        has_taken_ = from_.take();
        return has_taken_;
    }
    void hand_on() noexcept override {
        atomic<bool>& handed = handed_;
        if (hand_over()) {
            handed.store(true, memory_order_release);
        }
    }

    counted_side& from_;
    atomic<bool>& handed_;
    plain<bool> has_taken_ = false;
};

// A receive.
template <class Flavor>
class receiving final : public async_wait {
public:
    receiving(Flavor& from, atomic<bool>& handed) noexcept : from_(from), handed_(handed) {}

    bool begin() noexcept { return async_wait::begin(); }
    void leave() noexcept {
        (void)cancel();
        if constexpr (is_rendezvous) {
            (void)from_.keep();
        }
    }

    void make_at(void*) noexcept override {}

private:
    static constexpr bool is_rendezvous = requires(Flavor& flavor) { flavor.keep(); };

    enrolment enrol(bool) noexcept override { return from_.enrol_receiver(*this); }
    void withdraw() noexcept override { from_.withdraw_receiver(*this); }
    bool settle(answer) noexcept override {
        if constexpr (is_rendezvous) {
            return from_.is_met() || !from_.has_senders() || from_.is_closed();
        } else {
            return weir::detail::can_take(from_);
        }
    }
    void hand_on() noexcept override {
        atomic<bool>& handed = handed_;
        if (hand_over()) {
            handed.store(true, memory_order_release);
        }
    }

    Flavor& from_;
    atomic<bool>& handed_;
};

// Waits, then goes. In the meantime one is added; with three threads somebody else takes one, too, so that what the wait is told of
// may have gone.
template <unsigned Threads>
class cancel : public for_all<completions::locks> {
public:
    static constexpr unsigned threads = Threads;
    static constexpr unsigned bound = Threads == 2 ? 3 : 2;
    static constexpr unsigned quick_bound = bound - 1;
    static constexpr unsigned long random = 100'000;
    static constexpr const char* name = Threads == 2 ? "async.cancel.2" : "async.cancel.3";
    static constexpr const char* protocol = "wait without a thread, cancel against deliver";
    static constexpr const char* notes = Threads == 2 ? "handed on,gone before,need not wait" : "handed on,gone before";
    static constexpr const char* needs = "";

    void thread(unsigned index) {
        if (index == 1) {
            side_.add();
        } else if (index == 2) {
            others_ = side_.take() ? 1 : 0;
        } else {
            if (!waits_ && !wait_->begin()) {
                taken_ = 1;
                ++seen.noted[2];
            } else {
                taken_ = wait_->leave() ? 1 : 0;
                ++seen.noted[1];
            }
            wait_.reset();
        }
        completions::run();
    }

    ~cancel() {
        const bool is_handed = handed_.load(memory_order_acquire);
        seen.noted[0] += is_handed ? 1 : 0;
        check(taken_ + (is_handed ? 1 : 0) + others_ + side_.count() == 1, "what was added is taken once, or left");
        check(!side_.is_waited(), "nobody waits any more");
    }

private:
    counted_side side_;
    atomic<bool> handed_{false};
    std::optional<taking> wait_{std::in_place, side_, handed_};
    const bool waits_ = Threads == 3 && wait_->begin(); // from the start, so that the search gets further
    int taken_ = 0;
    int others_ = 0;
};

// Two waits, one of which goes: what it does not use is the other's.
class pass_on : public for_all<completions::locks> {
public:
    static constexpr unsigned threads = 2;
    static constexpr unsigned bound = 3;
    static constexpr unsigned quick_bound = 2;
    static constexpr unsigned long random = 100'000;
    static constexpr const char* name = "async.pass_on.2";
    static constexpr const char* protocol = "wait without a thread, cancel against deliver";
    static constexpr const char* notes = "the first took it,the second took it";
    static constexpr const char* needs = "";

    pass_on() {
        first_.emplace(side_, first_handed_);
        second_.emplace(side_, second_handed_);
        check(first_->begin() && second_->begin(), "both wait");
    }

    void thread(unsigned index) {
        if (index == 1) {
            side_.add();
        } else if (first_->leave()) {
            side_.add();
        }
        completions::run();
    }

    ~pass_on() {
        const bool first = first_handed_.load(memory_order_acquire);
        const bool second = second_handed_.load(memory_order_acquire);
        check(first != second, "one of them was handed on");
        seen.noted[0] += first ? 1 : 0;
        seen.noted[1] += second ? 1 : 0;
        if (!second) {
            second_->leave();
        }
    }

private:
    counted_side side_;
    atomic<bool> first_handed_{false};
    atomic<bool> second_handed_{false};
    std::optional<taking> first_;
    std::optional<taking> second_;
};

// A receive on a rendezvous that goes: its message is left for the next.
class keep : public for_all<completions::locks> {
public:
    static constexpr unsigned threads = 2;
    static constexpr unsigned bound = 3;
    static constexpr unsigned quick_bound = 2;
    static constexpr unsigned long random = 100'000;
    static constexpr const char* name = "async.keep.2";
    static constexpr const char* protocol = "rendezvous, cancel against deliver";
    static constexpr const char* notes = "refused,kept";
    static constexpr const char* needs = "";

    keep() {
        auto [tx, rx] = weir::sync_channel<message>(0);
        tx_ = std::move(tx);
        rx_ = std::move(rx);
        wait_.emplace(static_cast<rendezvous<message>&>(*handle_access::channel_received_by(rx_)), handed_);
        check(wait_->begin(), "nobody sends");
    }

    void thread(unsigned index) {
        if (index == 1) {
            is_sent_ = tx_.try_send(numbered(1, 1)).has_value();
            tx_.reset();
        } else {
            wait_->leave();
            wait_.reset();
            const auto got = rx_.try_recv();
            is_received_ = got.has_value();
        }
        completions::run();
    }

    ~keep() {
        if (!is_received_) {
            is_received_ = rx_.try_recv().has_value();
        }
        seen.noted[is_sent_ ? 1 : 0] += 1;
        check(is_sent_ == is_received_, "what was sent is received");
    }

private:
    atomic<bool> handed_{false};
    weir::sync_sender<message> tx_;
    weir::receiver<message> rx_;
    std::optional<receiving<rendezvous<message>>> wait_;
    bool is_sent_ = false;
    bool is_received_ = false;
};

// A receive enrols while another thread closes the channel: it sees that, or is told.
template <class Flavor>
class closed_meanwhile : public for_all<completions::locks> {
    static constexpr bool is_list = std::is_same_v<Flavor, list<message>>;

    static auto make() {
        if constexpr (is_list) {
            return weir::channel<message>();
        } else {
            return weir::sync_channel<message>(0);
        }
    }

public:
    static constexpr unsigned threads = 2;
    static constexpr unsigned bound = 3;
    static constexpr unsigned quick_bound = 2;
    static constexpr unsigned long random = 100'000;
    static constexpr const char* name = is_list ? "async.close.list.2" : "async.close.rendezvous.2";
    static constexpr const char* protocol = "wait without a thread against close";
    static constexpr const char* notes = "need not wait,handed on";
    static constexpr const char* needs = "";

    void thread(unsigned index) {
        if (index == 0) {
            is_over_ = !wait_.begin();
        } else {
            channel_.rx.close();
        }
        completions::run();
    }

    ~closed_meanwhile() {
        const bool is_handed = handed_.load(memory_order_acquire);
        seen.noted[0] += is_over_ ? 1 : 0;
        seen.noted[1] += is_handed ? 1 : 0;
        check(is_over_ != is_handed, "it is over");
    }

private:
    decltype(make()) channel_ = make();
    atomic<bool> handed_{false};
    receiving<Flavor> wait_{static_cast<Flavor&>(*handle_access::channel_received_by(channel_.rx)), handed_};
    bool is_over_ = false;
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    cancel<2>, cancel<3>, pass_on, keep, closed_meanwhile<list<message>>, closed_meanwhile<rendezvous<message>>
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
