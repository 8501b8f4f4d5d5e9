// SPDX-License-Identifier: BSL-1.0
//
// Each protocol used densely by two or three threads, for the thread sanitizer: it knows what happens before what, so a
// missing order shows as a race on plain data, whatever the processor does. Nothing here orders the threads but the
// library: they start together by relaxed operations.
//
//     protocols NAME...      of: parts list ring rendezvous select coroutine operation descriptor
#include <weir/coro.hpp>
#include <weir/detail/wait/portable_parker.hpp>
#include <weir/posix/event_fd.hpp>
#include <weir/weir.hpp>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "protocols: %s\n", what);
        std::abort();
    }
}

// Runs them all at once.
template <class... Bodies>
void together(Bodies... bodies) {
    std::atomic<int> missing{sizeof...(bodies)};
    const auto start = [&missing](auto& body) {
        missing.fetch_sub(1, std::memory_order_relaxed);
        while (missing.load(std::memory_order_relaxed) != 0) {
            std::this_thread::yield();
        }
        body();
    };
    std::vector<std::thread> threads;
    (threads.emplace_back([&start, &bodies] { start(bodies); }), ...);
    for (std::thread& each : threads) {
        each.join();
    }
}

// A word by which one thread waits for another.
class stage {
public:
    void reach() noexcept { is_reached_.store(true, std::memory_order_relaxed); }
    void await() const noexcept {
        while (!is_reached_.load(std::memory_order_relaxed)) {
            std::this_thread::yield();
        }
    }

private:
    std::atomic<bool> is_reached_{false};
};

template <class Body>
void repeat(int times, Body body) {
    for (int i = 0; i < times; ++i) {
        body(i);
    }
}

// ---- Messages ----

// Only bytes. What its sender wrote before is behind the pointer.
struct number {
    int value;
    int* written;
};

// Not only bytes: looks at itself when it is moved and destroyed.
class object {
public:
    object(int value, int* written) noexcept : value(value), written(written) {}
    object(object&& other) noexcept : value(std::exchange(other.value, -1)), written(other.written) {}
    ~object() { value = -2; }

    int value;
    int* written;
};

// As an object; a block has one slot, so that each send links one.
class large : public object {
public:
    using object::object;

private:
    char filling_[20000];
};

// As a number; its blocks have one slot, which is the reserve.
struct scarce {
    int value;
    int* written;
};

// What a thread does when it asks for memory that it can do without. True: there is none.
thread_local std::function<bool()> is_memory_out;

} // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return is_memory_out && is_memory_out() ? nullptr : ::operator new(size);
}

template <>
struct weir::detail::list_sizes<scarce> {
    static constexpr std::uint32_t slots = 1;
    static constexpr std::uint32_t reserve = 1;
    static constexpr std::uint32_t embedded_slots = 1;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 1;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 0;
};
template <>
struct weir::detail::list_sizes<number> {
    static constexpr std::uint32_t slots = 6;
    static constexpr std::uint32_t reserve = 3; // as many as there are threads
    static constexpr std::uint32_t embedded_slots = 2;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 2;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 1;
};
template <>
struct weir::detail::list_sizes<object> {
    static constexpr std::uint32_t slots = 3;
    static constexpr std::uint32_t reserve = 0;
    static constexpr std::uint32_t embedded_slots = 1;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 1;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 0;
};

