// SPDX-License-Identifier: BSL-1.0
//
// What a channel does when one thing happens after another: the promises of the documentation, in plain data.
//
// An operation is one step, or a few; each step happens at one moment between the operation's call and its return.
// More than one step have only these, since no more is promised of them:
//   a send that succeeds, on a channel with room    it takes its room; its message is there. In between it is under way: it
//                                                   may hold up to capacity - 1 messages behind it (these pass), it
//                                                   still succeeds if the channel is closed, and len() may count it
//   recv_many     a receive, then as many as are there, one after the other; it ends at `most` or when nothing is there
//   drop          the sender is counted no more; if it was the last, the channel is disconnected
//   reset         of the receiver: sends fail; the messages that were there are gone. In between they go one by one;
//                 a send that was under way then destroys its own, or leaves that to another that is; as long as one is
//                 under way they may be counted
// On a rendezvous a send and the receive that took its message are one step of both.
#pragma once

#include "call.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linear {

class sequential_channel {
public:
    sequential_channel(std::optional<std::size_t> capacity, std::uint8_t senders)
        : capacity_(capacity), senders_(senders) {}

    bool is_rendezvous() const { return capacity_ == 0; }

    // How many steps the operation has.
    std::size_t steps_of(const call& of) const {
        if (of.empty_handle) {
            return 1;
        }
        if (is_send(of.what)) {
            return of.succeeded() && !is_rendezvous() ? 2 : 1;
        }
        if (of.what == operation::recv_many && of.succeeded()) {
            return std::size_t{of.taken} + (of.taken < of.most || of.most == 0 ? 1 : 0);
        }
        return of.what == operation::drop || of.what == operation::reset_receiver ? 2 : 1;
    }

    // Whether that step meets another operation: a send and a receive of a rendezvous.
    bool is_meeting(const call& of, std::size_t step) const {
        return is_rendezvous() && !of.empty_handle && of.succeeded() &&
               (is_send(of.what) || (is_receive(of.what) && step < of.taken));
    }

    // Takes the step; false where it cannot have happened now, or cannot have had that result.
    bool take_step(const call& of, std::size_t step) {
        if (of.empty_handle) {
            return is_result_of_empty_handle(of);
        }
        if (is_send(of.what)) {
            return of.succeeded() ? (step == 0 ? begin_send(of.message) : end_send(of.message)) : fail_send(of.error);
        }
        if (is_receive(of.what)) {
            if (!of.succeeded()) {
                return fail_receive(of.error);
            }
            if (step < of.taken) {
                return take(of.messages[step]);
            }
            return of.most == 0 || queue_.empty(); // the end of a recv_many, or a loop over what is there
        }
        switch (of.what) {
        case operation::close:
            is_closed_ = true;
            return true;
        case operation::reset_receiver:
            has_receiver_ = false;
            is_leaving_ = step == 0;
            if (!is_leaving_) {
                queue_.clear();
            }
            return true;
        case operation::clone:
            ++senders_;
            return true;
        case operation::drop:
            if (step == 0) {
                --senders_;
            } else if (senders_ == 0) {
                is_disconnected_ = true;
            }
            return true;
        case operation::lock_weak:
            if ((of.value != 0) != (senders_ != 0)) {
                return false;
            }
            senders_ = static_cast<std::uint8_t>(senders_ + of.value);
            return true;
        case operation::request_stop:
            is_stopped_ = true;
            return true;
        case operation::len:
            return (is_being_destroyed() || ((of.value == 0) == queue_.empty() && of.value >= queue_.size())) &&
                   of.value <= queue_.size() + sends_under_way() + left_to_others_ &&
                   of.value <= capacity_.value_or(call::never);
        case operation::is_empty:
            return is_being_destroyed() || (of.value != 0) == queue_.empty();
        case operation::is_disconnected:
            return (of.value != 0) == (of.by_receiver ? is_closed_ || is_disconnected_ : refuses_sends());
        case operation::sender_count:
            return of.value == senders_;
        default:
            return false;
        }
    }

    // A send and a receive of a rendezvous.
    bool meet() const { return !refuses_sends(); }

