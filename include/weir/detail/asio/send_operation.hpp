// SPDX-License-Identifier: BSL-1.0
//
// A send whose owner is a handler.
#ifndef WEIR_DETAIL_ASIO_SEND_OPERATION_HPP
#define WEIR_DETAIL_ASIO_SEND_OPERATION_HPP

#include <weir/detail/asio/operation.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/detail/offered_value.hpp>
#include <weir/detail/sending_wait.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/error.hpp>
#include <weir/sync_sender.hpp>

#include <expected>
#include <functional>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weir::detail::inline WEIR_ASIO_KIND {

using send_operation_result = std::expected<void, std::error_code>;

// What async_send was given, until the operation takes it: the message itself, which is an offer (offered_value.hpp) as well,
template <class T>
class owned_value {
public:
    using offer = owned_value;
    static constexpr bool needs_preparation = false;

    WEIR_CALLERS_CONVERSION_BEGIN
    template <class Value>
    explicit owned_value(Value&& value) : value_(detail::passed_on<T>(std::forward<Value>(value))) {}
    WEIR_CALLERS_CONVERSION_END

    T&& take() noexcept { return std::move(value_); }
    void make_at(void* place) noexcept { ::new (place) T(detail::passed_on<T>(std::move(value_))); }

private:
    T value_;
};

// or a value that belongs to whoever made it: it may be moved from when the send succeeds, unless it is const.
template <class T, class Value>
class referred_message {
public:
    using type = std::conditional_t<std::is_const_v<Value>, Value&, Value>;
    using offer = offered_value<T, type>;

    explicit referred_message(const std::reference_wrapper<Value>& value) noexcept : value_(value.get()) {}

    type&& take() const noexcept { return static_cast<type&&>(value_); }

private:
    Value& value_;
};

// std::ref(v) is v itself, though not where messages are references.
template <class T, class Value>
struct how_given {
    static constexpr bool is_reference = false;
    using type = owned_value<T>;
};
template <class T, class Value>
    requires(!std::is_same_v<T, std::reference_wrapper<Value>> &&
             std::is_convertible_v<typename referred_message<T, Value>::type, T>)
struct how_given<T, std::reference_wrapper<Value>> {
    static constexpr bool is_reference = true;
    using type = referred_message<T, Value>;
};

template <class T, class Offer>
class send_operation : public sending_wait<T, Offer, cancellation_stop, operation> {
protected:
    template <class Value>
    explicit send_operation(Value&& value)
        : send_operation::sending_wait(std::forward<Value>(value), cancellation_stop()) {}
    ~send_operation() = default;

    bool prepare(const sync_sender<T>& tx) {
        const completions::call here;
        this->set_channel(handle_access::channel_of(tx));
        if (this->is_over_at_once()) {
            return true;
        }
        this->join_senders();
        return false;
    }

    bool gives_way() noexcept { return this->takes_another_turn(); }
    static constexpr bool is_over() noexcept { return true; }
    static constexpr bool looks_again() noexcept { return false; }

    send_operation_result conclude() noexcept {
        leave();
        switch (this->outcome()) {
        case send_result::sent:
            return {};
        case send_result::disconnected:
            return std::unexpected(make_error_code(send_error::disconnected));
        default:
            return std::unexpected(detail::operation_aborted());
        }
    }

    void leave() noexcept { this->leave_senders(); }

private:
    void abandon() noexcept final { this->pass_on(this->cancel()); }
};

// On an unbounded channel a send never waits, and this is all that is left of it.
template <class Handler>
struct sent {
    using allocator_type = net::associated_allocator_t<Handler>;

    Handler handler;
    bool is_sent;

    allocator_type get_allocator() const noexcept { return net::get_associated_allocator(handler); }
    void operator()() {
        const handling here;
        if (is_sent) {
            std::move(handler)(send_operation_result());
        } else {
            std::move(handler)(send_operation_result(std::unexpected(make_error_code(send_error::disconnected))));
        }
    }
};

} // namespace weir::detail::inline WEIR_ASIO_KIND

#endif
