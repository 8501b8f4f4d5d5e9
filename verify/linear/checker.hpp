// SPDX-License-Identifier: BSL-1.0
//
// Whether a recorded history is that of a channel: whether its operations can be put in an order that agrees with the times
// of their calls and returns and that the sequential channel allows.
//
// The search of J. Wing and C. Gong, "Testing and verifying concurrent objects", 1993, with the memory of G. Lowe,
// "Testing for linearizability", 2017: a state that was reached before, with the same operations done, is not searched again.
// Operations of several steps are that many moments in a row.
#pragma once

#include "call.hpp"
#include "sequential_channel.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace linear {

class checker {
public:
    // `history` in the order of the calls.
    checker(const std::vector<call>& history, const sequential_channel& start) : history_(history), start_(start) {
        for (const call& each : history) {
            steps_.push_back(static_cast<std::uint8_t>(start.steps_of(each)));
        }
    }

    bool is_linearizable() {
        seen_.clear();
        done_.assign(history_.size(), 0);
        return search(start_);
    }

    std::size_t states() const { return seen_.size(); }

private:
    bool search(const sequential_channel& now) {
        std::string key(done_.begin(), done_.end());
        now.append_to(key);
        if (!seen_.insert(std::move(key)).second) {
            return false;
        }
        std::uint64_t first_return = call::never; // of the operations that are not done
        bool all_done = true;
        for (std::size_t i = 0; i < history_.size(); ++i) {
            if (!is_done(i)) {
                all_done = false;
                first_return = std::min(first_return, history_[i].ended);
            }
        }
        if (all_done) {
            return true;
        }
        for (std::size_t i = 0; i < history_.size() && history_[i].began < first_return; ++i) {
            if (!is_done(i) && take_step(now, i, first_return)) {
                return true;
            }
        }
        return false;
    }

    bool is_done(std::size_t i) const { return done_[i] == steps_[i]; }

    bool take_step(const sequential_channel& now, std::size_t i, std::uint64_t first_return) {
        if (now.is_meeting(history_[i], done_[i])) {
            return is_receive(history_[i].what) && meet(now, i, first_return);
        }
        if (now.is_rendezvous() && misses_a_peer(i)) {
            return false;
        }
        sequential_channel next = now;
        if (!next.take_step(history_[i], done_[i])) {
            return false;
        }
        ++done_[i];
        const bool found = search(next);
        --done_[i];
        return found;
    }

    // On a rendezvous: a send that met nobody, though a receive has waited since before it began.
    bool misses_a_peer(std::size_t i) const {
        const call& one = history_[i];
        if (!is_send(one.what) || one.empty_handle || one.succeeded() ||
            one.error == weir::channel_errc::disconnected) {
            return false;
        }
        for (std::size_t j = 0; j < history_.size(); ++j) {
            if (is_receive(history_[j].what) && done_[j] == 0 && history_[j].waits_since < one.began) {
                return true;
            }
        }
        return false;
    }

    // A receive and the send of its message.
    bool meet(const sequential_channel& now, std::size_t receive, std::uint64_t first_return) {
        const message_id message = history_[receive].messages[done_[receive]];
        const auto send = std::find_if(history_.begin(), history_.end(), [message](const call& each) {
            return is_send(each.what) && each.message == message && each.succeeded();
        });
        if (send == history_.end() || send->began >= first_return || !now.meet()) {
            return false;
        }
        const auto sender = static_cast<std::size_t>(send - history_.begin());
        if (is_done(sender)) {
            return false;
        }
        ++done_[receive];
        ++done_[sender];
        const bool found = search(now);
        --done_[receive];
        --done_[sender];
        return found;
    }

    const std::vector<call>& history_;
    sequential_channel start_;
    std::vector<std::uint8_t> steps_;
    std::vector<std::uint8_t> done_;
    std::unordered_set<std::string> seen_;
};

} // namespace linear
