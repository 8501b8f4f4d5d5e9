// SPDX-License-Identifier: BSL-1.0
//
// A coroutine that sends.
#ifndef WEIR_DETAIL_CORO_SEND_AWAITABLES_HPP
#define WEIR_DETAIL_CORO_SEND_AWAITABLES_HPP

#include <weir/detail/coro/resuming.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/offered_value.hpp>
#include <weir/detail/sending_wait.hpp>
#include <weir/error.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <expected>
#include <memory>
#include <utility>

namespace weir::detail {

// On an unbounded channel: never waits.
template <class T, class E, class Value>
class [[nodiscard("weir: an awaitable does nothing unless it is awaited")]] unbounded_send_awaitable final {
    using result = std::expected<void, E>;

public:
    unbounded_send_awaitable(const sender<T>& tx, Value&& value) noexcept
        : tx_(std::addressof(tx)), value_(std::forward<Value>(value)) {}
    unbounded_send_awaitable(const unbounded_send_awaitable&) = delete;
    unbounded_send_awaitable& operator=(const unbounded_send_awaitable&) = delete;

    static constexpr bool await_ready() noexcept { return true; }
    static constexpr void await_suspend(std::coroutine_handle<>) noexcept {}
    result await_resume() {
        if (!tx_->send(std::forward<Value>(value_))) {
            return std::unexpected(E::disconnected);
        }
        return {};
    }

    template <class Other>
    auto with(const Other&) const {
        return unbounded_send_awaitable(*tx_, std::forward<Value>(value_));
    }

private:
    const sender<T>* const tx_;
    Value&& value_;
};

template <class T, class Value, class Stop>
struct send_description {
    const sync_sender<T>* tx;
    Value&& value;
    WEIR_NO_UNIQUE_ADDRESS Stop stop;
};

template <class T, class E, class Value, class Stop, class Scheduler>
class send_awaiter final : public sending_wait<T, offered_value<T, Value>, Stop, coroutine_wait<Scheduler>> {
    using result = std::expected<void, E>;

public:
    using description = send_description<T, Value, Stop>;
    using scheduler = Scheduler;
    template <class Other>
    using on = send_awaiter<T, E, Value, Stop, Other>;

    send_awaiter(description what, Scheduler how)
        : send_awaiter::sending_wait(std::forward<Value>(what.value), what.stop, std::move(how)) {
        this->set_channel(handle_access::channel_of(*what.tx));
    }
    ~send_awaiter() {
        if (this->end_wait()) {
            const completions::call here;
            this->pass_on(this->leave());
            this->leave_senders();
        }
    }

    bool await_ready() { return this->is_over_at_once(); }
    WEIR_NOINLINE bool await_suspend(std::coroutine_handle<> coroutine) noexcept { // see coroutine_wait::suspend
        const completions::call here;
        this->join_senders();
        return this->suspend(coroutine);
    }
    result await_resume() noexcept {
        if (this->end_wait()) {
            this->leave_senders();
        }
        if (this->outcome() != send_result::sent) {
            return std::unexpected(static_cast<E>(this->outcome()));
        }
        return {};
    }
};

} // namespace weir::detail

#endif
