// SPDX-License-Identifier: BSL-1.0
//
// A wait without a thread that a stop may end.
#ifndef WEIR_DETAIL_WAIT_STOP_WATCH_HPP
#define WEIR_DETAIL_WAIT_STOP_WATCH_HPP

#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/stop.hpp>
#include <weir/detail/wait/waiter.hpp>

#include <optional>

namespace weir::detail {

template <class Stop>
class stop_watch;

template <>
class stop_watch<no_stop> {
public:
    void begin(const no_stop&, waiter&) noexcept {}
    void end() noexcept {}
};

#if WEIR_HAS_STOP_TOKEN
template <>
class stop_watch<std::stop_token> {
public:
    // For one round of the wait, once it is enrolled.
    void begin(const std::stop_token& token, waiter& wait) noexcept { callback_.emplace(token, stopping{&wait}); }
    // Waits for a stop that is being requested on another thread.
    void end() noexcept { callback_.reset(); }

private:
    struct stopping {
        waiter* wait;
        void operator()() const noexcept {
            if (wait->take()) {
                wait->finish(answer::stopped);
                completions::run(); // the call that this is inside of is none of ours
            }
        }
    };

    std::optional<std::stop_callback<stopping>> callback_;
};
#endif

} // namespace weir::detail

#endif
