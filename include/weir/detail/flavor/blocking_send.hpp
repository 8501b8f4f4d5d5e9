// SPDX-License-Identifier: BSL-1.0
//
// Sending on a channel that may have to wait: the one loop around its attempts.
//
// A flavor offers: try_send(source); enrol_sender(waiter, first), after which no room comes untold, and
// withdraw_sender(waiter); leaves_to_sender<Source>, whether a message of a waiter is made by its own thread, and
// send_granted(ticket, source), for one that was granted a ticket; seems_to_have_room(), a cheap guess; is_worth_looking():
// whether looking for room before enrolling is likely to help; send_progress(), a count that grows with the messages.
#ifndef WEIR_DETAIL_FLAVOR_BLOCKING_SEND_HPP
#define WEIR_DETAIL_FLAVOR_BLOCKING_SEND_HPP

#include <weir/detail/flavor/send_result.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/wait/sender_wait.hpp>

#include <cstdint>

namespace weir::detail {

// How many messages overtake a thread that is told of room, more or less, before it asks for a place of its own.
inline constexpr std::uint64_t most_overtaking = 1024;

// After a first attempt that found the channel full. Spins for a moment before it enrols. It gives its processor away, too,
// where there is room for many, since enrolling costs more than that, and where it has to run to be served. Else it does so
// only when it has enrolled: a receiver that shares the processor then finds all that wait, and serves them in one turn.
// Who makes its message itself is told of room, and may be overtaken: the channel should not wait for a thread that sleeps
// while others run. Only who was told in vain and overtaken for long asks for the next place for itself.
// Room, and a closed channel, win over a stop and a time-out.
template <class Flavor, class Source, class Stop>
send_result send_waiting(Flavor& flavor, sender_wait& sending, Source& source, deadline until,
                         const Stop& stop) noexcept {
    const completions::call here;
    send_result result = send_result::full;
    const auto attempt = [&]() noexcept { return (result = flavor.try_send(source)) != send_result::full; };
    const bool stopped = stop.stop_requested();
    if (stopped || until.has_passed()) {
        return attempt() ? result : stopped ? send_result::stopped : send_result::timeout;
    }
    constexpr bool makes_itself = Flavor::template leaves_to_sender<Source>;
    const std::uint64_t begin = flavor.send_progress();
    const auto glance = [&]() noexcept { return flavor.seems_to_have_room(); };
    const auto progress = [&]() noexcept { return flavor.send_progress(); };
    if ((flavor.is_worth_looking() && sending.spin().look(begin, glance, attempt)) ||
        ((makes_itself || flavor.capacity() > few_messages) && sending.spin().give_way(begin, attempt, progress))) {
        return result;
    }
    const auto service_to_ask_for = [&](bool told_in_vain) noexcept {
        if (!makes_itself) {
            return service::make;
        }
        return told_in_vain && progress() - begin > most_overtaking ? service::grant : service::tell;
    };
    for (bool first = false;;) { // sticky: who was at the front once stays there
        answer outcome = answer::retry;
        thread_waiter<Source> self(source, service_to_ask_for(first));
        WEIR_POINT("sender.enrol");
        if (const enrolment entered = flavor.enrol_sender(self, first); entered != enrolment::waits) {
            flavor.withdraw_sender(self);
            if (entered == enrolment::met) {
                return send_result::sent;
            }
        } else {
            outcome = self.await(until, stop, sending.spin(), flavor.send_progress());
            switch (outcome) {
            case answer::served:
                return send_result::sent;
            case answer::granted:
                flavor.send_granted(self.ticket(), source);
                return send_result::sent;
            case answer::retry:
                first = true;
                break;
            case answer::stopped:
            case answer::timeout:
                flavor.withdraw_sender(self);
                break;
            }
        }
        if (attempt()) {
            return result;
        }
        if (outcome == answer::timeout || outcome == answer::stopped) {
            return outcome == answer::timeout ? send_result::timeout : send_result::stopped;
        }
    }
}

// Waits for room until `until`, a deadline of whatever kind.
template <class Flavor, class Source, class Deadline, class Stop>
send_result send_blocking(Flavor& flavor, sender_wait& sending, Source& source, const Deadline& until,
                          const Stop& stop) {
    const send_result result = flavor.try_send(source);
    if (result != send_result::full) {
        return result;
    }
    return until.wait([&](deadline steady) { return detail::send_waiting(flavor, sending, source, steady, stop); },
                      [](send_result waited) { return waited == send_result::timeout; });
}

} // namespace weir::detail

#endif
