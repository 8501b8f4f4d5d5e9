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
#include <weir/detail/platform/clock.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/wait/sender_wait.hpp>

#include <chrono>

namespace weir::detail {

// What a thread that waits to send asks of who serves it. One that makes its message itself has to run for that, and the
// channel should not wait for one thread that sleeps while others run: it is told of room, and may be overtaken. Only who
// was told in vain and has waited for a while has the next place for itself.
template <bool LeavesToSender>
class asked_service {
public:
    service first() const noexcept { return service::tell; }
    service after_vain() const noexcept {
        return steady_clock::now() - since_ < longest_overtaken ? service::tell : service::grant;
    }

private:
    static constexpr std::chrono::milliseconds longest_overtaken{1};

    const steady_clock::time_point since_ = steady_clock::now();
};
template <>
class asked_service<false> {
public:
    static constexpr service first() noexcept { return service::make; }
    static constexpr service after_vain() noexcept { return service::make; }
};

// After a first attempt that found the channel full. Spins for a moment before it enrols. It gives its processor away, too,
// where there is room for many, since enrolling costs more than that, and where it has to run to be served. Else it does so
// only when it has enrolled: a receiver that shares the processor then finds all that wait, and serves them in one turn.
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
    const auto glance = [&]() noexcept { return flavor.seems_to_have_room(); };
    if ((flavor.is_worth_looking() && sending.spin().look(flavor.send_progress(), glance, attempt)) ||
        ((makes_itself || flavor.capacity() > few_messages) &&
         sending.spin().give_way(flavor.send_progress(), attempt))) {
        return result;
    }
    const asked_service<makes_itself> asked;
    for (bool first = false;;) { // sticky: who was at the front once stays there
        answer outcome = answer::retry;
        thread_waiter<Source> self(source, first ? asked.after_vain() : asked.first());
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
