// SPDX-License-Identifier: BSL-1.0
//
// Sends that stand still half-way, without any thread: what goes on meanwhile runs inside the making of their message.
#pragma once

#include "support/allocation.hpp"
#include "support/held.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace unit {

// Is told which messages are destroyed.
class message_log {
public:
    virtual void note_destroyed(std::size_t index) noexcept = 0;

protected:
    ~message_log() = default;
};

// A message that tells its log when it is destroyed.
class logged {
public:
    logged(message_log& log, std::size_t index) noexcept : log_(&log), index_(index) {}
    logged(logged&& other) noexcept : log_(std::exchange(other.log_, nullptr)), index_(other.index_) {}
    logged(const logged&) = delete;
    logged& operator=(const logged&) = delete;
    logged& operator=(logged&&) = delete;
    ~logged() {
        if (log_ != nullptr) {
            log_->note_destroyed(index_);
        }
    }

    std::size_t index() const noexcept { return index_; }

private:
    message_log* log_;
    std::size_t index_;
};

enum class ending : std::uint8_t { none, close, drop };

// What is done around each send and each receive: nothing.
struct plainly {
    template <class Operation>
    auto operator()(Operation operation) const {
        return operation();
    }
};

// Drives a channel of `logged` messages at random on one thread, with sends that stand still, and holds it to what is promised:
//   a message is received or destroyed once, after it was made;
//   none comes before one whose send had returned when its own began;
//   nothing is found only where no message is there whose send has returned;
//   it is full, and len() is, exactly as it must be;
//   once the receiver is gone no message outlives its send.
// A send begun inside another ends inside it.
class stalling_model final : message_log {
public:
    struct plan {
        std::size_t capacity; // how many messages fit
        unsigned seed;
        unsigned steps;
        unsigned deepest; // how many sends at most are under way at once
        ending end = ending::none;
    };

    stalling_model(any_channel<logged>& channel, const plan& how)
        : channel_(&channel), how_(how), random_(how.seed), steps_left_(how.steps) {
        messages_.reserve(how.steps + 1); // so that it takes no memory while a test counts it
    }

    // Calls around_send(send) and around_receive(receive); each is to call what it is given, or to let it throw and return
    // nothing.
    template <class AroundSend = plainly, class AroundReceive = plainly>
    void run(AroundSend around_send = {}, AroundReceive around_receive = {}) {
        while (steps_left_ > 0 && !testing::Test::HasFailure()) {
            step(0, around_send, around_receive);
        }
        if (!testing::Test::HasFailure()) {
            finish(around_receive);
        }
    }

private:
    enum class state : std::uint8_t { under_way, made, sent, gone };

    struct entry {
        state now = state::under_way;
        std::uint64_t claimed_at = 0;
        std::uint64_t sent_at = 0;
    };

    template <class AroundSend, class AroundReceive>
    void step(unsigned depth, AroundSend& around_send, AroundReceive& around_receive) {
        --steps_left_;
        if (how_.end != ending::none && steps_left_ == how_.steps / 2) {
            end_receiving();
        }
        // The load goes up and down, so that the channel is now full, now empty.
        const unsigned sends_of_16 = (steps_left_ / 64) % 2 == 0 ? 11 : 6;
        if (random_() % 16 < sends_of_16) {
            send(depth, depth < how_.deepest && random_() % 3 != 0, around_send, around_receive);
        } else if (!is_dropped_) {
            receive(around_receive);
        }
        if (!is_dropped_) {
            EXPECT_EQ(channel_->len(), is_anything_there() ? messages_.size() - gone_ : 0) << where();
        }
    }

    template <class AroundSend, class AroundReceive>
    void send(unsigned depth, bool stalls, AroundSend& around_send, AroundReceive& around_receive) {
        const std::size_t index = messages_.size();
        const send_result expected = is_closed_                        ? send_result::disconnected
                                     : index - first_ >= how_.capacity ? send_result::full
                                                                       : send_result::sent;
        bool is_made = false;
        auto source = making<logged>([&](void* place) {
            is_made = true;
            messages_.push_back({state::under_way, ++time_, 0});
            {
                const memory_again for_others;
                for (std::size_t meanwhile = stalls ? random_() % 24 : 0; meanwhile > 0 && steps_left_ > 0;
                     --meanwhile) {
                    step(depth + 1, around_send, around_receive);
                }
            }
            ::new (place) logged(*this, index);
            messages_[index].now = state::made;
        });
        const std::optional<send_result> result =
            around_send([&] { return std::optional(channel_->try_send(source)); });
        if (result || expected != send_result::sent) {
            EXPECT_EQ(result, expected) << where();
        }
        EXPECT_EQ(is_made, result == send_result::sent) << where();
        if (!is_made) {
            return;
        }
        EXPECT_EQ(messages_[index].now, is_dropped_ ? state::gone : state::made) << where();
        if (messages_[index].now == state::made) {
            messages_[index].now = state::sent;
            messages_[index].sent_at = ++time_;
        }
    }

    template <class AroundReceive>
    void receive(AroundReceive& around_receive) {
        auto* const message = around_receive([&] { return channel_->acquire(); });
        EXPECT_EQ(message != nullptr, is_anything_there()) << where();
        if (message != nullptr) {
            const std::size_t index = message->index();
            around_receive([&] {
                channel_->release(message);
                return true;
            });
            EXPECT_EQ(messages_[index].now, state::gone) << where();
        }
    }

    void end_receiving() {
        is_closed_ = true;
        if (how_.end == ending::close) {
            channel_->close();
            return;
        }
        is_dropped_ = true;
        channel_->drop_receiver();
        EXPECT_FALSE(is_anything_there()) << where();
    }

    void note_destroyed(std::size_t index) noexcept override {
        EXPECT_TRUE(messages_[index].now == state::made || messages_[index].now == state::sent) << where();
        for (std::size_t i = first_; i < messages_.size(); ++i) {
            EXPECT_FALSE(messages_[i].now == state::sent && messages_[i].sent_at < messages_[index].claimed_at)
                << where() << ": message " << index << " came before " << i;
        }
        messages_[index].now = state::gone;
        ++gone_;
        while (first_ < messages_.size() && messages_[first_].now == state::gone) {
            ++first_;
        }
    }

    bool is_anything_there() const {
        return std::any_of(messages_.begin() + static_cast<std::ptrdiff_t>(first_), messages_.end(),
                           [](const entry& each) { return each.now == state::sent; });
    }

    template <class AroundReceive>
    void finish(AroundReceive& around_receive) {
        if (!is_dropped_) {
            while (first_ != messages_.size() && !testing::Test::HasFailure()) {
                receive(around_receive);
            }
            EXPECT_EQ(channel_->acquire(), nullptr);
            EXPECT_EQ(channel_->len(), 0U);
            EXPECT_FALSE(channel_->is_send_under_way());
        }
        EXPECT_EQ(gone_, messages_.size());
    }

    std::string where() const {
        return "seed " + std::to_string(how_.seed) + ", step " + std::to_string(how_.steps - steps_left_);
    }

    any_channel<logged>* channel_;
    plan how_;
    std::minstd_rand random_;
    unsigned steps_left_;
    std::uint64_t time_ = 0;
    std::vector<entry> messages_;
    std::size_t first_ = 0; // every message before that is gone
    std::size_t gone_ = 0;
    bool is_closed_ = false;
    bool is_dropped_ = false;
};

} // namespace unit
