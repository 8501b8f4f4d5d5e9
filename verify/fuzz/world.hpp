// SPDX-License-Identifier: BSL-1.0
//
// A few channels of one kind of message, their handles in numbered places, and the model beside them. Bytes say which
// operation comes next and on what; each result is held against the model, and after each operation so is everything
// that can be seen from outside.
//
// No operation is begun that would wait for ever: where the model says that a send or a receive would have to wait, one
// that gives up takes its place, or a second thread does the other half (`together`; the outcome is the same in whatever
// order the two run).
#pragma once

#include "messages.hpp"
#include "model.hpp"
#include "partner.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

namespace fuzz {

using weir::channel_errc;
inline constexpr channel_errc ok{};

template <class Result>
channel_errc outcome(const Result& result) {
    return result ? ok : static_cast<channel_errc>(result.error());
}

class byte_reader {
public:
    explicit byte_reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    bool is_done() const { return bytes_.empty(); }
    // 0 where there is none.
    unsigned next() {
        if (bytes_.empty()) {
            return 0;
        }
        const unsigned byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }
    bool flip() { return (next() & 1) != 0; }

private:
    std::span<const std::uint8_t> bytes_;
};

template <class M>
class world {
    using properties = kind<M>;

public:
    explicit world(byte_reader& bytes) : bytes_(bytes) {}
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    void run() {
        constexpr int most_operations = 400;
        make_channel();
        for (int i = 0; i < most_operations && !bytes_.is_done(); ++i) {
            step();
            armed_ = armed_next_;
            armed_next_ = 0;
            compare();
        }
        end();
    }

private:
    using iterator = typename weir::receiver<M>::iterator;
    using try_iterator = typename weir::receiver<M>::try_range::iterator;

    struct tx_place {
        weir::sender<M> list;
        weir::sync_sender<M> sync;
        bool is_list = true; // stays when the handle is empty
        channel_model* of = nullptr;
    };
    struct rx_place {
        weir::receiver<M> rx;
        channel_model* of = nullptr;
    };
    struct weak_place {
        weir::weak_sender<M> list;
        weir::weak_sync_sender<M> sync;
        channel_model* of = nullptr;
    };
    struct iterator_place {
        iterator waits;
        try_iterator tries;
        bool is_waiting = false;
        bool is_holding = false; // the message it stands on was not moved out
        channel_model* of = nullptr;
        std::optional<message_model> on;
    };

    // ---- Choosing ----

    void step() {
        const unsigned what = bytes_.next() % 64;
        if (what < 18) {
            send(any_tx());
        } else if (what < 33) {
            receive(any_rx());
        } else if (what < 36) {
            as("make_channel", [this] { make_channel(); });
        } else if (what < 39) {
            as("copy or move of a sender", [this] { assign_tx(any_tx()); });
        } else if (what < 41) {
            as("reset of a sender", [this] { reset(any_tx()); });
        } else if (what < 43) {
            as("move or swap of a receiver", [this] { assign_rx(any_rx()); });
        } else if (what < 44) {
            as("reset of a receiver", [this] { reset(any_rx()); });
        } else if (what < 45) {
            as("close", [this] { close(any_rx()); });
        } else if (what < 48) {
            as("weak handles", [this] { use_weak(any(weaks_)); });
        } else if (what < 54) {
            as("iteration", [this] { iterate(any(iterators_)); });
        } else if (what < 56) {
            as("burst", [this] { burst(); });
        } else if (what < 61) {
            as("together", [this] { together(); });
        } else {
            armed_next_ = 1 + bytes_.next() % 3;
        }
    }

    template <class Places>
    auto& any(Places& places) {
        return places[bytes_.next() % places.size()];
    }
    tx_place& any_tx() { return any(txs_); }
    rx_place& any_rx() { return any(rxs_); }

    template <class Operation>
    void as(const char* name, Operation operation) {
        doing = name;
        operation();
    }

