// SPDX-License-Identifier: BSL-1.0
//
// Waiting for several channels at once, and doing exactly one of several things.
#ifndef WEIR_SELECT_HPP
#define WEIR_SELECT_HPP

#include <weir/detail/select/arms.hpp>
#include <weir/detail/select/result.hpp>
#include <weir/detail/select/select_core.hpp>
#include <weir/receiver.hpp>
#include <weir/selector.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace weir {

// The arms of a select. Each names what to wait for and the handler to run when it is chosen. An arm refers to what it
// is given, so it is best written in the call of select itself.

// Receives a message. The handler takes a std::expected<T, recv_error>: the message, or `disconnected`.
template <class T, class Handler>
[[nodiscard]] auto on_recv(receiver<T>& rx, Handler&& handler) {
    return detail::recv_arm<T, receiver<T>&, std::decay_t<Handler>>(rx, std::forward<Handler>(handler));
}
// The same for a receiver that lives as long as the arm: on_recv(after(1s), …).
template <class T, class Handler>
[[nodiscard]] auto on_recv(receiver<T>&& rx, Handler&& handler) {
    return detail::recv_arm<T, receiver<T>, std::decay_t<Handler>>(std::move(rx), std::forward<Handler>(handler));
}

// Sends `value`, a T or what converts to one. The handler takes a std::expected<void, send_error>. An arm that is not
// chosen, or fails, leaves its value untouched. A conversion that may throw, a copy for example, is made first, before
// the select waits or the message is sent; where another arm is chosen then, its result is thrown away.
template <class T, class Value = T, class Handler>
    requires std::convertible_to<Value, T>
[[nodiscard]] auto on_send(const sender<T>& tx, Value&& value, Handler&& handler) {
    return detail::unbounded_send_arm<T, Value, std::decay_t<Handler>>(tx, std::forward<Value>(value),
                                                                       std::forward<Handler>(handler));
}
template <class T, class Value = T, class Handler>
    requires std::convertible_to<Value, T>
[[nodiscard]] auto on_send(const sync_sender<T>& tx, Value&& value, Handler&& handler) {
    return detail::sync_send_arm<T, Value, std::decay_t<Handler>>(tx, std::forward<Value>(value),
                                                                  std::forward<Handler>(handler));
}

// The channel's receiver is gone or closed. The handler takes no argument.
template <class T, class Handler>
[[nodiscard]] auto on_disconnected(const sender<T>& tx, Handler&& handler) {
    const auto is_disconnected = [&tx]() noexcept { return tx.is_disconnected(); };
    return detail::closing_arm<std::decay_t<Handler>, decltype(is_disconnected)>(
        detail::handle_access::channel_of(tx), is_disconnected, std::forward<Handler>(handler));
}
template <class T, class Handler>
[[nodiscard]] auto on_disconnected(const sync_sender<T>& tx, Handler&& handler) {
    const auto is_disconnected = [&tx]() noexcept { return tx.is_disconnected(); };
    return detail::closing_arm<std::decay_t<Handler>, decltype(is_disconnected)>(
        detail::handle_access::channel_of(tx), is_disconnected, std::forward<Handler>(handler));
}

#if WEIR_HAS_STOP_TOKEN
// A stop was requested. The handler takes no argument.
template <class Handler>
[[nodiscard]] auto on_stop(std::stop_token token, Handler&& handler) {
    return detail::stop_arm<std::decay_t<Handler>>(std::move(token), std::forward<Handler>(handler));
}
#endif

// No other arm was ready within `timeout`, counted from here. Zero, less, and NaN: none was ready at once; too long for
// the clock: no limit. At most one of on_timeout, on_deadline and on_idle. The handler takes no argument.
template <class Rep, class Period, class Handler>
[[nodiscard]] auto on_timeout(std::chrono::duration<Rep, Period> timeout, Handler&& handler) {
    return detail::limit_arm<detail::deadline, std::decay_t<Handler>>(detail::deadline::after(timeout),
                                                                      std::forward<Handler>(handler));
}
// The same, until `deadline` on its clock.
template <class Clock, class Duration, class Handler>
[[nodiscard]] auto on_deadline(std::chrono::time_point<Clock, Duration> deadline, Handler&& handler) {
    using until = decltype(detail::clock_deadline(deadline));
    return detail::limit_arm<until, std::decay_t<Handler>>(detail::clock_deadline(deadline),
                                                           std::forward<Handler>(handler));
}
// The same, at once: the select does not wait.
template <class Handler>
[[nodiscard]] auto on_idle(Handler&& handler) {
    return detail::limit_arm<detail::deadline, std::decay_t<Handler>>(detail::deadline::passed(),
                                                                      std::forward<Handler>(handler));
}

// select(biased, …) prefers the arms in the order written.
struct biased_t {
    explicit biased_t() = default;
};
inline constexpr biased_t biased{};

namespace detail {

template <class... Arms>
WEIR_CHECKED_FUNCTION decltype(auto) select_among(bool is_biased, Arms&... arms) {
    using result = select_result<Arms...>;
    if constexpr (!std::is_same_v<result, no_result>) {
        std::array<select_arm*, sizeof...(Arms)> list{};
        std::size_t count = 0;
        (detail::add_arm(list, count, arms), ...);
        const std::span<select_arm*> all(list.data(), count);
        select_arm* chosen = nullptr;
        {
            const completions::call here; // ends after the use of the receivers
            const select_use<> alone(all);
            select_core core(all, is_biased);
            const auto attempt = [&](deadline until) { return core.run(until); };
            const auto has_timed_out = [](const select_arm* arm) { return arm == nullptr; };
            chosen = detail::limit_of(arms...).wait(attempt, has_timed_out);
        }
        return detail::run_arm<result>(chosen, arms...);
    }
}

} // namespace detail

// Waits until one of the arms is ready, lets exactly that one take effect, and returns what its handler returns.
//
// Of several that are ready each is as likely. A disconnected channel's arm is ready, with its error. The same channel
// may stand in several arms, also with both its ends, which do not meet each other. The handler runs when all other
// arms have been withdrawn: it may use any channel.
//
// Returns: the handlers' common type; a reference if all return the same one.
// Throws: what the handler throws, its arm having taken effect; std::bad_alloc of a send on an unbounded channel, and
// what making a message throws, with no arm having taken effect.
// Blocks: until an arm is ready, if there is neither on_timeout, on_deadline nor on_idle.
// Complexity: an arm that is ready needs neither memory nor a system call; a wait needs no memory.
//
//     weir::select(weir::on_recv(jobs, [&](auto job) { … }), weir::on_timeout(1s, [&] { … }));
template <class... Arms>
WEIR_CHECKED_FUNCTION decltype(auto) select(Arms&&... arms) {
    return detail::select_among(false, arms...);
}
// The first ready arm in the order written.
template <class... Arms>
WEIR_CHECKED_FUNCTION decltype(auto) select(biased_t, Arms&&... arms) {
    return detail::select_among(true, arms...);
}

} // namespace weir

#endif
