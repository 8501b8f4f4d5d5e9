// SPDX-License-Identifier: BSL-1.0
//
// Models of the unbounded channel.

#include "checker/small_list.hpp"
#include "checker/traffic.hpp"

namespace {

using namespace model;

template <unsigned Threads, class Message>
class list_model : public channel_model<Threads, decltype(weir::channel<Message>())> {
protected:
    list_model() : list_model::channel_model(weir::channel<Message>()) {}

    // Before the threads begin: two messages of the first sender.
    void send_two() {
        for (int i = 1; i <= 2; ++i) {
            check(this->tx_[1].send(numbered<Message>(1, i)).has_value(), "the send succeeds");
        }
    }
};

// Blocks are linked, walked, and given back or used again, while senders claim and the receiver follows.
template <unsigned Threads, class Message, int Each>
class all_received : public list_model<Threads, Message> {
public:
    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= Each; ++i) {
                check(this->tx_[index].send(numbered<Message>(index, i)).has_value(), "the send succeeds");
            }
            return; // and stays: no disconnection is to wake a receiver that a message did not
        }
        this->receive((Threads - 1) * Each);
        check(!this->rx_.try_recv().has_value(), "then there is no more");
    }
};

template <unsigned Threads>
class hand_over : public all_received<Threads, message, Threads == 2 ? 3 : 2> {
public:
    static constexpr const char* name = Threads == 2 ? "list.hand_over.2" : "list.hand_over.3";
    static constexpr const char* protocol = "block hand-over";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";
};

template <unsigned Threads>
class recycle : public all_received<Threads, message_of_one, 4 / (Threads - 1)> {
public:
    static constexpr const char* name = Threads == 2 ? "list.recycle.2" : "list.recycle.3";
    static constexpr const char* protocol = "recycling of blocks";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";
};

// Senders that claim the careful way walk the blocks before they have claimed anything.
template <unsigned Threads>
class careful : public all_received<Threads, message_of_none, Threads == 2 ? 4 : 2> {
public:
    static constexpr const char* name = Threads == 2 ? "list.careful.2" : "list.careful.3";
    static constexpr const char* protocol = "recycling of blocks";
    static constexpr const char* notes = "";
    static constexpr const char* needs = "parked,woken";
};

// The first block is there only once a sender makes it, and the receiver may have gone by then (crossbeam#971, #972,
// #1084, #1187: leaked, then freed twice).
template <unsigned Threads>
class first_block : public list_model<Threads, message_of_none> {
public:
    static constexpr const char* name = Threads == 2 ? "list.first_block.2" : "list.first_block.3";
    static constexpr const char* protocol = "first block";
    static constexpr const char* notes = "received,refused";

    void thread(unsigned index) {
        if (index == 0) {
            seen.noted[0] += this->rx_.try_recv().has_value() ? 1 : 0;
            this->rx_.reset();
        } else {
            seen.noted[1] += this->tx_[index].send(numbered<message_of_none>(index, 1)).has_value() ? 0 : 1;
            this->tx_[index].reset();
        }
    }
};

// The closed bit against claims at a block's end (crossbeam 9d42394: lost there). What was sent before is received; what
// fails has no effect; what is left is destroyed by whoever is last, at once (crossbeam#1102).
template <unsigned Threads>
class close_list : public list_model<Threads, message> {
public:
    static constexpr const char* name = Threads == 2 ? "list.close.2" : "list.close.3";
    static constexpr const char* protocol = "closed bit";
    static constexpr const char* notes = "received,refused";

    void thread(unsigned index) {
        if (index != 0) {
            bool open = true;
            for (int i = 1; i <= each; ++i) {
                const bool done = this->tx_[index].send(numbered(index, i)).has_value();
                check(open || !done, "once refused, always refused");
                open = done;
                this->sent_[index] += done ? 1 : 0;
            }
            check(open || before_ == 1, "what came before the close is seen");
            seen.noted[1] += open ? 0 : 1;
            this->tx_[index].reset();
            return;
        }
        order_check<Threads> order;
        before_ = 1;
        this->rx_.close();
        this->receive_all(order);
        seen.noted[0] += order.count();
        this->end(order);
    }

private:
    static constexpr int each = 4 / (static_cast<int>(Threads) - 1);

    weir::detail::plain<int> before_;
};

// The receiver goes in the middle of sends: each message is destroyed by the receiver, or by a late sender.
template <unsigned Threads>
class leave_list : public list_model<Threads, message> {
public:
    static constexpr const char* name = Threads == 2 ? "list.leave.2" : "list.leave.3";
    static constexpr const char* protocol = "closed bit, late messages";
    static constexpr const char* notes = "received,refused";

    void thread(unsigned index) {
        if (index == 0) {
            seen.noted[0] += this->rx_.try_recv().has_value() ? 1 : 0;
            this->rx_.reset();
            gone_.set(true);
            return;
        }
        for (int i = 1; i <= 2; ++i) {
            seen.noted[1] += this->tx_[index].send(numbered(index, i)).has_value() ? 0 : 1;
        }
        finished_.fetch_add(1, std::memory_order_acq_rel);
        // The sender stays: its message must have gone all the same, once the receiver has and all sends have returned.
        if (gone_.get() && finished_.load(std::memory_order_acquire) == Threads - 1) {
            check(now_running.alive == 0, "nothing lies in a channel without a receiver");
        }
        this->tx_[index].reset();
    }

private:
    told<bool> gone_;
    weir::detail::atomic<unsigned> finished_{0};
};