    // Calls the library, with memory out where that was asked for.
    template <class Call>
    decltype(auto) in_library(Call call) {
        const allocation_limit limit(armed_);
        return call();
    }
    // The same where it may throw std::bad_alloc for that. False: it did.
    template <class Call>
    bool with_memory(Call call) {
        try {
            in_library(call);
            return true;
        } catch (const std::bad_alloc&) {
            check(armed_ != 0, "bad_alloc, though there was memory");
            return false;
        }
    }

    // ---- Channels and handles ----

    void make_channel() {
        constexpr std::size_t most_channels = 12;
        constexpr std::size_t capacities[] = {0, 1, 2, 3, 5, 8, 17};
        const auto flavor = static_cast<unsigned>(bytes_.next() % (std::size(capacities) + 2));
        tx_place& tx = any_tx();
        rx_place& rx = any_rx();
        if (channels_.size() == most_channels) {
            return;
        }
        auto fresh = std::make_unique<channel_model>();
        weir::endpoints<weir::sender<M>, weir::receiver<M>> list;
        weir::endpoints<weir::sync_sender<M>, weir::receiver<M>> sync;
        const bool is_list = flavor >= std::size(capacities);
        const bool made = with_memory([&] {
            if (is_list) {
                list = weir::channel<M>();
            } else {
                sync = weir::sync_channel<M>(capacities[flavor]);
            }
        });
        if (!made) {
            return;
        }
        if (!is_list) {
            fresh->capacity = capacities[flavor];
        }
        reset(tx);
        reset(rx);
        tx.is_list = is_list;
        tx.list = std::move(list.tx);
        tx.sync = std::move(sync.tx);
        rx.rx = is_list ? std::move(list.rx) : std::move(sync.rx);
        tx.of = rx.of = fresh.get();
        channels_.push_back(std::move(fresh));
    }

    void reset(tx_place& tx) {
        in_library([&] {
            tx.list.reset();
            tx.sync.reset();
        });
        model_.drop({std::exchange(tx.of, nullptr), false});
    }

    void reset(rx_place& rx) {
        in_library([&] { rx.rx.reset(); });
        model_.drop({std::exchange(rx.of, nullptr), true});
    }

    void close(rx_place& rx) {
        in_library([&] { rx.rx.close(); });
        if (rx.of != nullptr) {
            rx.of->is_closed = true;
        }
    }

    void assign_tx(tx_place& from) {
        tx_place& to = any_tx();
        switch (bytes_.next() % 5) {
        case 0:
        case 1: // copy assignment, to itself too
            if (from.of != nullptr) {
                ++from.of->senders;
            }
            model_.drop({std::exchange(to.of, from.of), false});
            in_library([&] {
                to.list = from.list;
                to.sync = from.sync;
            });
            to.is_list = from.is_list;
            break;
        case 2: // move construction
            in_library([&] {
                tx_place moved(std::move(from));
                check(!from.list && !from.sync, "a moved sender is not empty");
                from = std::move(moved);
            });
            break;
        case 3: // move assignment
            in_library([&] {
                to.list = std::move(from.list);
                to.sync = std::move(from.sync);
            });
            if (&from != &to) {
                model_.drop({std::exchange(to.of, std::exchange(from.of, nullptr)), false});
                to.is_list = from.is_list;
            }
            break;
        case 4:
            in_library([&] {
                swap(from.list, to.list);
                from.sync.swap(to.sync);
            });
            std::swap(from.is_list, to.is_list);
            std::swap(from.of, to.of);
            break;
        }
    }

    void assign_rx(rx_place& from) {
        rx_place& to = any_rx();
        if (bytes_.flip()) {
            in_library([&] { swap(from.rx, to.rx); });
            std::swap(from.of, to.of);
            return;
        }
        in_library([&] { to.rx = std::move(from.rx); });
        if (&from != &to) {
            model_.drop({std::exchange(to.of, std::exchange(from.of, nullptr)), true});
        }
    }

