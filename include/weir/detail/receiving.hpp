// SPDX-License-Identifier: BSL-1.0
//
// Taking messages out of a channel of whatever flavor.
#ifndef WEIR_DETAIL_RECEIVING_HPP
#define WEIR_DETAIL_RECEIVING_HPP

#include <weir/detail/channel_core.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/error.hpp>

#include <cstddef>
#include <cstdio>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::detail {

// The thread's stay in the receiver. With WEIR_CHECKED a second one at the same time ends the program. A template, so
// that translation units may differ in that.
template <bool Checked = WEIR_CHECKED != 0>
class receiver_use {
public:
    receiver_use(channel_base& channel, const char* call) noexcept : channel_(channel) {
        if (!channel.enter_receiver()) {
            constexpr int size = 160;
            char message[size];
            std::snprintf(message, size, "receiver::%s was called while another call was inside the same receiver",
                          call);
            fatal(message);
        }
    }
    ~receiver_use() {
        channel_.leave_receiver();
        completions::run();
    }

    receiver_use(const receiver_use&) = delete;
    receiver_use& operator=(const receiver_use&) = delete;

private:
    channel_base& channel_;
};

template <>
class receiver_use<false> {
public:
    receiver_use(channel_base&, const char*) noexcept {}
    ~receiver_use() {} // so that a use is no unused variable

    receiver_use(const receiver_use&) = delete;
    receiver_use& operator=(const receiver_use&) = delete;
};

// With WEIR_CHECKED: a receiver may be closed while a wait without a thread is inside it, but not while a call is.
template <bool Checked = WEIR_CHECKED != 0>
void check_close(const channel_base& channel) noexcept {
    if (Checked && channel.is_receiver_called()) {
        fatal("receiver::close was called while another call was inside the same receiver");
    }
}

// A message that acquire() gave, from then until its slot is free again. Flavor: or a channel_core.
template <class Flavor, class T>
class taken_message {
public:
    taken_message(Flavor& flavor, T* message) noexcept : flavor_(flavor), message_(message) {}
    WEIR_INLINE ~taken_message() { flavor_.release(message_); }

    taken_message(const taken_message&) = delete;
    taken_message& operator=(const taken_message&) = delete;

private:
    Flavor& flavor_;
    T* message_;
};

// The same of one that acquire_at_once() gave.
template <class Flavor, class T>
class taken_at_once {
public:
    taken_at_once(Flavor& flavor, T* message) noexcept : flavor_(flavor), message_(message) {}
    WEIR_INLINE ~taken_at_once() {
        if (flavor_.release_at_once(message_)) [[unlikely]] {
            static_cast<channel_core<T>&>(flavor_).settle();
        }
    }

    taken_at_once(const taken_at_once&) = delete;
    taken_at_once& operator=(const taken_at_once&) = delete;

private:
    Flavor& flavor_;
    T* message_;
};

template <class Flavor>
using message_of = decltype(std::declval<Flavor&>().acquire());

// Whether no message will come but those that are there.
template <class Flavor>
bool is_over(const Flavor& flavor) noexcept {
    return !flavor.has_senders() || (flavor.is_closed() && !flavor.is_send_under_way());
}

// Never waits. Errors: empty, disconnected.
template <class Flavor>
auto look_for_message(Flavor& flavor) noexcept {
    using result = take_result<std::remove_pointer_t<message_of<Flavor>>>;
    if (auto* const message = flavor.acquire()) {
        return result{message, {}};
    }
    WEIR_POINT("receiver.missed");
    if (detail::is_over(flavor)) {
        // What there is came before that.
        auto* const message = flavor.acquire();
        return result{message, channel_errc::disconnected};
    }
    return result{nullptr, channel_errc::empty};
}

// The same, of a receive that does not wait after that.
template <class Flavor>
auto try_take(Flavor& flavor) noexcept {
    const auto taken = detail::look_for_message(flavor);
    if (taken.message == nullptr) {
        flavor.found_empty();
    }
    return taken;
}

// The same, for callers who may look again and again. Where they look so often that they slow the senders down, what is
// empty is told a moment later; not looked at again, so that a caller who takes all that there is comes to an end.
template <class Flavor>
auto poll(Flavor& flavor) noexcept {
    const auto taken = detail::try_take(flavor);
    if constexpr (requires { flavor.hold_back(); }) {
        if (taken.message == nullptr && taken.error == channel_errc::empty) {
            flavor.hold_back();
        }
    }
    return taken;
}

