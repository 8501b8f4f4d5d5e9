// SPDX-License-Identifier: BSL-1.0
//
// For the model checker, in the place of the library's header: words that it watches.
#ifndef WEIR_DETAIL_PLATFORM_ATOMIC_HPP
#define WEIR_DETAIL_PLATFORM_ATOMIC_HPP

#include <weir/detail/platform/config.hpp>

#include "checker/execution.hpp"

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace model {

template <class T>
constexpr std::uint64_t to_word(T value) noexcept {
    if constexpr (std::is_pointer_v<T> || std::is_class_v<T>) {
        return std::bit_cast<std::uint64_t>(value);
    } else {
        return static_cast<std::uint64_t>(value);
    }
}

template <class T>
constexpr T from_word(std::uint64_t word) noexcept {
    if constexpr (std::is_pointer_v<T> || std::is_class_v<T>) {
        return std::bit_cast<T>(word);
    } else {
        return static_cast<T>(word);
    }
}

} // namespace model

namespace weir::detail {

// As large as the word itself, which is not used: its values are kept by the checker.
template <class T>
class atomic {
    using order = std::memory_order;
    using where = model::where;

public:
    atomic(T value = T(), const where& at = where::current()) noexcept {
        model::now_running.make(model::execution::kind::atomic, this, model::to_word(value), at);
    }
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;
    ~atomic() { model::now_running.destroy(this, where::current()); }

    T load(order how, const where& at = where::current()) const noexcept {
        return model::from_word<T>(model::now_running.load(this, how, at));
    }
    void store(T value, order how, const where& at = where::current()) noexcept {
        model::now_running.store(this, model::to_word(value), how, at);
    }
    T exchange(T value, order how, const where& at = where::current()) noexcept {
        return modify([&](std::uint64_t) { return model::to_word(value); }, how, at);
    }
    T fetch_add(T value, order how, const where& at = where::current()) noexcept {
        return modify([&](std::uint64_t old) { return model::to_word<T>(static_cast<T>(old + value)); }, how, at);
    }
    T fetch_sub(T value, order how, const where& at = where::current()) noexcept {
        return modify([&](std::uint64_t old) { return model::to_word<T>(static_cast<T>(old - value)); }, how, at);
    }
    T fetch_or(T value, order how, const where& at = where::current()) noexcept {
        return modify([&](std::uint64_t old) { return old | value; }, how, at);
    }
    T fetch_and(T value, order how, const where& at = where::current()) noexcept {
        return modify([&](std::uint64_t old) { return old & value; }, how, at);
    }
    bool compare_exchange_strong(T& expected, T value, order how, order failure,
                                 const where& at = where::current()) noexcept {
        return compare_exchange(expected, value, false, how, failure, at);
    }
    bool compare_exchange_weak(T& expected, T value, order how, order failure,
                               const where& at = where::current()) noexcept {
        return compare_exchange(expected, value, true, how, failure, at);
    }

    void wait(T old, order how, const where& at = where::current()) const noexcept {
        while (load(how, at) == old) {
            ++model::seen.contended;
            model::now_running.sleep(this, model::to_word(old), false, at);
        }
    }
    void notify_all(const where& at = where::current()) noexcept { model::now_running.wake(this, true, at); }

private:
    template <class Change>
    T modify(Change change, order how, const where& at) noexcept {
        return model::from_word<T>(model::now_running.modify(this, change, how, at));
    }
    bool compare_exchange(T& expected, T value, bool weak, order how, order failure, const where& at) noexcept {
        std::uint64_t word = model::to_word(expected);
        const bool done =
            model::now_running.compare_exchange(this, word, model::to_word(value), weak, how, failure, at);
        expected = model::from_word<T>(word);
        return done;
    }

    T unused_{};
};

// Any value is right: always nothing. So a waiting side looks once and then parks.
template <class T>
class hint {
public:
    constexpr hint(T) noexcept {}
    constexpr T load(std::memory_order) const noexcept { return T(); }
    constexpr void store(T, std::memory_order) noexcept {}

private:
    T unused_ = T();
};

// Looks for data races.
template <class T>
class plain {
    using where = model::where;

public:
    plain(T value = T(), const where& at = where::current()) noexcept : value_(value) {
        model::now_running.make(model::execution::kind::plain, this, 0, at);
    }
    ~plain() { model::now_running.destroy(this, where::current()); }
    plain(const plain& other, const where& at = where::current()) noexcept : plain(other.get(at), at) {}
    plain& operator=(const plain& other) noexcept { return *this = other.get(where::current()); }
    plain& operator=(T value) noexcept {
        set(value, where::current());
        return *this;
    }

    operator T() const noexcept { return get(where::current()); }
    T operator->() const noexcept { return get(where::current()); }
    plain& operator++() noexcept { return *this = get(where::current()) + 1; }

    T get(const where& at = where::current()) const noexcept {
        model::now_running.read(this, at);
        return value_;
    }
    void set(T value, const where& at = where::current()) noexcept {
        model::now_running.write(this, at);
        value_ = value;
    }

private:
    T value_;
};

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

inline constexpr std::size_t cache_line = 64;

} // namespace weir::detail

#endif
