// SPDX-License-Identifier: BSL-1.0
//
// What can go wrong in a channel operation: one enumeration an operation, all of them std::error_code.
#ifndef WEIR_ERROR_HPP
#define WEIR_ERROR_HPP

#include <weir/detail/platform/config.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace weir {

// Every error of every operation; the enumerations below are parts of it, with the same values. Compare a
// std::error_code with one of these to ask what happened, whichever operation it came from.
enum class channel_errc : unsigned char { disconnected = 1, full, empty, timeout, stopped };

enum class send_error : unsigned char { disconnected = 1 };
enum class try_send_error : unsigned char { disconnected = 1, full = 2 };
enum class send_timeout_error : unsigned char { disconnected = 1, timeout = 4 };
enum class send_stop_error : unsigned char { disconnected = 1, stopped = 5 };
enum class recv_error : unsigned char { disconnected = 1 };
enum class try_recv_error : unsigned char { disconnected = 1, empty = 3 };
enum class recv_timeout_error : unsigned char { disconnected = 1, timeout = 4 };
enum class recv_stop_error : unsigned char { disconnected = 1, stopped = 5 };

namespace detail {

template <class E>
concept sending_error = std::same_as<E, send_error> || std::same_as<E, try_send_error> ||
    std::same_as<E, send_timeout_error> || std::same_as<E, send_stop_error>;

template <class E>
concept receiving_error = std::same_as<E, recv_error> || std::same_as<E, try_recv_error> ||
    std::same_as<E, recv_timeout_error> || std::same_as<E, recv_stop_error>;

template <class E>
concept channel_error = std::same_as<E, channel_errc> || sending_error<E> || receiving_error<E>;

} // namespace detail

// The sentence that a person reads. An error of a send says that of the receiver what an error of a receive says of
// the senders.
template <detail::channel_error E>
[[nodiscard]] constexpr std::string_view to_string(E error) noexcept {
    switch (static_cast<channel_errc>(error)) {
    case channel_errc::disconnected:
        if constexpr (detail::sending_error<E>) {
            return "the channel is disconnected: its receiver is gone or closed";
        } else if constexpr (detail::receiving_error<E>) {
            return "the channel is disconnected: it is empty and nothing more will be sent";
        } else {
            return "the channel is disconnected";
        }
    case channel_errc::full:
        return "the channel is full";
    case channel_errc::empty:
        return "the channel is empty";
    case channel_errc::timeout:
        return "the operation timed out";
    case channel_errc::stopped:
        return "a stop was requested";
    }
    return "unknown channel error";
}

namespace detail {

class channel_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "weir"; }

    std::string message(int value) const override { return std::string(to_string(code_of(value))); }

    std::error_condition default_error_condition(int value) const noexcept override {
        switch (code_of(value)) {
        case channel_errc::disconnected:
            return std::errc::broken_pipe;
        case channel_errc::full:
        case channel_errc::empty:
            return std::errc::operation_would_block;
        case channel_errc::timeout:
            return std::errc::timed_out;
        case channel_errc::stopped:
            return std::errc::operation_canceled;
        }
        return {value, *this};
    }

private:
    // What is none of ours stays none.
    static constexpr channel_errc code_of(int value) noexcept {
        return value == static_cast<unsigned char>(value) ? static_cast<channel_errc>(value) : channel_errc{};
    }
};

// Never destroyed, so that codes are good for use in the destructors of static objects.
union channel_category_place {
    constexpr channel_category_place() noexcept : category() {}
    constexpr ~channel_category_place() {}
    channel_category_type category;
};
inline constinit channel_category_place channel_category_instance;

} // namespace detail

// The category of all codes below; its name is "weir".
[[nodiscard]] inline const std::error_category& channel_category() noexcept {
    return detail::channel_category_instance.category;
}

// Found by std::error_code's converting constructor. The codes map to the nearest std::errc: broken_pipe,
// operation_would_block, timed_out, operation_canceled.
template <detail::channel_error E>
[[nodiscard]] std::error_code make_error_code(E error) noexcept {
    return {static_cast<int>(error), channel_category()};
}

} // namespace weir

template <weir::detail::channel_error E>
struct std::is_error_code_enum<E> : std::true_type {};

#endif