// Whether try_take would say anything but `empty`. Takes nothing.
template <class Flavor>
bool can_take(Flavor& flavor) noexcept {
    return flavor.has_message() || detail::is_over(flavor);
}

// The same after enrolling at the receiving side: what is not seen here will be told.
template <class Flavor>
bool can_take_after_enrol(Flavor& flavor) noexcept {
    if (detail::can_take(flavor)) {
        return true;
    }
    if (!flavor.is_send_under_way()) {
        return false;
    }
    flavor.receiving_barrier();
    return detail::can_take(flavor);
}

// For waiters that one told message is as good for as another: enrols at the receiving side.
template <class Flavor>
enrolment watch_for_message(Flavor& flavor, waiter& node) noexcept {
    flavor.watch_receiving(node);
    return detail::can_take_after_enrol(flavor) && node.take() ? enrolment::ready : enrolment::waits;
}

template <class Flavor, class Stop>
auto take_slowly(Flavor& flavor, deadline until, const Stop& stop) noexcept {
    auto taken = take_result<std::remove_pointer_t<message_of<Flavor>>>{};
    wait_result ended{};
    {
        const completions::hold until_released; // of a message that it gives
        ended = flavor.wait(until, stop, [&]() noexcept {
            taken = detail::look_for_message(flavor);
            return taken.message != nullptr || taken.error != channel_errc::empty;
        });
    }
    if (ended != wait_result::ready) {
        taken = {nullptr, ended == wait_result::timeout ? channel_errc::timeout : channel_errc::stopped};
    }
    if (taken.message == nullptr) {
        flavor.found_empty();
        flavor.run_completions();
    }
    return taken;
}

// What is at hand, else the result of wait(deadline), which is called until that of whatever kind has passed.
template <class Channel, class Deadline, class Wait>
auto take_until(Channel& channel, const Deadline& until, Wait wait) {
    using result = decltype(wait(deadline::never()));
    if (auto* const message = channel.acquire_head()) {
        return result{message, {}};
    }
    return until.wait(
        wait, [](const result& taken) { return taken.message == nullptr && taken.error == channel_errc::timeout; });
}

// Waits until `until`, a deadline of whatever kind. Errors: disconnected, timeout, stopped.
template <class Flavor, class Deadline, class Stop>
auto take(Flavor& flavor, const Deadline& until, const Stop& stop) {
    return detail::take_until(flavor, until,
                              [&](deadline steady) noexcept { return detail::take_slowly(flavor, steady, stop); });
}

// The same, of whatever flavor. Errors: disconnected, timeout.
template <class T, class Deadline>
take_result<T> take_from(channel_core<T>& channel, const Deadline& until) {
    return detail::take_until(channel, until, [&](deadline steady) noexcept { return channel.take(steady); });
}

// Destroys all messages that are there. True: one may still come in.
template <class Flavor>
bool drop_messages(Flavor& flavor) noexcept {
    while (flavor.is_send_under_way()) {
        auto* const message = flavor.acquire();
        if (message == nullptr) {
            return true;
        }
        flavor.release(message);
    }
    return false;
}

// A call of several receives.
class receive_call {
public:
    explicit receive_call(channel_base& channel) noexcept : channel_(channel) {}
    receive_call(const receive_call&) = delete;
    receive_call& operator=(const receive_call&) = delete;
    ~receive_call() {
        held_.reset();
        channel_.run_completions();
    }

private:
    channel_base& channel_;
    std::optional<completions::hold> held_{std::in_place};
};

// Moves `message`, which acquire() gave, to `out`, and then what else is there, up to `max`; how many it was.
template <class Flavor, class Message, class Output>
std::size_t take_many(Flavor& flavor, Message* message, Output out, std::size_t max) {
    const receive_call call(flavor);
    std::size_t count = 0;
    while (message != nullptr) {
        {
            const taken_message taken(flavor, message);
            WEIR_CALLERS_CONVERSION_BEGIN
            *out++ = std::move(*message);
            WEIR_CALLERS_CONVERSION_END
        }
        message = ++count < max ? flavor.acquire() : nullptr;
    }
    return count;
}

} // namespace weir::detail

#endif
