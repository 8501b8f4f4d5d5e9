// SPDX-License-Identifier: BSL-1.0
//
// What the threads of a history do: chosen at random by a seed, before they start.
//
// However the operations turn out, every thread comes to its end: senders that are done drop their handles, and who has the
// receiver then takes all that comes or drops it. A thread that receives and has a sender of its own does nothing that would
// wait for itself.
#pragma once

#include "call.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "../support/random_delays.hpp"

namespace linear {

inline constexpr std::size_t threads = 3;
inline constexpr std::size_t calls_each = 4;

struct planned {
    operation what;
    bool by_receiver = false;
    std::uint8_t most = 0;
    message_id message = 0;
    std::chrono::microseconds timeout{0};
};

struct role {
    bool sends = false;
    bool receives = false;
    bool ends_by_reset = false;
    std::vector<planned> calls;
    std::uint64_t seed = 0;
};

struct program {
    std::vector<message_id> before; // sent before the threads start
    role roles[threads];
    bool shares_receiver = false; // two threads take turns with it
    verify::delays delays = verify::delays::none;
};

class program_maker {
public:
    program_maker(std::optional<std::size_t> capacity, std::uint64_t seed) : capacity_(capacity), random_(seed) {}

    program make() {
        program made;
        made.delays = static_cast<verify::delays>(below(verify::kinds_of_delays));
        const std::size_t most_before = capacity_ ? std::min<std::size_t>(*capacity_, 3) : 3;
        for (std::size_t left = below(most_before + 1); left > 0; --left) {
            made.before.push_back(next_message_++);
        }
        switch (below(6)) {
        case 0: // one thread receives and sends
            made.roles[0].receives = made.roles[0].sends = made.roles[1].sends = made.roles[2].sends = true;
            break;
        case 1: // two threads take turns with the receiver
            made.shares_receiver = true;
            made.roles[0].receives = made.roles[1].receives = made.roles[2].sends = true;
            break;
        default:
            made.roles[0].receives = made.roles[1].sends = made.roles[2].sends = true;
        }
        for (role& each : made.roles) {
            each.seed = random_();
            each.ends_by_reset = !made.shares_receiver && below(4) == 0;
            for (std::size_t i = 0; i < calls_each; ++i) {
                each.calls.push_back(plan(each, made.shares_receiver));
            }
        }
        return made;
    }

private:
    std::size_t below(std::size_t end) { return random_() % end; }

    planned plan(const role& of, bool shared) {
        if (of.receives && of.sends) {
            return below(2) == 0 ? plan_receiving(true, true) : plan_sending(true);
        }
        return of.receives ? plan_receiving(shared, false) : plan_sending(false);
    }

    // `gently`: the receiver stays. `alone`: nothing that might wait for a message for ever.
    planned plan_receiving(bool gently, bool alone) {
        planned made{operation::try_recv};
        made.timeout = any_timeout();
        made.by_receiver = true;
        switch (below(20)) {
        case 0:
        case 1:
        case 2:
            made.what = alone ? operation::try_recv : operation::recv;
            break;
        case 3:
        case 4:
        case 5:
            break;
        case 6:
        case 7:
            made.what = operation::recv_timeout;
            break;
        case 8:
            made.what = operation::recv_deadline;
            break;
        case 9:
            made.what = alone ? operation::recv_timeout : operation::recv_stop;
            break;
        case 10:
        case 11:
            made.what = alone ? operation::try_recv : operation::recv_many;
            made.most = static_cast<std::uint8_t>(below(4));
            break;
        case 12:
            made.what = alone ? operation::try_iterate : operation::iterate;
            break;
        case 13:
            made.what = operation::try_iterate;
            break;
        case 14:
            made.what = below(2) == 0 ? operation::close : operation::try_recv;
            break;
        case 15:
            made.what = !gently && below(2) == 0 ? operation::reset_receiver : operation::try_recv;
            break;
        default:
            made.what = any_observer();
        }
        if (made.what == operation::try_iterate) {
            made.most = 1;
        }
        return made;
    }

    planned plan_sending(bool alone) {
        planned made{operation::try_send};
        made.timeout = any_timeout();
        switch (below(20)) {
        case 0:
        case 1:
        case 2:
        case 3:
            made.what = operation::send;
            break;
        case 4:
            made.what = operation::emplace;
            break;
        case 5:
        case 6:
        case 7:
            break;
        case 8:
            made.what = operation::try_emplace;
            break;
        case 9:
        case 10:
            made.what = operation::send_timeout;
            break;
        case 11:
            made.what = operation::send_deadline;
            break;
        case 12:
            made.what = operation::send_stop;
            break;
        case 13:
            made.what = operation::clone;
            break;
        case 14:
        case 15:
            made.what = operation::drop;
            break;
        case 16:
            made.what = alone ? operation::try_send : operation::lock_weak;
            break;
        case 17:
            made.what = operation::request_stop;
            break;
        default:
            made.what = any_observer();
        }
        const bool might_wait = made.what == operation::send || made.what == operation::emplace ||
                                made.what == operation::send_stop;
        if (alone && capacity_ && might_wait) {
            made.what = operation::try_send;
        }
        if (is_send(made.what)) {
            made.message = next_message_++;
        }
        return made;
    }

    operation any_observer() {
        constexpr operation all[] = {operation::len, operation::is_empty, operation::is_disconnected,
                                     operation::sender_count};
        return all[below(std::size(all))];
    }

    std::chrono::microseconds any_timeout() {
        constexpr int all[] = {-1, 0, 1, 20, 60, 200};
        return std::chrono::microseconds(all[below(std::size(all))]);
    }

    std::optional<std::size_t> capacity_;
    std::mt19937_64 random_;
    message_id next_message_ = 1;
};

} // namespace linear
