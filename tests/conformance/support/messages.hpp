// SPDX-License-Identifier: BSL-1.0
//
// Messages that tell what became of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "threads.hpp"

namespace conformance {

// Counts the objects of one test.
struct tally {
    std::atomic<std::uint64_t> made{0};    // constructions, moves among them
    std::atomic<std::uint64_t> gone{0};    // destructions
    std::atomic<std::uint64_t> dropped{0}; // destructions of one that still held its value
};

// A message that counts its constructions and destructions.
class counted {
public:
    counted(tally& where, std::uint64_t value) noexcept : tally_(&where), value_(value) { ++tally_->made; }
    counted(counted&& other) noexcept
        : tally_(other.tally_), value_(other.value_), holds_(std::exchange(other.holds_, false)) {
        ++tally_->made;
    }
    ~counted() {
        ++tally_->gone;
        if (holds_)
            ++tally_->dropped;
    }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    counted& operator=(counted&&) = delete;

    bool holds() const { return holds_; } // it has not been moved from
    std::uint64_t value() const { return value_; }

private:
    tally* tally_;
    std::uint64_t value_;
    bool holds_ = true;
};

// A place where the move constructor of a `slow` message stands still until it is let go.
class stall {
public:
    void hold() {
        held_.store(true);
        released_.wait(false);
    }
    void wait_until_held() const {
        EXPECT_TRUE(eventually([this] { return held_.load(); })) << "nobody moves the message";
    }
    void release() {
        released_.store(true);
        released_.notify_all();
    }

private:
    std::atomic<bool> held_{false};
    std::atomic<bool> released_{false};
};

// The first move of one that names a stall stands still there.
class slow {
public:
    explicit slow(std::uint64_t value, stall* where = nullptr,
                  std::shared_ptr<std::atomic<int>> destroyed = nullptr) noexcept
        : value_(value), stall_(where), destroyed_(std::move(destroyed)) {}
    slow(slow&& other) noexcept : value_(other.value_), destroyed_(std::move(other.destroyed_)) {
        if (stall* where = std::exchange(other.stall_, nullptr))
            where->hold();
    }
    slow(const slow&) = delete;
    slow& operator=(const slow&) = delete;
    slow& operator=(slow&&) = delete;
    ~slow() {
        if (destroyed_ != nullptr)
            ++*destroyed_;
    }

    std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_;
    stall* stall_ = nullptr;
    std::shared_ptr<std::atomic<int>> destroyed_; // counts the destruction of the value, not of what it was moved from
};

} // namespace conformance
