// SPDX-License-Identifier: BSL-1.0
//
// Waiting for any of a set of channels that is known only at run time.
#ifndef WEIR_SELECTOR_HPP
#define WEIR_SELECTOR_HPP

#include <weir/detail/handles.hpp>
#include <weir/detail/select/selector_core.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/watched_end.hpp>
#include <weir/receiver.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace weir {

// Waits until one of many ends is ready, and says which; the operation itself is the caller's. Ends stay enrolled
// between two waits, so a wait costs as much as there is news, not as there are ends.
//
// An end is ready where its try_recv or try_send would not say `empty` or `full`; a disconnected one is. Of several
// each is as likely. A receive's answer holds until the next receive there; a send's is a hint, since other senders may
// be quicker, and so are both on a rendezvous, where two selectors do not meet each other.
//
// A selector refers to the channels, not to the handles: these may be moved, and one that goes meanwhile is ready.
//
// Thread safety: one thread at a time, the one that uses the receivers.
//
//     weir::selector any;
//     const std::size_t jobs = any.add(job_receiver);
//     if (any.ready() == jobs) { … job_receiver.try_recv() … }
class selector {
public:
    // Throws: std::bad_alloc.
    selector() : core_(new detail::selector_core) {}
    selector(const selector&) = delete;
    selector& operator=(const selector&) = delete;
    ~selector() {
        core_->leave();
        detail::completions::run();
    }

    // Adds an end, and returns its number: that of one that was removed, or the next.
    // Throws: std::bad_alloc.
    template <class T>
    std::size_t add(const receiver<T>& rx) {
        using entry = detail::receiver_end<T, detail::selector_entry>;
        return core_->add(std::make_unique<entry>(detail::handle_access::channel_received_by(rx)));
    }
    template <class T>
    std::size_t add(const sender<T>& tx) {
        using entry = detail::sender_end<detail::selector_entry>;
        return core_->add(std::make_unique<entry>(detail::handle_access::channel_of(tx)));
    }
    template <class T>
    std::size_t add(const sync_sender<T>& tx) {
        using entry = detail::sync_sender_end<T, detail::selector_entry>;
        return core_->add(std::make_unique<entry>(detail::handle_access::channel_of(tx)));
    }

    // Takes an end out. Nothing where there is none of that number.
    void remove(std::size_t number) noexcept {
        core_->remove(number);
        detail::completions::run();
    }

    // How many ends there are.
    [[nodiscard]] std::size_t size() const noexcept { return core_->size(); }

    // Waits until an end is ready. Blocks: for ever where there is none.
    [[nodiscard]] std::size_t ready() noexcept { return *wait(detail::deadline::never()); }

    // An end that is ready now. Never blocks.
    // Complexity: where none is ready, linear in the number of ends.
    [[nodiscard]] std::optional<std::size_t> try_ready() noexcept { return wait(detail::deadline::passed()); }

    // Waits no longer than `timeout`, or until `deadline` on its clock.
    template <class Rep, class Period>
    [[nodiscard]] std::optional<std::size_t> ready_timeout(std::chrono::duration<Rep, Period> timeout) {
        return wait(detail::deadline::after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] std::optional<std::size_t> ready_deadline(std::chrono::time_point<Clock, Duration> deadline) {
        return detail::clock_deadline(deadline).wait([this](detail::deadline until) { return wait(until); },
                                                     [](const auto& ready) { return !ready; });
    }

private:
    std::optional<std::size_t> wait(detail::deadline until) noexcept {
        const detail::completions::call here;
        return core_->wait(until);
    }

    detail::selector_core* core_;
};

} // namespace weir

#endif
