// SPDX-License-Identifier: BSL-1.0
//
// What a channel is, in the plainest words: a queue, a count and two flags. What is destroyed is noted in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace fuzz {

struct channel_model;

struct end_model {
    channel_model* of = nullptr;
    bool is_receiver = false;
};

struct message_model {
    std::uint32_t number = 0;
    std::vector<end_model> ends;
};

struct channel_model {
    std::optional<std::size_t> capacity; // none: unbounded
    std::deque<message_model> queue;
    std::size_t senders = 1;
    bool has_receiver = true;
    bool is_closed = false;
    channel_model* receiver_in = nullptr; // the channel in whose queue this one's receiver is

    bool is_open() const { return has_receiver && !is_closed; }
    bool is_full() const { return capacity && queue.size() >= *capacity; }
    bool has_ended() const { return senders == 0 || is_closed; }
};

class model {
public:
    void put(channel_model& into, message_model message) {
        for (const end_model& each : message.ends) {
            if (each.is_receiver && each.of != nullptr) {
                each.of->receiver_in = &into;
            }
        }
        into.queue.push_back(std::move(message));
    }

    message_model take(channel_model& from) {
        message_model taken = std::move(from.queue.front());
        from.queue.pop_front();
        for (const end_model& each : taken.ends) {
            if (each.is_receiver && each.of != nullptr) {
                each.of->receiver_in = nullptr;
            }
        }
        return taken;
    }

    void drop(end_model what) {
        if (what.of == nullptr) {
            return;
        }
        if (!what.is_receiver) {
            --what.of->senders;
            return;
        }
        what.of->has_receiver = false;
        ++depth_;
        is_deep_ = is_deep_ || depth_ > deepest;
        for (std::deque<message_model> queued = std::exchange(what.of->queue, {}); !queued.empty(); queued.pop_front()) {
            destroy(queued.front());
        }
        --depth_;
    }

    void destroy(const message_model& message) {
        for (std::size_t i = message.ends.size(); i-- > 0;) { // what is in it goes first, the last first
            drop(message.ends[i]);
        }
        destroyed_.push_back(message.number);
    }

    // Whether a message with the receiver of `inner` may be put into `outer`, such that it can come out again.
    static bool may_hold(const channel_model& outer, const channel_model& inner) {
        for (const channel_model* at = &outer; at != nullptr; at = at->receiver_in) {
            if (at == &inner) {
                return false;
            }
        }
        return true;
    }

    std::vector<std::uint32_t> take_destroyed() { return std::exchange(destroyed_, {}); }
    // Whether a channel was dropped so deep inside others, since the last call, that its turn is not promised.
    bool take_deep() { return std::exchange(is_deep_, false); }

private:
    static constexpr int deepest = 9; // the outermost and eight inside it

    std::vector<std::uint32_t> destroyed_;
    int depth_ = 0;
    bool is_deep_ = false;
};

} // namespace fuzz
