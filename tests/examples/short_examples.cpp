// SPDX-License-Identifier: BSL-1.0
//
// Each short example prints what the comment at its top says, every time.
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "process.hpp"

namespace {

using namespace std::chrono_literals;
using process::example;
using process::run;

void prints_each_time(const std::string& name, const std::string& expected, int times) {
    for (int i = 0; i < times; ++i) {
        const auto result = run({example(name)});
        ASSERT_EQ(result.status, 0) << result.err;
        ASSERT_EQ(result.out, expected);
        ASSERT_EQ(result.err, "");
    }
}

TEST(hello, prints_the_string_that_its_thread_sent) { prints_each_time("hello", "hello from the other thread\n", 20); }

TEST(many_producers, receives_all_that_its_five_clones_sent_and_ends) {
    prints_each_time("many_producers", "received 15 messages from 5 producers, sum 90\n", 20);
}

TEST(sync_channel, prints_the_fourth_send_only_after_the_first_receive) {
    prints_each_time("sync_channel",
                     "producer: 1, 2 and 3 are in\n"
                     "main: all 3 places are taken, one more is refused\n"
                     "main: no word of the fourth\n"
                     "main: received 1\n"
                     "producer: 4 is in\n"
                     "main: received 2\n"
                     "main: received 3\n"
                     "main: received 4\n",
                     20);
}

TEST(receiving, meets_every_error_of_every_receive_and_waits_its_second) {
    const auto start = std::chrono::steady_clock::now();
    prints_each_time("receiving",
                     "try_recv: nothing there now\n"
                     "recv_timeout: nothing came within a second\n"
                     "try_recv: one\n"
                     "recv_timeout: two\n"
                     "recv: three\n"
                     "try_recv: every sender is gone\n"
                     "recv_timeout: every sender is gone\n"
                     "recv: every sender is gone\n",
                     1);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
}

TEST(select_worker, serves_its_jobs_the_clock_and_its_control_channel) {
    prints_each_time("select_worker", "job 1 done\njob 2 done\njob 3 done\nthe clock has ticked\ntold to stop\n", 20);
}

TEST(first_answer, takes_the_first_of_three_and_lets_the_others_go) {
    prints_each_time("first_answer", "the second server says: 42\nthe others were told that nobody waits any more\n",
                     20);
}

TEST(pipeline_timeout, ends_a_pipeline_that_has_stopped) {
    prints_each_time("pipeline_timeout", "1\n4\n9\ntime is up\nsource: the pipeline is closed\n", 3);
}

TEST(coroutine_pipeline, adds_up_the_squares_of_what_a_thread_sends) {
    prints_each_time("coroutine_pipeline",
                     "sum of the first 1 squares: 1\n"
                     "sum of the first 2 squares: 5\n"
                     "sum of the first 3 squares: 14\n"
                     "sum of the first 4 squares: 30\n"
                     "the pipeline has run dry\n",
                     20);
}

TEST(connections, serves_all_that_come_until_they_have_gone) {
    prints_each_time("connections",
                     "connection 1: 3 lines\n"
                     "connection 2: 6 lines\n"
                     "connection 3: 9 lines\n"
                     "connection 4: 12 lines\n"
                     "connection 5: 15 lines\n",
                     20);
}

TEST(epoll_loop, serves_both_ends_and_the_clock_with_one_thread) {
    prints_each_time("epoll_loop",
                     "1 squared is 1\n"
                     "2 squared is 4\n"
                     "3 squared is 9\n"
                     "4 squared is 16\n"
                     "5 squared is 25\n"
                     "the worker has gone\n",
                     20);
}

TEST(streaming, writes_each_word_by_itself_200_ms_apart) {
    // A socket that keeps each write apart from the next, however late it is read.
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    const process::descriptor ours(ends[0]);
    const process::descriptor theirs(ends[1]);

    const auto start = std::chrono::steady_clock::now();
    const auto result = run({example("streaming")}, [&] { return ::dup2(theirs.number(), STDOUT_FILENO) >= 0; });
    const auto duration = std::chrono::steady_clock::now() - start;

    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_GE(duration, 400ms);
    std::vector<std::string> writes;
    std::array<char, 256> buffer{};
    for (ssize_t length = 0; (length = ::read(ours.number(), buffer.data(), buffer.size())) > 0;) {
        writes.emplace_back(buffer.data(), static_cast<std::size_t>(length));
    }
    EXPECT_EQ(writes, (std::vector<std::string>{"one\n", "two\n", "three\n"}));
}

} // namespace