namespace {

// ---- The parts ----

void locks() {
    weir::detail::debt_lock lock;
    int guarded = 0;
    const auto with_lock = [&](int times) {
        repeat(times, [&](int i) {
            if (i % 2 == 0) {
                lock.lock();
            } else if (!lock.try_lock()) {
                return;
            }
            do {
                ++guarded;
            } while (!lock.unlock_unless_owed());
        });
    };
    together([&] { with_lock(500); }, [&] { with_lock(500); });

    // A debtor publishes, then owes; who settles reads.
    repeat(40, [&](int) {
        weir::detail::debt_lock shared;
        int published[2] = {};
        int seen = 0;
        const auto debtor = [&](int which) {
            published[which] = 1;
            if (shared.try_lock_or_owe()) {
                do {
                    ++seen;
                } while (!shared.unlock_unless_owed());
            }
        };
        const auto holder = [&] {
            shared.lock();
            std::this_thread::yield();
            while (!shared.unlock_unless_owed()) {
                ++seen;
                std::this_thread::yield();
            }
        };
        together([&] { debtor(0); }, holder, [&] { debtor(1); });
        check(seen > 0 || published[0] + published[1] == 2, "the debtors were there");
    });

    // Who is told of a debt has what the debtor wrote before.
    repeat(40, [&](int) {
        weir::detail::debt_lock held(weir::detail::debt_lock::held());
        std::atomic<bool> is_owed{false};
        int data = 0;
        together(
            [&] {
                data = 1;
                check(!held.try_lock_or_owe(), "it is held");
                is_owed.store(true, std::memory_order_relaxed);
            },
            [&] {
                while (!is_owed.load(std::memory_order_relaxed)) {
                    std::this_thread::yield();
                }
                check(!held.unlock_unless_owed(), "the debt is told of");
                check(data == 1, "what the debtor wrote is seen");
                data = 2;
            });
    });
}

template <class Parker>
void parkers() {
    repeat(48, [](int i) {
        Parker parker;
        int outcome = 0;
        together(
            [&] {
                outcome = 1;
                parker.unpark();
            },
            [&] {
                switch (i % 3) {
                case 0:
                    check(parker.park(weir::detail::deadline::never()), "a token comes");
                    break;
                case 1: // it times out, mostly, while the token comes
                    while (!parker.park(weir::detail::deadline::after(1us))) {
                    }
                    break;
                case 2:
                    while (!parker.has_token()) {
                        std::this_thread::yield();
                    }
                    break;
                }
                check(outcome == 1, "what came before the unpark is seen");
                outcome = 2;
                if (i % 3 == 2) {
                    check(parker.park(weir::detail::deadline::never()), "the token is there");
                }
            });
    });
}

void flags() {
    repeat(48, [](int i) {
        weir::detail::flag_word word;
        int data = 0;
        together(
            [&] {
                data = 1;
                word.raise(1);
            },
            [&] {
                if (i % 2 == 0) {
                    while (word.peek() == 0) {
                        std::this_thread::yield();
                    }
                } else {
                    while (word.lower(1) == 0) {
                        std::this_thread::yield();
                    }
                }
                check(data == 1, "what came before the raise is seen");
                data = 2;
            });
    });
    // Who lowers a flag and finds it raised has what the raiser wrote; who raises it again has what the lowerer did.
    repeat(10, [](int) {
        weir::detail::flag_word word;
        int baton = 0;
        together(
            [&] {
                for (int i = 0; i < 20; ++i) {
                    ++baton;
                    word.raise(1);
                    while ((word.raise(0) & 1) != 0) {
                        std::this_thread::yield();
                    }
                }
            },
            [&] {
                for (int i = 0; i < 20; ++i) {
                    while (word.peek() == 0) {
                        std::this_thread::yield();
                    }
                    ++baton;
                    word.lower(1);
                }
            });
        check(baton == 40, "they took turns");
    });
}

// ---- Channels ----

template <class M>
struct list_of {
    using message = M;
    using flavor_type = weir::detail::list<M>;
    static auto make() { return weir::channel<M>(); }
};
template <class M, std::size_t Capacity>
struct bounded_of {
    using message = M;
    using flavor_type = weir::detail::ring<M>;
    static auto make() { return weir::sync_channel<M>(Capacity); }
};

constexpr int many = 48; // few: where the processors are taken, each message of a small channel costs a turn

// Senders write, send; the receiver reads what they wrote and what they sent, by every way to receive.
template <class Channel>
void traffic(int senders, int way) {
    using message = typename Channel::message;
    auto [tx, rx] = Channel::make();
    std::vector<std::vector<int>> written(3, std::vector<int>(many));
    const auto send = [&written](auto& handle, int sender) {
        return [out = handle, sender, &written]() mutable {
            auto& mine = written[static_cast<std::size_t>(sender)];
            for (int i = 0; i < many; ++i) {
                const auto at = static_cast<std::size_t>(i);
                mine[at] = i;
                if constexpr (std::is_same_v<message, number>) {
                    check(out.send(number{i, &mine[at]}).has_value(), "a send succeeds");
                } else {
                    check(out.emplace(i, &mine[at]).has_value(), "a send succeeds");
                }
            }
            out.reset();
        };
    };
    auto receive = [in = std::move(rx), senders, way]() mutable {
        int received = 0;
        const auto look = [&received](message&& got) {
            check(*got.written == got.value, "what its sender wrote is seen");
            *got.written = -1;
            ++received;
        };
        for (bool more = true; more;) {
            switch (way) {
            case 0: {
                auto got = in.recv();
                more = got.has_value();
                if (more) {
                    look(std::move(*got));
                }
                break;
            }
            case 1: {
                auto got = in.try_recv();
                more = got.has_value() || got.error() != weir::try_recv_error::disconnected;
                if (got) {
                    look(std::move(*got));
                } else {
                    std::this_thread::yield();
                }
                break;
            }
            case 2: {
                auto got = in.recv_timeout(20us);
                more = got.has_value() || got.error() != weir::recv_timeout_error::disconnected;
                if (got) {
                    look(std::move(*got));
                }
                break;
            }
            case 3:
                for (auto&& got : in) {
                    look(std::move(got));
                }
                more = false;
                break;
            }
        }
        check(received == senders * many, "every message came");
    };
    if (senders == 1) {
        together(send(tx, 0), [&] { tx.reset(); }, std::move(receive));
    } else {
        together(send(tx, 0), send(tx, 1), [&] { tx.reset(); }, std::move(receive));
    }
}

template <class Tx, class M = typename Tx::value_type>
auto send_one(const Tx& tx, int value, int* written) {
    if constexpr (std::is_aggregate_v<M>) {
        return tx.send(M{value, written}).has_value();
    } else {
        return tx.emplace(value, written).has_value();
    }
}

// What came before an end went is seen by who is told so.
template <class Channel>
void endings() {
    repeat(12, [](int i) { // the senders, one after the other
        auto [tx, rx] = Channel::make();
        int data[2] = {};
        const auto leave = [&data](auto& handle, int which) {
            return [out = handle, which, &data]() mutable {
                data[which] = 1;
                out.reset();
            };
        };
        auto one = leave(tx, 0);
        auto other = leave(tx, 1);
        tx.reset();
        together(std::move(one), std::move(other), [&, i] {
            if (i % 2 == 0) {
                check(!rx.recv().has_value(), "disconnected is told");
            } else {
                while (rx.try_recv().error() != weir::try_recv_error::disconnected) {
                    std::this_thread::yield();
                }
            }
            check(data[0] + data[1] == 2, "what came before is seen");
            data[0] = data[1] = 2;
        });
    });
    repeat(24, [](int i) { // the receiver
        auto [tx, rx] = Channel::make();
        int data = 0;
        std::vector<int> written(many);
        together(
            [&, in = std::move(rx)]() mutable {
                data = 1;
                i % 2 == 0 ? in.reset() : in.close();
            },
            [&] {
                if (i % 3 == 0) {
                    while (!tx.is_disconnected()) {
                        std::this_thread::yield();
                    }
                } else if (i % 3 == 1) {
                    for (std::size_t at = 0; at < written.size() && send_one(tx, 1, &written[at]); ++at) {
                    }
                    while (!tx.is_disconnected()) {
                        std::this_thread::yield();
                    }
                } else if constexpr (requires { tx.try_emplace(1, &data); }) {
                    while (true) {
                        auto tried = tx.try_send(typename Channel::message{1, &data});
                        if (!tried && tried.error() == weir::try_send_error::disconnected) {
                            break;
                        }
                        std::this_thread::yield();
                    }
                } else {
                    while (send_one(tx, 1, written.data())) {
                        std::this_thread::yield();
                    }
                }
                check(data == 1, "what came before is seen");
                data = 2;
            });
    });
}

// The receiver goes, and the channel ends, in the middle of sends.
template <class Channel>
void leaving() {
    repeat(16, [](int i) {
        auto [tx, rx] = Channel::make();
        std::vector<int> written(32);
        const auto send = [&written](auto& handle, std::size_t begin) {
            return [out = handle, begin, &written]() mutable {
                for (std::size_t at = begin; at < begin + 16 && send_one(out, 1, &written[at]); ++at) {
                }
                out.reset();
            };
        };
        auto one = send(tx, 0);
        auto other = send(tx, 16);
        tx.reset();
        together(std::move(one), std::move(other), [in = std::move(rx), i]() mutable {
            for (int left = i % 8; left > 0 && in.recv().has_value(); --left) {
            }
            in.reset();
        });
    });
}

// Others look at the channel, link blocks and lock weak handles meanwhile.
template <class Channel>
void onlookers() {
    repeat(3, [](int) {
        auto [tx, rx] = Channel::make();
        std::vector<int> written(many);
        auto weak = tx.downgrade();
        auto other = tx;
        together(
            [&, out = std::move(other)]() mutable {
                for (std::size_t at = 0; at < written.size(); ++at) {
                    check(send_one(out, 1, &written[at]), "a send succeeds");
                }
                out.reset();
            },
            [&, out = std::move(tx)]() mutable {
                for (int i = 0; i < many / 4; ++i) {
                    (void)out.len();
                    if (auto locked = weak.lock()) {
                        (void)locked.is_disconnected();
                    }
                }
                out.reset();
            },
            [&] {
                int received = 0;
                while (rx.recv().has_value()) {
                    ++received;
                    if (received % 16 == 0) {
                        (void)rx.len();
                    }
                }
                check(received == many, "every message came");
            });
    });
}

// A sender that needs the next block, and has no memory for one, goes on with another sender's.
void out_of_memory() {
    repeat(4, [](int) {
        auto [tx, rx] = weir::channel<scarce>();
        int written = 7;
        check(send_one(tx, 7, &written) && send_one(tx, 7, &written),
              "a send succeeds"); // from now on claims are blind
        stage is_claimed;
        stage is_missing;
        stage is_linked;
        together(
            [&] {
                is_memory_out = [&] {
                    is_claimed.reach();
                    is_missing.await();
                    return false;
                };
                check(send_one(tx, 7, &written), "a send succeeds");
                is_linked.reach();
            },
            [&] {
                is_claimed.await();
                is_memory_out = [&, is_first = true]() mutable {
                    is_missing.reach();
                    is_linked.await();
                    return std::exchange(is_first, false);
                };
                check(send_one(tx, 7, &written), "a send succeeds");
            });
        for (int i = 0; i < 4; ++i) {
            check(rx.recv().has_value(), "every message came");
        }
    });
}

// A receive that frees room happens before the send that uses it.
template <class M>
void room() {
    repeat(4, [](int way) {
        auto [tx, rx] = weir::sync_channel<M>(1);
        constexpr int turns = 48;
        std::vector<int> data(turns + 1);
        int written = 0;
        together(
            [&, in = std::move(rx)]() mutable {
                for (int i = 0; i < turns; ++i) {
                    data[static_cast<std::size_t>(i)] = 1;
                    while (!in.try_recv().has_value()) {
                        std::this_thread::yield();
                    }
                }
            },
            [&, out = std::move(tx)]() mutable {
                for (int i = 0; i < turns; ++i) {
                    if (way % 2 == 0) {
                        check(send_one(out, 1, &written), "a send succeeds");
                    } else {
                        while (!out.try_send(M{1, &written}).has_value()) {
                            std::this_thread::yield();
                        }
                    }
                    if (i > 0) {
                        check(std::exchange(data[static_cast<std::size_t>(i - 1)], 2) == 1, "what came before is seen");
                    }
                }
            });
    });
}

// Senders and receives that give up.
template <class Channel>
void giving_up() {
    repeat(3, [](int) {
        using message = typename Channel::message;
        auto [tx, rx] = Channel::make();
        std::vector<int> written(2 * many);
        std::atomic<int> sent{0};
        const auto send = [&](auto& handle, std::size_t begin) {
            return [&, out = handle, begin]() mutable {
                for (std::size_t at = begin; at < begin + many; ++at) {
                    written[at] = 7;
                    const auto patience = std::chrono::microseconds(at % 40);
                    if (out.send_timeout(message{7, &written[at]}, patience)) {
                        sent.fetch_add(1, std::memory_order_relaxed);
                    }
                }
                out.reset();
            };
        };
        auto one = send(tx, 0);
        auto other = send(tx, many);
        tx.reset();
        int received = 0;
        together(std::move(one), std::move(other), [&] {
            for (int i = 0;; ++i) {
                auto got = rx.recv_timeout(std::chrono::microseconds(i % 40));
                if (got) {
                    check(*got->written == 7, "what its sender wrote is seen");
                    ++received;
                } else if (got.error() == weir::recv_timeout_error::disconnected) {
                    break;
                }
            }
        });
        check(received == sent.load(), "what was sent was received");
    });
}

// ---- Select ----

// Selects crosswise: each sends to the other or receives from it, in turns of which both know how they ended.
void crossed_selects() {
    repeat(4, [](int) {
        auto [there, from_there] = weir::sync_channel<object>(0);
        auto [back, from_back] = weir::sync_channel<object>(0);
        std::vector<int> written(2 * many);
        const auto side = [&written](auto out, auto in, std::size_t begin) {
            return [&written, out = std::move(out), in = std::move(in), begin]() mutable {
                for (std::size_t i = begin; i < begin + many; ++i) {
                    written[i] = 7;
                    const bool open = weir::select(
                        weir::on_send(out, object(7, &written[i]), [](auto sent) { return sent.has_value(); }),
                        weir::on_recv(in, [](auto got) {
                            check(!got || std::exchange(*got->written, 8) == 7, "what its sender wrote is seen");
                            return got.has_value();
                        }));
                    if (!open) {
                        break;
                    }
                }
                in.reset();
                out.reset();
            };
        };
        together(side(std::move(there), std::move(from_back), 0), side(std::move(back), std::move(from_there), many));
    });
}

// Sends of all kinds and a select that receives from all, then is told that all have gone; with time-outs in between.
void gathering_select() {
    repeat(4, [](int turn) {
        auto [list_tx, list_rx] = weir::channel<object>();
        auto [ring_tx, ring_rx] = weir::sync_channel<number>(1);
        auto [meeting_tx, meeting_rx] = weir::sync_channel<object>(0);
        std::vector<int> written(3 * many, 7);
        int received = 0;
        const auto look = [&received](auto& in) {
            return [&received, &in](auto got) {
                if (!got) {
                    in.reset();
                    return;
                }
                check(std::exchange(*got->written, 8) == 7, "what its sender wrote is seen");
                ++received;
            };
        };
        const auto send = [&written](auto out, std::size_t begin) {
            return [&written, out = std::move(out), begin]() mutable {
                for (std::size_t at = begin; at < begin + many; ++at) {
                    check(send_one(out, 7, &written[at]), "a send succeeds");
                }
                out.reset();
            };
        };
        together(
            send(std::move(list_tx), 0), send(std::move(ring_tx), many), send(std::move(meeting_tx), 2 * many), [&] {
                const auto patience = turn % 2 == 0 ? std::chrono::microseconds(1h) : 20us;
                while (list_rx || ring_rx || meeting_rx) {
                    // An arm without a channel is ready: it is left out by hand.
                    if (list_rx && ring_rx && meeting_rx) {
                        weir::select(weir::on_recv(list_rx, look(list_rx)), weir::on_recv(ring_rx, look(ring_rx)),
                                     weir::on_recv(meeting_rx, look(meeting_rx)), weir::on_timeout(patience, [] {}));
                    } else if (list_rx) {
                        weir::select(weir::on_recv(list_rx, look(list_rx)), weir::on_timeout(patience, [] {}));
                    } else if (ring_rx) {
                        weir::select(weir::on_recv(ring_rx, look(ring_rx)), weir::on_timeout(patience, [] {}));
                    } else {
                        weir::select(weir::on_recv(meeting_rx, look(meeting_rx)), weir::on_timeout(patience, [] {}));
                    }
                }
            });
        check(received == 3 * many, "every message came");
    });
}

// What the receiver did before it went is seen by a select that is told so.
void watching_select() {
    repeat(16, [](int turn) {
        auto [list_tx, list_rx] = weir::channel<number>();
        auto [ring_tx, ring_rx] = weir::sync_channel<number>(1);
        int data[2] = {};
        int seen = 0;
        together(
            [&, in = std::move(list_rx)]() mutable {
                data[0] = 1;
                turn % 2 == 0 ? in.reset() : in.close();
            },
            [&, in = std::move(ring_rx)]() mutable {
                data[1] = 1;
                in.reset();
            },
            [&] {
                weir::select(weir::on_disconnected(list_tx, [&] { seen = std::exchange(data[0], 2); }),
                             weir::on_disconnected(ring_tx, [&] { seen = std::exchange(data[1], 2); }));
            });
        check(seen == 1, "what came before is seen");
    });
}

// A selector that goes while its ends are being told.
void short_lived_selectors() {
    repeat(64, [](int turn) {
        auto [one_tx, one_rx] = weir::channel<object>();
        auto [other_tx, other_rx] = weir::channel<object>();
        auto [room_tx, room_rx] = weir::sync_channel<number>(1);
        int written[4] = {7, 7, 7, 7};
        check(send_one(room_tx, 7, &written[3]), "there is room for one");
        const auto send = [&written](auto& out, int at) {
            return [&written, &out, at] { check(send_one(out, 7, &written[at]), "a send succeeds"); };
        };
        together(
            send(one_tx, 0), send(other_tx, 1), [&] { check(room_rx.recv().has_value(), "there is one"); },
            [&] {
                weir::selector any;
                const std::size_t one = any.add(one_rx);
                const std::size_t other = any.add(other_rx);
                const std::size_t room = any.add(room_tx);
                for (int i = 0; i < turn % 4; ++i) {
                    const std::size_t ready = any.ready();
                    if (ready == one || ready == other) {
                        auto got = (ready == one ? one_rx : other_rx).try_recv();
                        check(got.has_value() && std::exchange(*got->written, 8) == 7,
                              "an end that is ready has a message");
                    } else {
                        check(ready == room && room_tx.try_send(number{7, &written[2]}).has_value(), "there is room");
                        any.remove(room);
                    }
                }
            });
    });
}

// Coroutines that go while they are being told.

class task {
public:
    struct promise_type {
        task get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
        static std::suspend_never initial_suspend() noexcept { return {}; }
        static std::suspend_always final_suspend() noexcept { return {}; }
        static void return_void() noexcept {}
        [[noreturn]] static void unhandled_exception() { std::terminate(); }
    };

