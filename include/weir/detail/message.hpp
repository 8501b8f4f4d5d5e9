// SPDX-License-Identifier: BSL-1.0
//
// What a message type must be, and how a message is made from what a caller gave.
#ifndef WEIR_DETAIL_MESSAGE_HPP
#define WEIR_DETAIL_MESSAGE_HPP

#include <weir/detail/known_move.hpp>
#include <weir/detail/platform/config.hpp>
#include <weir/detail/platform/cpu.hpp>

#include <cstddef>
#include <memory>
#include <new>
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
        constexpr bool destructible = std::is_nothrow_destructible_v<T>;
        static_assert(destructible, "weir: a message type must be nothrow destructible");
        // What throws when it is destroyed counts as throwing when it is made, too: one sentence is enough.
        static_assert(!destructible || std::is_nothrow_move_constructible_v<T>,
                      "weir: a message type must be nothrow move constructible");
    }
    return true;
}

// Many bytes, and nothing else.
template <class T>
constexpr bool is_large_and_plain = sizeof(T) >= 256 && std::is_aggregate_v<T> && std::is_trivially_copyable_v<T> &&
                                    std::is_trivially_default_constructible_v<T>;

// What fits in registers, and is as good in a copy: nothing of it lies in memory then, unless a slow path puts it there.
template <class T>
constexpr bool is_small_and_plain = sizeof(T) <= 2 * sizeof(void*) && std::is_trivially_copyable_v<T> &&
                                    std::is_copy_constructible_v<T> && !std::is_empty_v<T>;

// Whether any thread may make a T of these: it runs no code of users.
template <class T, class... From>
constexpr bool is_made_by_any_thread =
    (std::is_scalar_v<T> && (std::is_scalar_v<std::remove_cvref_t<From>> && ...)) ||
    (has_known_move<T> && sizeof...(From) == 1 && (std::is_same_v<std::remove_cvref_t<From>, T> && ...));

// Converts to a T of the same bytes.
template <class T>
class copy_of {
public:
    explicit copy_of(const T& from) noexcept : from_(from) {}

    operator T() const noexcept {
        T copy; // where the caller wants it: it is elided
        copy_bytes(std::addressof(copy), std::addressof(from_), sizeof(T));
        return copy;
    }

private:
    const T& from_;
};

// `value`, as the one argument to make a T of.
template <class T, class Value>
decltype(auto) passed_on(Value&& value) noexcept {
    if constexpr (is_large_and_plain<T> && std::is_same_v<std::remove_cvref_t<Value>, T>) {
        return copy_of<T>(value);
    } else {
        return std::forward<Value>(value);
    }
}

// Makes a message from what a caller gave, at the moment of success, straight in its slot: make() returns a T and
// does not throw. `ByAnyThread`: whether any thread may call it.
template <class T, bool ByAnyThread, class Make>
class message_source {
public:
    using type = T;
    static constexpr bool any_thread_makes_it = ByAnyThread;

    explicit message_source(Make make) noexcept : make_(std::move(make)) {}

    void make_at(void* place) noexcept { ::new (place) T(make_()); }

private:
    Make make_;
};

// How a function that is not inlined takes a source.
template <class Source>
struct passed_source {
    using type = Source&;
};
template <class T, bool ByAnyThread, class Make>
struct passed_source<message_source<T, ByAnyThread, Make>> {
    using source = message_source<T, ByAnyThread, Make>;
    using type = std::conditional_t<is_small_and_plain<source>, source, source&>;
};
template <class Source>
using passed = typename passed_source<Source>::type;

WEIR_CALLERS_CONVERSION_BEGIN

// The result of send(source), with a source for the T that make() returns. If making it may throw (`Throws`) that is
// done first, in a local, before anything is claimed, and only if check() finds that the send may succeed.
template <class T, bool Throws, bool ByAnyThread, class Make, class Check, class Send>
WEIR_INLINE auto send_made(Make make, const Check& check, const Send& send) {
    if constexpr (Throws) {
        if (auto refused = check(); !refused) {
            return refused;
        }
        T local(make());
        return detail::send_made<T, false, has_known_move<T>>([&local]() noexcept -> T { return T(std::move(local)); },
                                                              check, send);
    } else {
        message_source<T, ByAnyThread, Make> source(std::move(make));
        return send(source);
    }
}

// Likewise for the T that `value` converts to.
template <class T, class Value, class Check, class Send>
WEIR_INLINE auto send_converted(Value&& value, const Check& check, const Send& send) {
    constexpr bool throws = !std::is_nothrow_convertible_v<Value, T>;
    constexpr bool by_any_thread = is_made_by_any_thread<T, Value>;
    if constexpr (by_any_thread && !throws && is_small_and_plain<T>) {
        return detail::send_made<T, false, true>([copy = value]() noexcept -> T { return copy; }, check, send);
    } else {
        return detail::send_made<T, throws, by_any_thread>(
            [&value]() -> T { return detail::passed_on<T>(std::forward<Value>(value)); }, check, send);
    }
}

// Likewise for a T constructed from `args`.
template <class T, class Check, class Send, class... Args>
WEIR_INLINE auto send_constructed(const Check& check, const Send& send, Args&&... args) {
    return detail::send_made<T, !std::is_nothrow_constructible_v<T, Args...>, is_made_by_any_thread<T, Args...>>(
        [&]() -> T { return T(std::forward<Args>(args)...); }, check, send);
}

WEIR_CALLERS_CONVERSION_END

// Storage for one T that has no lifetime of its own.
template <class T>
struct message_place {
    alignas(T) std::byte bytes[sizeof(T)];

    T* get() noexcept { return std::launder(reinterpret_cast<T*>(bytes)); }
    void* raw() noexcept { return bytes; }
};

} // namespace weir::detail

#endif
