// SPDX-License-Identifier: BSL-1.0
//
// A value that is to be sent later, if at all: by an arm of a select, or by a wait without a thread.
#ifndef WEIR_DETAIL_OFFERED_VALUE_HPP
#define WEIR_DETAIL_OFFERED_VALUE_HPP

#include <weir/detail/message.hpp>
#include <weir/detail/platform/config.hpp>

#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::detail {

// Refers to it. What may throw while a T is made of it is done by prepare(), into a place of its own.
template <class T, class Value>
class offered_value {
    static constexpr bool may_throw = !std::is_nothrow_convertible_v<Value, T>;

public:
    static constexpr bool any_thread_makes_it = may_throw ? has_known_move<T> : is_made_by_any_thread<T, Value>;
    static constexpr bool needs_preparation = may_throw;

    explicit offered_value(Value&& value) noexcept : value_(std::forward<Value>(value)) {}

    void prepare() {
        if constexpr (may_throw) {
            if (!prepared_) {
                prepared_.emplace(make());
            }
        }
    }

    // Once, and where that may throw after prepare().
    void make_at(void* place) noexcept {
        if constexpr (may_throw) {
            ::new (place) T(std::move(*prepared_));
        } else {
            ::new (place) T(make());
        }
    }

    Value&& get() const noexcept { return std::forward<Value>(value_); }

private:
    WEIR_CALLERS_CONVERSION_BEGIN
    T make() { return std::forward<Value>(value_); }
    WEIR_CALLERS_CONVERSION_END

    struct nothing {};

    Value&& value_;
    WEIR_NO_UNIQUE_ADDRESS std::conditional_t<may_throw, std::optional<T>, nothing> prepared_;
};

} // namespace weir::detail

#endif