    void use_weak(weak_place& weak) {
        tx_place& tx = any_tx();
        switch (bytes_.next() % 4) {
        case 0:
            in_library([&] {
                weak.list = tx.list.downgrade();
                weak.sync = tx.sync.downgrade();
            });
            weak.of = tx.of;
            break;
        case 1: {
            tx_place locked;
            in_library([&] {
                locked.list = weak.list.lock();
                locked.sync = weak.sync.lock();
            });
            const bool is_there = weak.of != nullptr && weak.of->senders != 0;
            check((locked.list || locked.sync) == is_there, "lock() of a weak sender");
            if (is_there) {
                ++weak.of->senders;
                locked.of = weak.of;
                locked.is_list = !weak.of->capacity;
                reset(tx);
                tx = std::move(locked);
            }
            break;
        }
        case 2: {
            weak_place& other = any(weaks_);
            if (bytes_.flip()) {
                in_library([&] { other = weak; });
                break;
            }
            in_library([&] {
                swap(other.list, weak.list);
                other.sync.swap(weak.sync);
            });
            std::swap(other.of, weak.of);
            break;
        }
        case 3:
            in_library([&] {
                weak.list.reset();
                weak.sync.reset();
            });
            weak.of = nullptr;
            break;
        }
    }

    // ---- Sending ----

    enum class way : std::uint8_t { send, emplace, try_send, try_emplace, no_time, past, past_of_system, stopped };
    static constexpr unsigned ways = 8;

    // How it ends if nothing throws.
    static channel_errc expected_of_send(const channel_model* of, way how) {
        if (of == nullptr || !of->is_open()) {
            return channel_errc::disconnected;
        }
        if (!of->is_full()) {
            return ok;
        }
        switch (how) {
        case way::no_time:
        case way::past:
        case way::past_of_system:
            return channel_errc::timeout;
        case way::stopped:
            return channel_errc::stopped;
        default:
            return channel_errc::full;
        }
    }

    template <class Value>
    channel_errc send_by(tx_place& tx, way how, Value&& value) {
        using namespace std::chrono;
        if (tx.is_list) {
            return how == way::emplace || how == way::try_emplace ? outcome(tx.list.emplace(std::forward<Value>(value)))
                                                                  : outcome(tx.list.send(std::forward<Value>(value)));
        }
        switch (how) {
        case way::send:
            return outcome(tx.sync.send(std::forward<Value>(value)));
        case way::emplace:
            return outcome(tx.sync.emplace(std::forward<Value>(value)));
        case way::try_send:
            return outcome(tx.sync.try_send(std::forward<Value>(value)));
        case way::try_emplace:
            return outcome(tx.sync.try_emplace(std::forward<Value>(value)));
        case way::no_time:
            return outcome(tx.sync.send_timeout(std::forward<Value>(value), seconds(0)));
        case way::past:
            return outcome(tx.sync.send_deadline(std::forward<Value>(value), steady_clock::time_point()));
        case way::past_of_system:
            return outcome(tx.sync.send_deadline(std::forward<Value>(value), system_clock::time_point()));
        case way::stopped:
            break;
        }
        return outcome(tx.sync.send(std::forward<Value>(value), stopped_.get_token()));
    }

    void send(tx_place& tx) {
        doing = "send";
        way how = static_cast<way>(bytes_.next() % ways);
        const unsigned from = bytes_.next() % 8;
        if ((how == way::send || how == way::emplace) && tx.of != nullptr && tx.of->is_open() && tx.of->is_full()) {
            how = how == way::send ? way::try_send : way::try_emplace; // it would wait
        }
        switch (from) {
        case 0:
            send_smooth(tx, how);
            break;
        case 1:
            send_faulty(tx, how, false);
            break;
        case 2:
            send_faulty(tx, how, true);
            break;
        case 3:
            if constexpr (properties::is_copyable) {
                send_copy(tx, how);
                break;
            }
            [[fallthrough]];
        default:
            send_message(tx, how);
        }
    }

    // Sends `value` and tells whether it went in; `throws`: whether making the message does.
    template <class Value>
    bool send_and_compare(tx_place& tx, way how, Value&& value, bool throws) {
        const channel_errc expected = expected_of_send(tx.of, how);
        try {
            const channel_errc result = in_library([&] { return send_by(tx, how, std::forward<Value>(value)); });
            check(result == expected, "how a send ends");
            check(result != ok || !throws, "a send succeeded whose message could not be made");
            return result == ok;
        } catch (const fault&) {
            check(expected == ok && throws, "a fault for nothing");
        } catch (const std::bad_alloc&) {
            check(armed_ != 0 && expected == ok && tx.is_list, "bad_alloc for nothing");
        }
        return false;
    }

