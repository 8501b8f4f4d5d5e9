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
    switch (channel.kind()) {
    case flavor_kind::list:
        return visit(static_cast<list<T>&>(channel));
    case flavor_kind::ring:
        return visit(static_cast<ring<T>&>(channel));
    case flavor_kind::rendezvous:
        return visit(static_cast<rendezvous<T>&>(channel));
    case flavor_kind::timer:
        break;
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
