// SPDX-License-Identifier: BSL-1.0
//
// Descriptors as a test sees them.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <weir/posix/event_fd.hpp>

#include "../../conformance/support/flavor.hpp"
#include "../../conformance/support/threads.hpp"

namespace posix {

using weir::posix::event_fd;

// Whether it is readable now, or becomes so within `patience`.
inline bool is_readable(const event_fd& fd, std::chrono::milliseconds patience = std::chrono::milliseconds(0)) {
    pollfd entry{fd.native_handle(), POLLIN, 0};
    int count = 0;
    do {
        count = ::poll(&entry, 1, static_cast<int>(patience.count()));
    } while (count < 0 && errno == EINTR);
    return count == 1 && entry.revents == POLLIN;
}
inline bool becomes_readable(const event_fd& fd) {
    return is_readable(fd, std::chrono::duration_cast<std::chrono::milliseconds>(conformance::patience));
}

// How often it was written since it was cleared. It is of no use after that.
inline std::uint64_t writes_into(const event_fd& fd) {
    std::uint64_t count = 0;
    return ::read(fd.native_handle(), &count, sizeof count) == sizeof count ? count : 0;
}

inline bool is_open(int number) { return ::fcntl(number, F_GETFD) != -1; }

class epoll {
public:
    epoll() : number_(::epoll_create1(EPOLL_CLOEXEC)) { EXPECT_GE(number_, 0); }
    epoll(const epoll&) = delete;
    epoll& operator=(const epoll&) = delete;
    ~epoll() { ::close(number_); }

    void add(const event_fd& fd, bool is_edge_triggered, std::uint32_t key = 0) {
        epoll_event event{};
        event.events = EPOLLIN | (is_edge_triggered ? static_cast<std::uint32_t>(EPOLLET) : 0u);
        event.data.u32 = key;
        EXPECT_EQ(::epoll_ctl(number_, EPOLL_CTL_ADD, fd.native_handle(), &event), 0);
    }
    // The key of one that is ready; none within `patience`.
    std::optional<std::uint32_t> wait(std::chrono::milliseconds patience) {
        epoll_event event{};
        int count = 0;
        do {
            count = ::epoll_wait(number_, &event, 1, static_cast<int>(patience.count()));
        } while (count < 0 && errno == EINTR);
        const std::uint32_t key = event.data.u32;
        return count == 1 ? std::optional(key) : std::nullopt;
    }

private:
    int number_;
};

} // namespace posix
