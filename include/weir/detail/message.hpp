// SPDX-License-Identifier: BSL-1.0
//
// What a message type must be, and how a message is made from what a caller gave.
#ifndef WEIR_DETAIL_MESSAGE_HPP
#define WEIR_DETAIL_MESSAGE_HPP

#include <weir/detail/platform/config.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::detail {

// True, or one plain sentence at compile time. What needs a complete type is asked where a channel is made.
template <class T>
constexpr bool check_message_kind() {
    static_assert(std::is_object_v<T> && !std::is_array_v<T>,
                  "weir: a message type must be an object type, not a reference, function, array or void");
    static_assert(!std::is_const_v<T> && !std::is_volatile_v<T>, "weir: a message type must not be const or volatile");
    return true;
}

template <class T>
constexpr bool check_message() {
    if constexpr (check_message_kind<T>()) {
        static_assert(std::is_nothrow_move_constructible_v<T>,
                      "weir: a message type must be nothrow move constructible");
        static_assert(std::is_nothrow_destructible_v<T>, "weir: a message type must be nothrow destructible");
    }
    return true;
}

// Refers to the arguments that a message is made of, and makes it at the moment of success, straight in its slot. Only for
// arguments from which it can be made without an exception.
template <class T, class... Args>
class message_source {
public:
    static_assert(std::is_nothrow_constructible_v<T, Args...>);

    explicit message_source(Args&&... args) noexcept : args_(std::forward<Args>(args)...) {}

    void make_at(void* place) noexcept {
        std::apply([place](auto&&... args) { ::new (place) T(std::forward<decltype(args)>(args)...); }, std::move(args_));
    }

private:
    std::tuple<Args&&...> args_;
};

// Calls send(source) with a source for a T made of `args`: of the arguments themselves where making a T cannot throw, else
// of a local made before anything is claimed.
template <class T, class Send, class... Args>
decltype(auto) with_source(Send&& send, Args&&... args) {
    if constexpr (std::is_nothrow_constructible_v<T, Args...>) {
        message_source<T, Args...> source(std::forward<Args>(args)...);
        return send(source);
    } else {
        T local(std::forward<Args>(args)...);
        message_source<T, T> source(std::move(local));
        return send(source);
    }
}

// Storage for one T that has no lifetime of its own.
template <class T>
struct message_place {
    alignas(T) std::byte bytes[sizeof(T)];

    T* get() noexcept { return std::launder(reinterpret_cast<T*>(bytes)); }
    void* raw() noexcept { return bytes; }
};

} // namespace weir::detail

#endif
