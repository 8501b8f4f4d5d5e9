// SPDX-License-Identifier: BSL-1.0
//
// From a channel's state to its flavor: the one place where they are told apart.
#ifndef WEIR_DETAIL_FLAVOR_FLAVOR_HPP
#define WEIR_DETAIL_FLAVOR_FLAVOR_HPP

#include <weir/detail/flavor/list.hpp>
#include <weir/detail/flavor/rendezvous.hpp>
#include <weir/detail/flavor/ring.hpp>
#include <weir/detail/flavor/timer.hpp>

namespace weir::detail {

// Calls visit(flavor) for a channel that a receiver may have.
template <class T, class Visit>
WEIR_INLINE decltype(auto) visit_flavor(channel_base& channel, Visit&& visit) {
    // The likely first: a receive of nine nanoseconds feels it.
    const flavor_kind kind = channel.kind();
    if (kind == flavor_kind::list) [[likely]] {
        return visit(static_cast<list<T>&>(channel));
    }
    if (kind == flavor_kind::ring) [[likely]] {
        return visit(static_cast<ring<T>&>(channel));
    }
    if (kind == flavor_kind::rendezvous) {
        return visit(static_cast<rendezvous<T>&>(channel));
    }
    return visit(static_cast<timer<T>&>(channel));
}

// The same for one that a sync_sender may have.
template <class T, class Visit>
WEIR_INLINE decltype(auto) visit_sync_flavor(channel_base& channel, Visit&& visit) {
    if (channel.kind() == flavor_kind::ring) {
        return visit(static_cast<ring<T>&>(channel));
    }
    return visit(static_cast<rendezvous<T>&>(channel));
}

} // namespace weir::detail

#endif