// Memory is out for the first block that is asked for, or the second: the send throws or goes on with what others linked, and
// sends succeed again when memory is back.
template <unsigned Threads>
class out_of_memory : public list_model<Threads, message_of_five> {
public:
    static constexpr const char* name = Threads == 2 ? "list.out_of_memory.2" : "list.out_of_memory.3";
    static constexpr const char* protocol = "block hand-over, memory out";
    static constexpr const char* notes = "thrown";

    out_of_memory() { allocations_that_may_fail = 2; }

    void thread(unsigned index) {
        if (index != 0) {
            for (int i = 1; i <= static_cast<int>(each); ++i) {
                while (!send(index, i)) {
                    ++seen.noted[0];
                }
            }
            return;
        }
        this->receive((Threads - 1) * each);
    }

private:
    static constexpr unsigned each = Threads == 2 ? 4 : 2;

    bool send(unsigned index, int number) {
        try {
            return this->tx_[index].send(numbered<message_of_five>(index, number)).has_value();
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
};

// Who asks for the length walks the blocks that the receiver leaves behind meanwhile, and gives back when it has passed them.
// With two threads it is the sender, else one that does nothing else. Two messages have come and gone before: the
// head stands at the end of a block that is not the first, which is never given back.
template <unsigned Threads>
class measured : public list_model<Threads, message_of_one> {
public:
    static constexpr const char* name = Threads == 2 ? "list.len.2" : "list.len.3";
    static constexpr const char* protocol = "recycling of blocks";
    static constexpr const char* notes = "something there,nothing there";

    measured() {
        for (int i = 1; i <= 2; ++i) {
            check(this->tx_[1].send(numbered<message_of_one>(1, i)).has_value(), "the send succeeds");
            check(this->rx_.try_recv().has_value(), "what was sent is there");
        }
    }

    void thread(unsigned index) {
        if (index == 0) {
            this->receive(each);
            this->rx_.reset();
            return;
        }
        for (int i = 1; index == 1 && i <= each; ++i) {
            check(this->tx_[1].send(numbered<message_of_one>(1, i)).has_value(), "the send succeeds");
        }
        if (index == Threads - 1) {
            const std::size_t length = this->tx_[index].len();
            check(length <= each, "no more is there than was sent");
            ++seen.noted[length != 0 ? 0 : 1];
        }
    }

private:
    static constexpr int each = 2;
};

// Who asks for the length, and does nothing else, stands in the block that the receiver leaves and gives back.
class left_block : public list_model<2, message_of_one> {
public:
    static constexpr const char* name = "list.left_block.2";
    static constexpr const char* protocol = "recycling of blocks";
    static constexpr const char* notes = "something there,nothing there";

    left_block() {
        send_two();
        check(rx_.try_recv().has_value(), "there are two");
    }

    void thread(unsigned index) {
        if (index == 0) {
            check(rx_.try_recv().has_value() && !rx_.try_recv().has_value(), "there is one");
            rx_.reset();
        } else {
            const std::size_t length = tx_[1].len();
            check(length <= 1, "no more is there than was sent");
            ++seen.noted[length != 0 ? 0 : 1];
        }
    }
};

// Two senders find the last block full. The one is done, and what it sent received, before the other looks for the last block,
// which then is another.
class late_link : public list_model<3, message_of_none> {
public:
    static constexpr unsigned quick_bound = bound;
    static constexpr const char* name = "list.late_link.3";
    static constexpr const char* protocol = "recycling of blocks";
    static constexpr const char* notes = "received,refused";

    late_link() {
        send_two();
        check(rx_.try_recv().has_value() && rx_.try_recv().has_value(), "there are two");
    }

    void thread(unsigned index) {
        if (index == 0) {
            while (rx_.try_recv().has_value()) {
                ++seen.noted[0];
            }
            rx_.reset();
        } else {
            seen.noted[1] += tx_[index].send(numbered<message_of_none>(index, 3)).has_value() ? 0 : 1;
        }
    }
};

// The receiver takes what is there behind a stalled sender.
template <unsigned Threads>
class look_ahead : public list_model<Threads, message_of_four> {
public:
    static constexpr const char* name = Threads == 2 ? "list.look_ahead.2" : "list.look_ahead.3";
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
    passing<Threads, message_of_four, 2, 2, 4> passing_;
    decltype(weir::channel<message_of_four>().tx) own_;
};

} // namespace

#if !defined(WEIR_MODELS)
#define WEIR_MODELS                                                                                                    \
    hand_over<2>, hand_over<3>, recycle<2>, recycle<3>, careful<2>, careful<3>, first_block<2>, first_block<3>,        \
        close_list<2>, close_list<3>, leave_list<2>, leave_list<3>, measured<2>, measured<3>, left_block, late_link,   \
        out_of_memory<2>, out_of_memory<3>, look_ahead<2>, look_ahead<3>
#endif

int main(int count, char** arguments) { return model::run<WEIR_MODELS>(count, arguments); }
