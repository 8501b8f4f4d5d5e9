// SPDX-License-Identifier: BSL-1.0
//
// Bare programs: the steps of a message that the rows of the same name cannot do without, and nothing of a channel besides. Nobody
// sleeps, nothing is full, closed or freed, and there is one sender. A row next to its program is next to what its steps allow here.
#ifndef BENCH_LIMITS_BARE_HPP
#define BENCH_LIMITS_BARE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "../scenarios/loops.hpp"
#include "../scenarios/message.hpp"
#include "../scenarios/result.hpp"
#include "two_threads.hpp"

namespace limits {

using bench::number;
using bench::request;
using bench::result;
using slot_state = std::uint8_t;

// The first look comes two pauses behind one in vain, the others a pause apart: the best of what was tried.
template <class Look>
void await(Look look) {
    if (!look()) {
        for (pause(), pause(); !look(); pause()) {
        }
    }
}

inline void expect(bool holds, const char* what) {
    if (!holds) {
        throw std::logic_error(what);
    }
}

// Whether anybody is to be told, which is looked at behind each message. Nobody ever is.
inline void look_at(const lone_word& flags) {
    expect(flags.value.load(std::memory_order_relaxed) == 0, "nobody is to be told");
}

// The loops of the rows, with a channel for both of its ends.
struct plain_loops : bench::loops<plain_loops> {
    static void send(auto& to, number n) { to.send(n); }
    static number receive(auto& from) { return from.receive(); }
};

// A sender claims an index by an addition, finds the block by a pointer and what it needs in it, stores the value and then the state, on
// lines of their own, and looks whether anybody is to be told. The receiver looks at the state, and asks for the value meanwhile.
class bare_list {
public:
    void send(number value) {
        const number index = tail_.value.fetch_add(1);
        const block& in = *hint_.value.load();
        in.values[index % slots] = value;
        in.states[index % slots].store(written(index), std::memory_order_release);
        look_at(flags_);
    }

    number receive() {
        const number index = head_.value.load(std::memory_order_relaxed);
        await([&] {
            __builtin_prefetch(block_.values + index % slots);
            return block_.states[index % slots].load(std::memory_order_acquire) == written(index);
        });
        head_.value.store(index + 1, std::memory_order_relaxed);
        return block_.values[index % slots];
    }

private:
    static constexpr std::size_t slots = 4096;
    static slot_state written(number index) { return index / slots % 2 == 0 ? 1 : 2; }

    struct alignas(apart) block {
        number* values;
        std::atomic<slot_state>* states;
    };
    struct alignas(apart) lone_pointer {
        std::atomic<const block*> value;
    };

    std::unique_ptr<number[]> values_ = std::make_unique<number[]>(slots);
    std::unique_ptr<std::atomic<slot_state>[]> states_ = std::make_unique<std::atomic<slot_state>[]>(slots);
    block block_{values_.get(), states_.get()};
    lone_pointer hint_{&block_};
    lone_word tail_;
    lone_word flags_;
    lone_word head_;
};

inline result bare_unbounded_hot(const request& asked) {
    bare_list channel;
    bench::stopwatch watch;
    watch.start();
    const number sum = plain_loops::send_and_receive(channel, channel, asked.messages);
    const bench::spent time = watch.stop();
    bench::check(sum, asked.messages);
    return bench::per_message(time, asked.messages);
}

inline result bare_unbounded_rtt(const request& asked) {
    bare_list there;
    bare_list back;
    number sum = 0;
    const bench::spent time = together([&] { sum = plain_loops::send_and_receive(there, back, asked.messages); },
                                       [&] { plain_loops::echo(there, back, asked.messages); });
    bench::check(sum, asked.messages);
    return bench::per_message(time, asked.messages);
}

template <class Channel>
result one_way(const request& asked) {
    Channel channel;
    number sum = 0;
    const bench::spent time = together([&] { sum = plain_loops::receive_numbers(channel, asked.messages); },
                                       [&] { plain_loops::send_numbers(channel, 0, asked.messages); });
    bench::check(sum, asked.messages);
    return bench::per_message(time, asked.messages);
}

// The slot, its state and what has been received share a line. A sender waits until the last message has been received, and
// claims on a line of the senders' own; the receiver looks by an addition whether a sender sleeps.
class bare_bounded1 {
public:
    void send(number value) {
        number ticket = tail_.value.load(std::memory_order_relaxed);
        await([&] { return slot_.received.load(std::memory_order_acquire) == ticket; });
        expect(tail_.value.compare_exchange_strong(ticket, ticket + 1), "there is one sender");
        slot_.value = value;
        slot_.state.store(written(ticket), std::memory_order_release);
        look_at(flags_);
    }

    number receive() {
        const number ticket = head_;
        await([&] { return slot_.state.load(std::memory_order_acquire) == written(ticket); });
        const number value = slot_.value;
        head_ = ticket + 1;
        slot_.received.store(ticket + 1, std::memory_order_release);
        expect(sleepers_.value.fetch_add(0) == 0, "nobody sleeps");
        return value;
    }

private:
    static slot_state written(number ticket) { return ticket % 2 == 0 ? 1 : 2; }

    struct alignas(apart) slot {
        std::atomic<slot_state> state{0};
        number value = 0;
        std::atomic<number> received{0};
    };

    slot slot_;
    lone_word tail_;
    lone_word flags_;
    lone_word sleepers_;
    alignas(apart) number head_ = 0;
};

// One line: the receiver says that it waits; the sender sees that, claims, and says that its message is there; the receiver
// takes it and the word back.
class bare_bounded0 {
public:
    void send(number value) {
        number word = armed;
        await([&] { return word_.value.load(std::memory_order_acquire) == armed; });
        expect(word_.value.compare_exchange_strong(word, claimed), "there is one sender");
        word_.message = value;
        word_.value.store(written, std::memory_order_release);
        look_at(flags_);
    }

    number receive() {
        word_.value.exchange(armed);
        await([&] { return word_.value.load(std::memory_order_acquire) == written; });
        word_.value.store(idle, std::memory_order_relaxed);
        return word_.message;
    }

private:
    enum phase : number { idle, armed, claimed, written };

    struct alignas(apart) landing {
        std::atomic<number> value{idle};
        number message = 0;
    };

    landing word_;
    lone_word flags_;
};

} // namespace limits

#endif
