// SPDX-License-Identifier: BSL-1.0
//
// A waiter that is no thread in a blocking operation, as an arm of a select or a coroutine would be.
#pragma once

#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <atomic>
#include <new>

namespace unit {

class test_waiter final : public weir::detail::waiter {
public:
    using answer = weir::detail::answer;

    using service = weir::detail::service;

    explicit test_waiter(weir::detail::claim_word& claim, int message = 0, service asked = service::make) noexcept
        : waiter(claim), message_(message), asked_(asked) {}

    weir::detail::service asks_for() const noexcept override { return asked_; }
    void make_at(void* place) noexcept override { ::new (place) int(message_); }
    void finish(answer outcome) noexcept override {
        outcome_ = outcome;
        finishes_.fetch_add(1, std::memory_order_relaxed);
        parker_.unpark();
    }

    // Waits for finish(); false when it does not come in time.
    bool await(weir::detail::deadline until) noexcept { return parker_.park(until); }
    int finishes() const noexcept { return finishes_.load(std::memory_order_relaxed); }
    answer outcome() const noexcept { return outcome_; }

private:
    int message_;
    service asked_;
    answer outcome_{};
    std::atomic<int> finishes_{0};
    weir::detail::parker parker_;
};

// One that nobody shares a claim with.
struct sole_waiter {
    explicit sole_waiter(int message = 0, test_waiter::service asked = test_waiter::service::make) noexcept
        : waiter(claim, message, asked) {}
    weir::detail::claim_word claim;
    test_waiter waiter;
};

} // namespace unit
