// SPDX-License-Identifier: BSL-1.0
//
// Put before everything else where mutated headers are compiled. All mutants are in one program: the environment variable
// WEIR_MUTANT says which of them is the case. Without it the program is the library as it is.
#pragma once

#include <cstdlib>

namespace weir_mutation {

inline int read_chosen() noexcept {
    const char* const value = std::getenv("WEIR_MUTANT");
    return value != nullptr ? std::atoi(value) : 0;
}

inline const int chosen = read_chosen();

// Whether the mutant of that number is the case.
inline bool is(int number) noexcept { return chosen == number; }

// `original`, or one of the weaker orders, whose numbers begin with `first`.
template <class Order, class... Weaker>
inline Order order(int first, Order original, Weaker... weaker) noexcept {
    const Order all[] = {weaker...};
    const int index = chosen - first;
    return index >= 0 && index < static_cast<int>(sizeof...(weaker)) ? all[index] : original;
}

} // namespace weir_mutation
