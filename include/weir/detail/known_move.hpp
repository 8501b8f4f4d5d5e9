// SPDX-License-Identifier: BSL-1.0
//
// Which messages any thread may move: to move them runs no code of users, and is over at once.
#ifndef WEIR_DETAIL_KNOWN_MOVE_HPP
#define WEIR_DETAIL_KNOWN_MOVE_HPP

#include <array>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace weir {

template <class T>
class sender;
template <class T>
class sync_sender;
template <class T>
class weak_sender;
template <class T>
class weak_sync_sender;
template <class T>
class receiver;

} // namespace weir

namespace weir::detail {

// Whether to move a T copies bytes, or is a move of the standard library's, or a handle's, that comes to that.
template <class T>
constexpr bool has_known_move = std::is_trivially_copyable_v<T>;

template <class T, class Deleter>
constexpr bool has_known_move<std::unique_ptr<T, Deleter>> =
    std::is_trivially_copyable_v<Deleter> && std::is_pointer_v<typename std::unique_ptr<T, Deleter>::pointer>;
template <class T>
constexpr bool has_known_move<std::shared_ptr<T>> = true;
template <class T>
constexpr bool has_known_move<std::weak_ptr<T>> = true;
template <class Char>
constexpr bool has_known_move<std::basic_string<Char>> = std::is_integral_v<Char>;
template <class T>
constexpr bool has_known_move<std::vector<T>> = true;
template <class T>
constexpr bool has_known_move<std::optional<T>> = has_known_move<T>;
template <class T, class Error>
constexpr bool has_known_move<std::expected<T, Error>> =
    (std::is_void_v<T> || has_known_move<T>) && has_known_move<Error>;
template <class... T>
constexpr bool has_known_move<std::variant<T...>> = (has_known_move<T> && ...);
template <class T, std::size_t Size>
constexpr bool has_known_move<std::array<T, Size>> = has_known_move<T>;
template <class First, class Second>
constexpr bool has_known_move<std::pair<First, Second>> = has_known_move<First> && has_known_move<Second>;
template <class... T>
constexpr bool has_known_move<std::tuple<T...>> = (has_known_move<T> && ...);

template <class T>
constexpr bool has_known_move<sender<T>> = true;
template <class T>
constexpr bool has_known_move<sync_sender<T>> = true;
template <class T>
constexpr bool has_known_move<weak_sender<T>> = true;
template <class T>
constexpr bool has_known_move<weak_sync_sender<T>> = true;
template <class T>
constexpr bool has_known_move<receiver<T>> = true;

} // namespace weir::detail

#endif
