// SPDX-License-Identifier: BSL-1.0
//
// A file descriptor that a program makes readable itself (eventfd), or that becomes so at a time (timerfd). Both are
// closed by exec and never block.
#ifndef WEIR_DETAIL_PLATFORM_EVENT_DESCRIPTOR_HPP
#define WEIR_DETAIL_PLATFORM_EVENT_DESCRIPTOR_HPP

#if !defined(__linux__)
#error "weir's file descriptors need Linux: eventfd and timerfd"
#endif

#include <weir/detail/platform/clock.hpp>
#include <weir/detail/platform/fatal.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace weir::detail {

class event_descriptor {
public:
    enum class kind : std::uint8_t { event, timer };

    // Throws std::system_error where there is no descriptor to be had.
    explicit event_descriptor(kind which)
        : number_(which == kind::timer ? ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
                                       : ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (number_ < 0) {
#if WEIR_HAS_EXCEPTIONS
            throw std::system_error(errno, std::system_category(), "weir: no file descriptor");
#else
            fatal("no file descriptor is to be had");
#endif
        }
    }
    event_descriptor(const event_descriptor&) = delete;
    event_descriptor& operator=(const event_descriptor&) = delete;
    ~event_descriptor() { ::close(number_); }

    int number() const noexcept { return number_; }

    // An event: readable until drain().
    void signal() noexcept {
        const std::uint64_t one = 1;
        (void)::write(number_, &one, sizeof one);
    }
    // An event: whether it was readable; it is not then.
    bool drain() noexcept {
        std::uint64_t count = 0;
        return ::read(number_, &count, sizeof count) == sizeof count;
    }

    // A timer: readable from `time` on, and not before; time_point::max(): never.
    void signal_at(steady_clock::time_point time) noexcept {
        itimerspec spec{}; // all zero: disarmed
        using seconds_type = decltype(spec.it_value.tv_sec);
        const auto since_boot = time.time_since_epoch();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
        if (since_boot <= since_boot.zero()) {
            spec.it_value.tv_nsec = 1;
        } else if (time != steady_clock::time_point::max() &&
                   seconds.count() <= std::numeric_limits<seconds_type>::max()) {
            spec.it_value.tv_sec = static_cast<seconds_type>(seconds.count());
            const auto rest = std::chrono::nanoseconds(since_boot - seconds).count();
            spec.it_value.tv_nsec = static_cast<decltype(spec.it_value.tv_nsec)>(rest);
        }
        (void)::timerfd_settime(number_, TFD_TIMER_ABSTIME, &spec, nullptr);
    }

private:
    const int number_;
};

} // namespace weir::detail

#endif