    void send_message(tx_place& tx, way how) {
        const std::uint32_t number = ++last_number_;
        M message = properties::make(number);
        message_model sent{number, {}};
        if constexpr (properties::has_ends) {
            load(message, sent, tx.of);
        }
        const bool went_in = send_and_compare(tx, how, std::move(message), false);
        check(!properties::is_counted || properties::holds(message) != went_in, "whether a send took its argument");
        after_send(tx, std::move(sent), went_in, true);
    }

    void send_smooth(tx_place& tx, way how) {
        const std::uint32_t number = ++last_number_;
        bool used = false;
        const bool went_in = send_and_compare(tx, how, smooth<M>{number, &used}, false);
        check(used == went_in, "whether a send used its argument");
        after_send(tx, {number, {}}, went_in, false);
    }

    void send_faulty(tx_place& tx, way how, bool throws) {
        const std::uint32_t number = ++last_number_;
        const channel_errc expected = expected_of_send(tx.of, how);
        bool used = false;
        const bool went_in = send_and_compare(tx, how, faulty<M>{number, throws, &used}, throws);
        check(used == (expected == ok) || armed_ != 0, "whether a send converted its argument");
        check(!used || throws || went_in, "a send converted its argument and failed");
        after_send(tx, {number, {}}, went_in, false);
    }

    void send_copy(tx_place& tx, way how)
        requires properties::is_copyable
    {
        const std::uint32_t number = ++last_number_;
        constexpr bool may_throw = std::is_same_v<M, copyable>;
        const bool throws = may_throw && bytes_.flip();
        const M message = [&] {
            if constexpr (may_throw) {
                return M(number, throws);
            } else {
                return properties::make(number);
            }
        }();
        const bool went_in = send_and_compare(tx, how, message, throws);
        after_send(tx, {number, {}}, went_in, false);
        if constexpr (properties::is_counted) {
            model_.destroy({number, {}}); // the original
        }
    }

    // `was_made`: a message was there before the send, and is destroyed if it did not go in.
    void after_send(tx_place& tx, message_model sent, bool went_in, bool was_made) {
        if (went_in) {
            model_.put(*tx.of, std::move(sent));
        } else if (was_made) {
            model_.destroy(sent);
        }
    }

    // Puts ends of channels into a message that is to go to `target`.
    void load(M& message, message_model& sent, channel_model* target)
        requires properties::has_ends
    {
        const auto wanted = static_cast<unsigned>(bytes_.next() % (M::most_ends + 1));
        for (unsigned i = 0; i < wanted; ++i) {
            auto& end = message.ends[i];
            if (bytes_.flip()) {
                rx_place& rx = any_rx();
                if (rx.of != nullptr && (target == nullptr || !model::may_hold(*target, *rx.of))) {
                    sent.ends.push_back({});
                    continue; // nobody could ever take it out again
                }
                end.rx = std::move(rx.rx);
                sent.ends.push_back({std::exchange(rx.of, nullptr), true});
            } else {
                tx_place& tx = any_tx();
                if (tx.of == target || bytes_.flip()) { // a copy: the handle that sends stays
                    end.list = tx.list;
                    end.sync = tx.sync;
                    if (tx.of != nullptr) {
                        ++tx.of->senders;
                    }
                    sent.ends.push_back({tx.of, false});
                } else {
                    end.list = std::move(tx.list);
                    end.sync = std::move(tx.sync);
                    sent.ends.push_back({std::exchange(tx.of, nullptr), false});
                }
            }
        }
    }

    // ---- Receiving ----

    static channel_errc expected_of_receive(const channel_model* of, channel_errc nothing) {
        if (of == nullptr) {
            return channel_errc::disconnected;
        }
        return !of->queue.empty() ? ok : of->has_ended() ? channel_errc::disconnected : nothing;
    }

