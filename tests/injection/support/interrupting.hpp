// SPDX-License-Identifier: BSL-1.0
//
// Signals that only interrupt.
#pragma once

#include <csignal>

#include <gtest/gtest.h>

namespace injection {

// A handler that does nothing, and system calls that are interrupted by it do not go on.
class interrupting {
public:
    static constexpr int number = SIGUSR1;

    interrupting() {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sigemptyset(&action.sa_mask);
        EXPECT_EQ(sigaction(number, &action, &before_), 0);
    }
    interrupting(const interrupting&) = delete;
    interrupting& operator=(const interrupting&) = delete;
    ~interrupting() { sigaction(number, &before_, nullptr); }

private:
    struct sigaction before_ {};
};

} // namespace injection