    explicit task(std::coroutine_handle<> coroutine) : coroutine_(coroutine) {}
    task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    task& operator=(const task&) = delete;
    ~task() {
        if (coroutine_) {
            coroutine_.destroy();
        }
    }

private:
    std::coroutine_handle<> coroutine_;
};

// It is destroyed soon.
constexpr auto never_resume = [](std::coroutine_handle<>) noexcept {};

template <class T>
task receive_one(weir::receiver<T>& in) {
    (void)co_await weir::resume_on(weir::async_recv(in), never_resume);
}
template <class T>
task send_one_later(const weir::sync_sender<T>& out, T message) {
    (void)co_await weir::resume_on(weir::async_send(out, std::move(message)), never_resume);
}

template <class T>
void leaving_receiver(std::size_t capacity) {
    repeat(512, [capacity](int) {
        auto [tx, rx] = weir::sync_channel<T>(capacity);
        int written = 7;
        std::optional<task> receives;
        receives.emplace(receive_one(rx));
        bool sent = false;
        together([&] { sent = tx.try_send(T{7, &written}).has_value(); }, [&] { receives.reset(); });
        auto got = rx.try_recv();
        check(got.has_value() == sent, "a message stays for the next receive");
        check(!got || std::exchange(*got->written, 8) == 7, "what came before is seen");
    });
}

template <class T>
void leaving_sender(std::size_t capacity) {
    repeat(512, [capacity](int) {
        auto [tx, rx] = weir::sync_channel<T>(capacity);
        int written[2] = {7, 7};
        for (std::size_t n = 0; n < capacity; ++n) {
            check(tx.try_send(T{7, &written[0]}).has_value(), "there is room");
        }
        std::optional<task> sends;
        sends.emplace(send_one_later(tx, T{7, &written[1]}));
        std::size_t got = 0;
        const auto take = [&] {
            while (auto message = rx.try_recv()) {
                check(std::exchange(*message->written, 8) == 7, "what came before is seen");
                ++got;
            }
        };
        together(take, [&] { sends.reset(); });
        take();
        check(got == capacity || got == capacity + 1, "a send happens or does not");
    });
}

// An operation that is inside the receiver ends, and the receiving handle goes: who comes second drops the receiver.
template <class Channel>
void leaving_operation() {
    using flavor_type = typename Channel::flavor_type;

    // Stands still where the close tells it.
    class watcher final : public weir::detail::waiter {
    public:
        watcher(stage& is_closed, const stage& has_left) noexcept
            : waiter(claim_), is_closed_(is_closed), has_left_(has_left) {}

        weir::detail::service asks_for() const noexcept override { return weir::detail::service::tell; }
        void make_at(void*) noexcept override {}
        void finish(weir::detail::answer) noexcept override {
            is_closed_.reach();
            has_left_.await();
        }

    private:
        weir::detail::claim_word claim_;
        stage& is_closed_;
        const stage& has_left_;
    };

    repeat(12, [](int turn) {
        auto [tx, rx] = Channel::make();
        int written = 7;
        check(send_one(tx, 7, &written), "a send succeeds");
        auto& channel = static_cast<flavor_type&>(*weir::detail::handle_access::channel_received_by(rx));
        check(channel.enter_receiver(weir::detail::channel_base::receiver_state::operated), "nobody is inside");
        tx.reset();
        stage is_closed;
        stage has_left;
        stage has_gone;
        watcher watches(is_closed, has_left);
        if (turn % 3 == 1) { // the operation ends while the handle goes
            channel.watch_closing(watches);
        }
        together(
            [&, turn] {
                channel.release(channel.acquire());
                if (turn % 3 == 1) {
                    is_closed.await();
                } else if (turn % 3 == 2) {
                    has_gone.await();
                }
                channel.leave_operation();
                has_left.reach();
            },
            [&, turn, in = std::move(rx)]() mutable {
                if (turn % 3 == 0) {
                    has_left.await();
                }
                in.reset();
                has_gone.reach();
            });
    });
}

void leaving_descriptors() {
    repeat(2048, [](int) {
        auto [tx, rx] = weir::channel<int>();
        std::optional<weir::posix::event_fd> descriptor(std::in_place, rx);
        together([&] { check(tx.send(7).has_value(), "a send succeeds"); }, [&] { descriptor.reset(); });
    });
}

template <class Channel>
void every_traffic() {
    for (int way = 0; way < 4; ++way) {
        traffic<Channel>(1, way);
        traffic<Channel>(2, way);
    }
}

template <class Channel>
void every_channel() {
    every_traffic<Channel>();
    endings<Channel>();
    leaving<Channel>();
    onlookers<Channel>();
}

void run(const char* what) {
    if (std::strcmp(what, "parts") == 0) {
        locks();
        parkers<weir::detail::futex_parker>();
        parkers<weir::detail::portable_parker>();
        flags();
    } else if (std::strcmp(what, "list") == 0) {
        every_channel<list_of<number>>();
        every_channel<list_of<object>>();
        every_traffic<list_of<large>>();
        out_of_memory();
    } else if (std::strcmp(what, "ring") == 0) {
        every_channel<bounded_of<number, 1>>();
        every_channel<bounded_of<object, 1>>();
        every_channel<bounded_of<object, 3>>();
        every_traffic<bounded_of<number, 64>>();
        giving_up<bounded_of<number, 1>>();
        giving_up<bounded_of<object, 2>>();
        room<number>();
        room<object>();
    } else if (std::strcmp(what, "rendezvous") == 0) {
        every_channel<bounded_of<number, 0>>();
        every_channel<bounded_of<object, 0>>();
        giving_up<bounded_of<object, 0>>();
    } else if (std::strcmp(what, "select") == 0) {
        crossed_selects();
        gathering_select();
        watching_select();
        short_lived_selectors();
    } else if (std::strcmp(what, "coroutine") == 0) {
        leaving_receiver<number>(0);
        leaving_receiver<object>(0);
        leaving_receiver<number>(1);
        leaving_sender<number>(0);
        leaving_sender<object>(1);
    } else if (std::strcmp(what, "operation") == 0) {
        leaving_operation<list_of<number>>();
        leaving_operation<bounded_of<number, 1>>();
    } else if (std::strcmp(what, "descriptor") == 0) {
        leaving_descriptors();
    } else {
        std::fprintf(stderr, "protocols: there is no %s\n", what);
        std::exit(2);
    }
}

} // namespace

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
        run(arguments[i]);
    }
    return count > 1 ? 0 : 2;
}