    void receive(rx_place& rx) {
        using namespace std::chrono;
        doing = "receive";
        unsigned how = bytes_.next() % 10;
        if ((how == 0 || how == 9) && expected_of_receive(rx.of, channel_errc::empty) == channel_errc::empty) {
            how = 1; // it would wait
        }
        switch (how) {
        case 0:
            received(rx, in_library([&] { return rx.rx.recv(); }), channel_errc::empty);
            break;
        default:
            received(rx, in_library([&] { return rx.rx.try_recv(); }), channel_errc::empty);
            break;
        case 3:
            received(rx, in_library([&] { return rx.rx.recv_timeout(hours(-1)); }), channel_errc::timeout);
            break;
        case 4: {
            const duration<double> none(std::numeric_limits<double>::quiet_NaN());
            received(rx, in_library([&] { return rx.rx.recv_timeout(none); }), channel_errc::timeout);
            break;
        }
        case 5:
            received(rx, in_library([&] { return rx.rx.recv_deadline(steady_clock::time_point()); }),
                     channel_errc::timeout);
            break;
        case 6:
            received(rx, in_library([&] { return rx.rx.recv_deadline(system_clock::time_point()); }),
                     channel_errc::timeout);
            break;
        case 7:
            received(rx, in_library([&] { return rx.rx.recv(stopped_.get_token()); }), channel_errc::stopped);
            break;
        case 8:
            receive_what_is_there(rx, bytes_.next() % 8);
            break;
        case 9:
            receive_many(rx, bytes_.next() % 8, bytes_.next() % 16);
            break;
        }
    }

    template <class Result>
    void received(rx_place& rx, Result result, channel_errc nothing) {
        check(outcome(result) == expected_of_receive(rx.of, nothing), "how a receive ends");
        if (result) {
            take_over(*result, model_.take(*rx.of));
        }
    }

    // A message that was received: compares it, and puts the ends that are in it where there is a place for them. It is
    // destroyed when the caller has done with it.
    void take_over(M& message, message_model taken) {
        check(properties::number_of(message) == taken.number, "which message came");
        check(properties::holds(message), "a message came that had been moved from");
        if constexpr (properties::has_ends) {
            for (std::size_t i = 0; i < taken.ends.size(); ++i) {
                unload(message.ends[i], taken.ends[i]);
            }
        }
        if constexpr (properties::is_counted) {
            model_.destroy(taken);
        }
    }

    template <class End>
    void unload(End& end, end_model& what) {
        if (what.of == nullptr) {
            return;
        }
        if (what.is_receiver) {
            for (rx_place& rx : rxs_) {
                if (rx.of == nullptr) {
                    rx.rx = std::move(end.rx);
                    rx.of = std::exchange(what.of, nullptr);
                    return;
                }
            }
        } else {
            for (tx_place& tx : txs_) {
                if (tx.of == nullptr) {
                    tx.list = std::move(end.list);
                    tx.sync = std::move(end.sync);
                    tx.is_list = !what.of->capacity;
                    tx.of = std::exchange(what.of, nullptr);
                    return;
                }
            }
        }
    }

    void receive_what_is_there(rx_place& rx, unsigned most) {
        unsigned count = 0;
        for (auto&& message : rx.rx.try_iter()) {
            check(rx.of != nullptr && !rx.of->queue.empty(), "a loop found what is not there");
            M own(std::move(message));
            take_over(own, model_.take(*rx.of));
            if (++count > most) {
                return;
            }
        }
        check(rx.of == nullptr || rx.of->queue.empty(), "a loop missed what is there");
    }

    // Takes over what is written to it; throws instead at the message number `throws_at`.
    struct sink {
        using difference_type = std::ptrdiff_t;
        world* to;
        channel_model* from;
        unsigned* left;

        sink& operator*() { return *this; }
        sink& operator++() { return *this; }
        sink& operator++(int) { return *this; }
        sink& operator=(M&& message) {
            const allocation_limit none(0);
            check(from != nullptr && !from->queue.empty(), "recv_many found what is not there");
            if (*left == 0) {
                message_model lost = to->model_.take(*from);
                if (properties::is_counted) {
                    to->model_.destroy(lost);
                }
                throw fault();
            }
            --*left;
            M own(std::move(message));
            to->take_over(own, to->model_.take(*from));
            return *this;
        }
    };

