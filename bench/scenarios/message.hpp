// SPDX-License-Identifier: BSL-1.0
//
// What is sent: numbers, alone, as the first and the last word of a structure, or in memory of their own.
#ifndef BENCH_SCENARIOS_MESSAGE_HPP
#define BENCH_SCENARIOS_MESSAGE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

namespace bench {

using number = std::uint64_t;

template <std::size_t Bytes>
struct message {
    static_assert(Bytes >= 2 * sizeof(number) && Bytes % sizeof(number) == 0);

    number words[Bytes / sizeof(number)];
};

// Allocated by the sender, and freed by the receiver.
using boxed = std::unique_ptr<number>;

// How often value_of counts the number that a message was made of.
template <class T>
constexpr number times_counted = 2;
template <>
constexpr number times_counted<number> = 1;
template <>
constexpr number times_counted<boxed> = 1;

// Makes the compiler think that every word was set, or it would not copy the words between. They are left as they are: to
// fill them would be work beside the channel's.
template <class T>
void leave_blank(T& message) {
    if constexpr (sizeof(T) == sizeof(number)) {
        message = 0;
    } else {
        asm volatile("" : : "r"(&message) : "memory");
    }
}
inline void leave_blank(boxed&) {}

template <class T>
T make_message(number n) {
    T made; // here, and not in a branch, or g++ 12 copies it
    if constexpr (sizeof(T) == sizeof(number)) {
        made = n;
    } else {
        leave_blank(made);
        made.words[0] = n;
        made.words[sizeof(T) / sizeof(number) - 1] = n;
    }
    return made;
}
template <>
inline boxed make_message<boxed>(number n) {
    return std::make_unique<number>(n);
}

inline number value_of(number n) { return n; }
inline number value_of(const boxed& m) { return *m; }

template <std::size_t Bytes>
number value_of(const message<Bytes>& m) {
    // The compiler must take the whole message for used, or it would not copy the words between out of the channel.
    asm volatile("" : : "m"(m));
    return m.words[0] + m.words[Bytes / sizeof(number) - 1];
}

} // namespace bench

#endif
