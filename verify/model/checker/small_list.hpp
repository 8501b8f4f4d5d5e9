// SPDX-License-Identifier: BSL-1.0
//
// Constants of the unbounded channel that bring every step of its protocol within a few messages.
#ifndef WEIR_MODEL_SMALL_LIST_HPP
#define WEIR_MODEL_SMALL_LIST_HPP

#include "checker/model.hpp"

#include <weir/detail/flavor/list_block.hpp>

namespace model {

using message_of_one = message_of_kind<1>;  // blocks of one slot: each send links a block
using message_of_none = message_of_kind<2>; // no slot in the state, and all claims the careful way
using message_of_four = message_of_kind<3>; // all in the state
using message_of_five = message_of_kind<4>; // a reserve for two senders

template <std::uint32_t Slots, std::uint32_t Reserve, std::uint32_t Embedded>
struct small_list {
    static constexpr std::uint32_t slots = Slots;
    static constexpr std::uint32_t reserve = Reserve;
    static constexpr std::uint32_t embedded_slots = Embedded;
    static constexpr std::uint32_t slots_a_look = 2;
    static constexpr std::uint32_t most_spare = 1;
    static constexpr std::uint32_t blocks_a_rest = 1;
    static constexpr std::uint32_t most_resting = 0;
};

} // namespace model

namespace weir::detail {

template <>
struct list_sizes<model::message> : model::small_list<2, 1, 1> {};
template <>
struct list_sizes<model::message_of_one> : model::small_list<1, 1, 1> {};
template <>
struct list_sizes<model::message_of_none> : model::small_list<2, 0, 0> {};
template <>
struct list_sizes<model::message_of_four> : model::small_list<2, 1, 4> {};
template <>
struct list_sizes<model::message_of_five> : model::small_list<3, 2, 1> {};

} // namespace weir::detail

#endif