    void receive_many(rx_place& rx, unsigned most, unsigned throws_at) {
        channel_model* const of = rx.of;
        const std::size_t there = of != nullptr ? of->queue.size() : 0;
        const std::size_t expected = std::min<std::size_t>(there, most);
        unsigned left = throws_at;
        try {
            const auto result = in_library([&] { return rx.rx.recv_many(sink{this, of, &left}, most); });
            check(result.has_value() == (most == 0 || there != 0), "how recv_many ends");
            check(!result || *result == expected, "how many recv_many takes");
            check(throws_at >= expected, "recv_many went on after a throw");
        } catch (const fault&) {
            check(throws_at < expected, "a fault for nothing");
        }
    }

    // ---- Iteration ----

    void iterate(iterator_place& at) {
        switch (bytes_.next() % 6) {
        case 0:
        case 1: {
            leave(at);
            rx_place& rx = any_rx();
            at.is_waiting = bytes_.flip();
            in_library([&] {
                if (at.is_waiting) {
                    at.waits = rx.rx.begin();
                } else {
                    at.tries = rx.rx.try_iter().begin();
                }
            });
            at.of = rx.of;
            break;
        }
        case 2:
        case 3: {
            const bool stands = at.on.has_value();
            const bool is_over = at.of == nullptr || !at.of->has_receiver;
            if (!stands && !is_over && at.is_waiting && at.of->queue.empty() && !at.of->has_ended()) {
                return; // it would wait
            }
            const bool expected = stands || (!is_over && !at.of->queue.empty());
            bool found = false;
            if (!with_memory([&] {
                    found = at.is_waiting ? at.waits != std::default_sentinel : at.tries != std::default_sentinel;
                })) {
                check(!stands && !is_over, "bad_alloc for nothing");
                return;
            }
            check(found == expected, "whether a loop goes on");
            if (found && !stands) {
                at.on = model_.take(*at.of);
                at.is_holding = true;
            }
            if (found) {
                M&& message = at.is_waiting ? *at.waits : *at.tries;
                check(properties::number_of(message) == at.on->number, "which message an iterator stands on");
            }
            break;
        }
        case 4:
            if (at.on && at.is_holding) {
                M own(at.is_waiting ? *at.waits : *at.tries);
                take_over(own, *at.on);
                at.is_holding = !properties::is_counted;
                at.on->ends.clear();
            }
            break;
        case 5:
            if (at.on) {
                in_library([&] { at.is_waiting ? (void)++at.waits : (void)++at.tries; });
                stepped_off(at);
            } else {
                leave(at);
            }
            break;
        }
    }

    void stepped_off(iterator_place& at) {
        if (at.on && at.is_holding && properties::is_counted) {
            model_.destroy(*at.on);
        }
        at.on.reset();
        at.is_holding = false;
    }

    void leave(iterator_place& at) {
        in_library([&] {
            at.waits = {};
            at.tries = {};
        });
        stepped_off(at);
        at.of = nullptr;
    }

    // ---- Many at once ----

    void burst() {
        tx_place& tx = any_tx();
        // As many as cross the end of a block of small messages, where each costs next to nothing.
        constexpr unsigned each = std::is_same_v<M, std::uint32_t> ? 16 : 1;
        const unsigned most = std::is_same_v<M, vast> ? 4 : 32;
        const unsigned count = bytes_.next() % most * each;
        for (unsigned i = 0; i < count && tx.of != nullptr && !tx.of->is_full(); ++i) {
            send_smooth(tx, way::try_send);
        }
        rx_place& rx = any_rx();
        for (unsigned i = bytes_.next() % most * each; i > 0 && rx.of != nullptr && !rx.of->queue.empty(); --i) {
            received(rx, in_library([&] { return rx.rx.recv(); }), channel_errc::empty);
        }
    }

    // ---- With a second thread ----

    rx_place* receiver_of(const tx_place& tx) {
        for (rx_place& rx : rxs_) {
            if (tx.of != nullptr && rx.of == tx.of) {
                return &rx;
            }
        }
        return nullptr;
    }

