// SPDX-License-Identifier: BSL-1.0
//
// One line that tells how far the work has come, redrawn in place. Drawn only where standard error is a terminal.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>

class progress_line {
public:
    using clock = std::chrono::steady_clock;

    progress_line(std::size_t files, std::uint64_t bytes) noexcept
        : files_(files), bytes_(bytes), due_(::isatty(STDERR_FILENO) ? started_ : clock::time_point::max()) {
        draw_if_due(0, 0);
    }

    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    ~progress_line() {
        if (due_ != clock::time_point::max()) {
            std::fputs("\r\x1b[K", stderr);
        }
    }

    // When it is to be drawn next; never, where there is no terminal.
    clock::time_point due() const noexcept { return due_; }

    void draw_if_due(std::size_t files, std::uint64_t bytes) noexcept {
        const auto now = clock::now();
        if (now < due_) {
            return;
        }
        due_ = now + std::chrono::milliseconds(100);

        const double seconds = std::chrono::duration<double>(now - started_).count();
        std::fprintf(stderr, "\r%zu/%zu files  %.1f MB/s  ", files, files_,
                     seconds > 0 ? static_cast<double>(bytes) / seconds / 1e6 : 0.0);
        if (bytes == 0) {
            std::fputs("-:-- left\x1b[K", stderr);
        } else {
            const double left = bytes < bytes_ ? static_cast<double>(bytes_ - bytes) : 0.0;
            const auto seconds_left = std::llround(seconds * left / static_cast<double>(bytes));
            std::fprintf(stderr, "%lld:%02lld left\x1b[K", seconds_left / 60, seconds_left % 60);
        }
    }

private:
    std::size_t files_;
    std::uint64_t bytes_;
    clock::time_point started_ = clock::now();
    clock::time_point due_;
};
