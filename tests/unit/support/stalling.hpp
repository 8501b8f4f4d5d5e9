// SPDX-License-Identifier: BSL-1.0
//
// Sends that stand still half-way, without any thread: what goes on meanwhile runs inside the making of their message.
#pragma once

#include "support/allocation.hpp"
#include "support/held.hpp"

#include <weir/detail/flavor/blocking_send.hpp>

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

// Tells its log when it is destroyed.
class logged {
public:
    logged(std::vector<std::uint64_t>& log, std::uint64_t value) noexcept : log_(&log), value_(value) {}
    logged(logged&& other) noexcept : log_(std::exchange(other.log_, nullptr)), value_(other.value_) {}
    logged(const logged&) = delete;
    logged& operator=(const logged&) = delete;
    logged& operator=(logged&&) = delete;
    ~logged() {
        if (log_ != nullptr) {
            log_->push_back(value_);
        }
    }

    std::uint64_t value() const noexcept { return value_; }

private:
    std::vector<std::uint64_t>* log_;
    std::uint64_t value_;
};

// Drives a flavor of `logged` messages at random on one thread, with sends that stand still, and compares all that it says
// with a plain list of what was sent. A send begun inside another ends inside it.
template <class Flavor>
class stalling_model {
public:
    enum class ending { none, close, drop };

    struct plan {
        std::size_t capacity; // how many messages fit
        unsigned seed;
        unsigned steps;
        unsigned deepest; // how many sends at most are under way at once
        ending end = ending::none;
    };

    // The flavor is held by `channel`.
    stalling_model(held<Flavor>& channel, const plan& how)
        : channel_(&channel), how_(how), random_(how.seed), steps_left_(how.steps) {
        destroyed_.reserve(how.steps + 1); // the logs take no memory while a test counts it
        expected_destroyed_.reserve(how.steps + 1);
        sent_.reserve(how.steps + 1);
    }

    // Calls surround(send) around each send; by default send() is called and that is all.
    template <class Surround>
    void run(Surround surround) {
        while (steps_left_ > 0 && !testing::Test::HasFailure()) {
            step(0, surround);
        }
        if (!testing::Test::HasFailure()) {
            finish();
        }
    }
    void run() {
        run([](auto send) { return send(); });
    }

private:
    enum class state : std::uint8_t { under_way, written, taken };

    template <class Surround>
    void step(unsigned depth, Surround& surround) {
        --steps_left_;
        if (how_.end != ending::none && steps_left_ == how_.steps / 2) {
            end_receiving();
        }
        // The load goes up and down, so that the channel is now full, now empty.
        const unsigned sends_of_16 = (steps_left_ / 64) % 2 == 0 ? 11 : 6;
        if (random_() % 16 < sends_of_16) {
            send(depth, depth < how_.deepest && random_() % 3 != 0, surround);
        } else if (!is_dropped_) {
            receive();
        }
        if (!is_dropped_) {
            EXPECT_EQ(flavor().len(), next() != sent_.end() ? sent_.size() - taken_ : 0) << where();
        }
        EXPECT_EQ(destroyed_.size(), expected_destroyed_.size()) << where();
    }

    template <class Surround>
    void send(unsigned depth, bool stalls, Surround& surround) {
        const std::size_t index = sent_.size();
        const bool expect_full = index - first_ >= how_.capacity;
        bool is_made = false;
        making_source source([&](void* place) {
            is_made = true;
            sent_.push_back(state::under_way);
            const memory_again for_others;
            if (stalls) {
                for (std::size_t meanwhile = random_() % 24; meanwhile > 0 && steps_left_ > 0; --meanwhile) {
                    step(depth + 1, surround);
                }
            }
            ::new (place) logged(destroyed_, index);
        });
        using weir::detail::send_result;
        const bool was_closed = is_closed_;
        // Nothing, where it threw.
        const std::optional<send_result> result =
            surround([&] { return std::optional(try_send_from(flavor(), source)); });
        const send_result expected = was_closed    ? send_result::disconnected
                                     : expect_full ? send_result::full
                                                   : send_result::sent;
        if (result || expected != send_result::sent) {
            EXPECT_EQ(result, expected) << where();
        }
        EXPECT_EQ(is_made, result == send_result::sent) << where();
        if (is_made) {
            sent_[index] = state::written;
            if (is_dropped_) {
                expect_destroyed(index); // by the send itself
            }
        }
    }

    // The message that is to come next.
    auto next() const {
        return std::find(sent_.begin() + static_cast<std::ptrdiff_t>(first_), sent_.end(), state::written);
    }

    void receive() {
        const auto expected = next();
        auto* const message = flavor().acquire();
        if (expected == sent_.end()) {
            EXPECT_EQ(message, nullptr) << where() << ": found " << (message != nullptr ? message->value() : 0);
            return;
        }
        const auto index = static_cast<std::uint64_t>(expected - sent_.begin());
        if (message == nullptr) {
            ADD_FAILURE() << where() << ": message " << index << " was not found";
            return;
        }
        EXPECT_EQ(message->value(), index) << where();
        if (random_() % 8 == 0) {
            EXPECT_EQ(flavor().acquire(), message) << where() << ": a second look found another";
        }
        flavor().release(message);
        expect_destroyed(index);
    }

    void end_receiving() {
        is_closed_ = true;
        if (how_.end == ending::close) {
            flavor().close();
            return;
        }
        is_dropped_ = true;
        channel_->drop_receiver();
        for (std::uint64_t index = first_; index < sent_.size(); ++index) {
            if (sent_[index] == state::written) {
                expect_destroyed(index);
            }
        }
    }

    void expect_destroyed(std::uint64_t index) {
        sent_[index] = state::taken;
        ++taken_;
        expected_destroyed_.push_back(index);
        while (first_ < sent_.size() && sent_[first_] == state::taken) {
            ++first_;
        }
    }

    void finish() {
        if (!is_dropped_) {
            while (first_ != sent_.size() && !testing::Test::HasFailure()) {
                receive();
            }
            EXPECT_EQ(flavor().acquire(), nullptr);
            EXPECT_EQ(flavor().len(), 0U);
            EXPECT_FALSE(flavor().is_send_under_way());
        }
        EXPECT_EQ(destroyed_, expected_destroyed_);
        EXPECT_EQ(destroyed_.size(), sent_.size());
    }

    Flavor& flavor() const noexcept { return **channel_; }

    std::string where() const {
        return "seed " + std::to_string(how_.seed) + ", step " + std::to_string(how_.steps - steps_left_);
    }

    held<Flavor>* channel_;
    plan how_;
    std::minstd_rand random_;
    unsigned steps_left_;
    std::vector<state> sent_;
    std::size_t first_ = 0; // every message before that is taken
    std::size_t taken_ = 0;
    bool is_closed_ = false;
    bool is_dropped_ = false;
    std::vector<std::uint64_t> destroyed_;
    std::vector<std::uint64_t> expected_destroyed_;
};

} // namespace unit