    void together() {
        const unsigned what = bytes_.next() % 5;
        tx_place& tx = any_tx();
        rx_place* const rx = receiver_of(tx);
        if (rx == nullptr) {
            return;
        }
        switch (what) {
        case 0:
        case 1:
            exchange(tx, *rx, 1 + bytes_.next() % 6, what == 1);
            break;
        case 2:
            if (!tx.of->capacity || tx.of->is_full()) { // a blocking send waits until the end of the other side
                end_beside_a_send(tx, *rx, bytes_.flip());
            }
            break;
        case 3:
            if (tx.of->senders == 1) {
                end_beside_a_receive(tx, *rx);
            }
            break;
        case 4:
            give_up_beside_each_other(tx, *rx);
            break;
        }
    }

    // So many sends on the one thread, and as many receives on the other: what comes is what was there, then those.
    void exchange(tx_place& tx, rx_place& rx, unsigned count, bool by_many) {
        if (!tx.of->is_open()) {
            return;
        }
        const std::uint32_t first = last_number_ + 1;
        last_number_ += count;
        for (unsigned i = 0; i < count; ++i) {
            model_.put(*tx.of, {first + i, {}});
        }
        is_order_open_ = true;
        partner::run(
            [&] {
                for (unsigned i = 0; i < count; ++i) {
                    bool used = false;
                    check(send_by(tx, way::send, smooth<M>{first + i, &used}) == ok, "a send while somebody receives");
                }
            },
            [&] {
                for (std::size_t got = 0; got < count;) {
                    std::vector<M> taken;
                    if (by_many) {
                        check(rx.rx.recv_many(std::back_inserter(taken), count - got).has_value(), "recv_many");
                    } else {
                        taken.push_back(rx.rx.recv().value());
                    }
                    for (M& message : taken) {
                        take_over(message, model_.take(*rx.of));
                    }
                    got += taken.size();
                }
            });
    }

    // The receiver closes or goes while a send is under way.
    void end_beside_a_send(tx_place& tx, rx_place& rx, bool goes) {
        const std::uint32_t number = ++last_number_;
        bool used = false;
        channel_errc result = ok;
        const bool was_open = tx.of->is_open();
        const bool could_succeed = was_open && !tx.of->is_full();
        partner::run([&] { result = send_by(tx, way::send, smooth<M>{number, &used}); },
                     [&] {
                         if (goes) {
                             rx.rx.reset();
                         } else {
                             rx.rx.close();
                         }
                     });
        check(result == channel_errc::disconnected || (result == ok && could_succeed), "a send against an end");
        check(used == (result == ok), "whether a send used its argument");
        if (result == ok) {
            model_.put(*tx.of, {number, {}});
        }
        rx.of->is_closed = true;
        if (goes) {
            is_order_open_ = true; // a send that overlapped may destroy its own
            model_.drop({std::exchange(rx.of, nullptr), true});
        }
    }

    // The last sender goes while a receive is under way.
    void end_beside_a_receive(tx_place& tx, rx_place& rx) {
        std::optional<std::expected<M, weir::recv_error>> result;
        partner::run([&] { result.emplace(rx.rx.recv()); },
                     [&] {
                         tx.list.reset();
                         tx.sync.reset();
                     });
        model_.drop({std::exchange(tx.of, nullptr), false});
        received(rx, std::move(*result), channel_errc::empty);
    }

    // Both sides wait for a moment only: they agree on whether they met.
    void give_up_beside_each_other(tx_place& tx, rx_place& rx) {
        if (tx.is_list || !tx.of->is_open() || *tx.of->capacity != 0) {
            return;
        }
        using namespace std::chrono;
        const std::uint32_t number = ++last_number_;
        bool used = false;
        channel_errc result = ok;
        const auto patience = microseconds(bytes_.next());
        std::optional<std::expected<M, weir::recv_timeout_error>> got;
        partner::run([&] { result = outcome(tx.sync.send_timeout(smooth<M>{number, &used}, patience)); },
                     [&] { got.emplace(rx.rx.recv_timeout(patience)); });
        check(result == ok || result == channel_errc::timeout, "how a timed send ends");
        check(used == (result == ok), "whether a send used its argument");
        check((result == ok) == got->has_value(), "a timed send and a timed receive disagree");
        if (got->has_value()) {
            model_.put(*tx.of, {number, {}});
        }
        received(rx, std::move(*got), channel_errc::timeout);
    }

