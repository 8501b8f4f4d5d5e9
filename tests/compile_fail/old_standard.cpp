// SPDX-License-Identifier: BSL-1.0
// expect: weir needs std::expected: use GCC 12 or later, Clang 19 or later with libstdc\+\+, or Clang 16 or later with libc\+\+, and compile as C\+\+23
// flags: -std=c++20
#include <weir/weir.hpp>

int main() {}