    // All of the state, in bytes.
    void append_to(std::string& key) const {
        for (const message_id message : queue_) {
            key.push_back(static_cast<char>(message));
        }
        key.push_back('\xff');
        for (const slot& each : slots_) {
            key.push_back(static_cast<char>(each.message));
            key.push_back(static_cast<char>(each.now));
        }
        key.push_back('\xff');
        key.push_back(static_cast<char>(senders_));
        key.push_back(static_cast<char>(left_to_others_));
        key.push_back(static_cast<char>((is_disconnected_ ? 1 : 0) | (is_closed_ ? 2 : 0) | (has_receiver_ ? 4 : 0) |
                                        (is_stopped_ ? 8 : 0) | (is_leaving_ ? 16 : 0)));
    }

private:
    enum class state : std::uint8_t { under_way, there, taken };
    struct slot {
        message_id message;
        state now;
    };

    // Messages go, by the hand of the receiver or of their senders, and may be counted as long as they are there.
    bool is_being_destroyed() const { return is_leaving_ || (!has_receiver_ && sends_under_way() != 0); }

    bool refuses_sends() const { return is_closed_ || !has_receiver_; }

    std::size_t sends_under_way() const { return count(state::under_way); }
    std::size_t count(state which) const {
        return static_cast<std::size_t>(
            std::count_if(slots_.begin(), slots_.end(), [which](const slot& each) { return each.now == which; }));
    }

    // Room that was taken comes back in order: behind a send under way only `capacity` - 1 messages pass.
    bool may_be_full() const { return capacity_ && slots_.size() >= *capacity_; }

    bool begin_send(message_id message) {
        if (refuses_sends() || (capacity_ && slots_.size() - count(state::taken) >= *capacity_)) {
            return false;
        }
        slots_.push_back({message, state::under_way});
        return true;
    }

    bool end_send(message_id message) {
        if (has_receiver_) {
            queue_.push_back(message);
            set(message, state::there);
        } else {
            set(message, state::taken); // it is destroyed
            left_to_others_ = sends_under_way() != 0 ? left_to_others_ + 1 : 0;
        }
        return true;
    }

    bool fail_send(weir::channel_errc error) const {
        switch (error) {
        case weir::channel_errc::disconnected:
            return refuses_sends();
        case weir::channel_errc::full:
        case weir::channel_errc::timeout:
            return !refuses_sends() && may_be_full();
        case weir::channel_errc::stopped:
            return !refuses_sends() && may_be_full() && is_stopped_;
        default:
            return false;
        }
    }

    bool take(message_id message) {
        if (queue_.empty() || queue_.front() != message) {
            return false;
        }
        queue_.erase(queue_.begin());
        set(message, state::taken);
        return true;
    }

    bool fail_receive(weir::channel_errc error) const {
        const bool ends = (is_closed_ || is_disconnected_) && sends_under_way() == 0;
        switch (error) {
        case weir::channel_errc::disconnected:
            return queue_.empty() && ends;
        case weir::channel_errc::empty:
        case weir::channel_errc::timeout:
            return queue_.empty() && !ends;
        case weir::channel_errc::stopped:
            return queue_.empty() && !ends && is_stopped_;
        default:
            return false;
        }
    }

    static bool is_result_of_empty_handle(const call& of) {
        switch (of.what) {
        case operation::len:
        case operation::sender_count:
            return of.value == 0;
        case operation::is_empty:
        case operation::is_disconnected:
            return of.value == 1;
        case operation::recv_many:
            return of.most == 0 ? of.succeeded() : of.error == weir::channel_errc::disconnected;
        case operation::close:
        case operation::reset_receiver:
            return true;
        case operation::try_iterate:
            return of.taken == 0;
        default:
            return of.error == weir::channel_errc::disconnected;
        }
    }

    void set(message_id message, state now) {
        std::find_if(slots_.begin(), slots_.end(), [message](const slot& each) {
            return each.message == message;
        })->now = now;
        while (!slots_.empty() && slots_.front().now == state::taken) {
            slots_.erase(slots_.begin());
        }
    }

    std::optional<std::size_t> capacity_;
    std::vector<message_id> queue_; // what is there, in the order of arrival
    std::vector<slot> slots_;       // the room that is taken, in the order it was taken
    std::uint8_t senders_;
    bool is_disconnected_ = false;
    bool is_closed_ = false;
    bool has_receiver_ = true;
    bool is_stopped_ = false;
    bool is_leaving_ = false;        // the receiver, between its two steps
    std::size_t left_to_others_ = 0; // messages of sends that have returned without a receiver
};

} // namespace linear