    // ---- Comparing ----

    void compare() {
        doing = "the look after an operation";
        for (tx_place& tx : txs_) {
            if (tx.is_list) {
                compare_end(tx.list, tx.of);
            } else {
                compare_end(tx.sync, tx.of);
            }
            const channel_model* const of = tx.of;
            check(observe(tx, [](auto& handle) { return handle.is_disconnected(); }) ==
                      (of == nullptr || !of->is_open()),
                  "is_disconnected of a sender");
            for (tx_place& other : txs_) {
                const bool same = of != nullptr && of == other.of;
                check((tx.list.same_channel(other.list) || tx.sync.same_channel(other.sync)) == same, "same_channel");
            }
            for (rx_place& rx : rxs_) {
                const bool same = of != nullptr && of == rx.of;
                check((rx.rx.same_channel(tx.list) || rx.rx.same_channel(tx.sync)) == same, "same_channel");
            }
        }
        for (rx_place& rx : rxs_) {
            compare_end(rx.rx, rx.of);
            check(rx.rx.is_disconnected() == (rx.of == nullptr || rx.of->has_ended()), "is_disconnected of a receiver");
        }
        compare_destroyed();
    }

    template <class Look>
    bool observe(tx_place& tx, Look look) {
        return tx.is_list ? look(tx.list) : look(tx.sync);
    }

    template <class End>
    static void compare_end(const End& end, const channel_model* of) {
        check(static_cast<bool>(end) == (of != nullptr), "whether a handle is empty");
        check(end.len() == (of != nullptr ? of->queue.size() : 0), "len");
        check(end.is_empty() == (of == nullptr || of->queue.empty()), "is_empty");
        check(end.capacity() == (of != nullptr ? of->capacity : std::nullopt), "capacity");
        check(end.sender_count() == (of != nullptr ? of->senders : 0), "sender_count");
    }

    void compare_destroyed() {
        if constexpr (properties::is_counted) {
            std::vector<std::uint32_t> expected = model_.take_destroyed();
            std::vector<std::uint32_t> destroyed = all_messages.take_destroyed();
            if (model_.take_deep() || std::exchange(is_order_open_, false)) {
                std::sort(expected.begin(), expected.end());
                std::sort(destroyed.begin(), destroyed.end());
            }
            check(destroyed == expected, "which messages were destroyed, and in which order");
        }
    }

    // Everything goes, in an order that the bytes choose.
    void end() {
        const unsigned order = bytes_.next();
        armed_ = 0;
        for (unsigned i = 0; i < 3; ++i) {
            switch ((order + i) % 3) {
            case 0:
                std::for_each(txs_.begin(), txs_.end(), [this](tx_place& tx) { reset(tx); });
                break;
            case 1:
                std::for_each(rxs_.begin(), rxs_.end(), [this](rx_place& rx) { reset(rx); });
                break;
            case 2:
                std::for_each(iterators_.begin(), iterators_.end(), [this](iterator_place& at) { leave(at); });
                break;
            }
            compare();
        }
        std::for_each(weaks_.begin(), weaks_.end(), [](weak_place& weak) { weak = {}; });
    }

    byte_reader& bytes_;
    std::stop_source stopped_ = [] {
        std::stop_source source;
        source.request_stop();
        return source;
    }();
    model model_;
    std::vector<std::unique_ptr<channel_model>> channels_;
    std::array<tx_place, 6> txs_;
    std::array<rx_place, 4> rxs_;
    std::array<weak_place, 2> weaks_;
    std::array<iterator_place, 2> iterators_;
    std::uint32_t last_number_ = 0;
    unsigned armed_ = 0; // in this operation the allocation of that number fails, and all after it
    unsigned armed_next_ = 0;
    bool is_order_open_ = false; // several messages may have been destroyed in another order
};

} // namespace fuzz
