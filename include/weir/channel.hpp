// SPDX-License-Identifier: BSL-1.0
//
// Making channels.
#ifndef WEIR_CHANNEL_HPP
#define WEIR_CHANNEL_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/message.hpp>
#include <weir/receiver.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <cstddef>

namespace weir {

// Both ends of a new channel: auto [tx, rx] = …
template <class Tx, class Rx>
struct endpoints {
    Tx tx;
    Rx rx;
};

// Makes an unbounded channel: sends never wait, and messages pile up while the receiver is slower.
// Throws: std::bad_alloc.
//
//     auto [tx, rx] = weir::channel<int>();
template <class T>
[[nodiscard]] endpoints<sender<T>, receiver<T>> channel() {
    static_assert(detail::check_message<T>());
    detail::channel_base* const made = detail::list<T>::make();
    return {detail::handle_access::make<sender<T>>(made), detail::handle_access::make<receiver<T>>(made)};
}

// Makes a channel for at most `capacity` messages, exactly; sends wait while it is full. With capacity 0 there is no
// room at all, and each send meets a receive.
// Throws: std::length_error where the messages would need more than PTRDIFF_MAX bytes, std::bad_alloc.
//
//     auto [tx, rx] = weir::sync_channel<std::string>(64);
template <class T>
[[nodiscard]] endpoints<sync_sender<T>, receiver<T>> sync_channel(std::size_t capacity) {
    static_assert(detail::check_message<T>());
    detail::channel_base* const made = capacity == 0 ? static_cast<detail::channel_base*>(detail::rendezvous<T>::make())
                                                     : detail::ring<T>::make(capacity);
    return {detail::handle_access::make<sync_sender<T>>(made), detail::handle_access::make<receiver<T>>(made)};
}

} // namespace weir

#endif
