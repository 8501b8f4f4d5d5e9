// SPDX-License-Identifier: BSL-1.0
//
// What becomes of messages, and of the handles inside them, when things end.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "support/flavor.hpp"
#include "support/messages.hpp"
#include "support/threads.hpp"

using namespace std::chrono_literals;
using namespace conformance;
using std::uint64_t;

namespace {

class lifetime : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, lifetime, every_flavor(), flavor_name);
class lifetime_buffered : public flavor_test {};
INSTANTIATE_TEST_SUITE_P(flavors, lifetime_buffered, buffered_flavors(), flavor_name);

TEST_P(lifetime_buffered, every_message_made_is_destroyed_once) {
    tally all;
    const std::size_t room = GetParam().room(2500);
    for (std::size_t received = 0; received <= room; received += 1 + room / 5) {
        auto [tx, rx] = open<counted>(GetParam());
        for (std::size_t i = 0; i < room; ++i)
            ASSERT_TRUE(tx.send(counted(all, i)));
        counted refused(all, 0);
        if (GetParam().capacity == room) {
            EXPECT_FALSE(tx.try_send(std::move(refused)));
            EXPECT_TRUE(refused.holds());
        }
        const uint64_t dropped_before = all.dropped;
        for (std::size_t i = 0; i < received; ++i) {
            const auto got = rx.try_recv();
            ASSERT_TRUE(got && got->holds());
            ASSERT_EQ(got->value(), i);
        }
        EXPECT_EQ(all.dropped, dropped_before + received);
        tx.reset();
        EXPECT_EQ(all.dropped, dropped_before + received) << "the last sender leaving destroys nothing";
        rx.reset();
        EXPECT_EQ(all.dropped, dropped_before + room);
    }
    EXPECT_EQ(all.made, all.gone);
}

// Says who destroyed it, and when.
class witness {
public:
    struct record {
        uint64_t value;
        std::thread::id by;
    };
    witness(std::vector<record>& where, uint64_t value) : where_(&where), value_(value) {}
    witness(witness&& other) noexcept : where_(std::exchange(other.where_, nullptr)), value_(other.value_) {}
    ~witness() {
        if (where_ != nullptr)
            where_->push_back({value_, std::this_thread::get_id()});
    }

private:
    std::vector<record>* where_;
    uint64_t value_;
};

TEST_P(lifetime_buffered, a_leaving_receiver_destroys_what_is_queued_in_order_on_its_thread) {
    std::vector<witness::record> destroyed;
    auto [tx, rx] = open<witness>(GetParam());
    const std::size_t room = GetParam().room(2500);
    for (std::size_t i = 0; i < room; ++i)
        ASSERT_TRUE(tx.send(witness(destroyed, i)));
    const std::size_t taken = room / 3;
    for (std::size_t i = 0; i < taken; ++i)
        ASSERT_TRUE(rx.try_recv());
    rx.close();
    destroyed.clear();
    std::thread::id leaver;
    worker leaves([&, receiver = std::move(rx)]() mutable {
        leaver = std::this_thread::get_id();
        receiver.reset();
        EXPECT_EQ(destroyed.size(), room - taken) << "before reset returns";
    });
    leaves.join();
    ASSERT_EQ(destroyed.size(), room - taken);
    for (std::size_t i = 0; i < destroyed.size(); ++i) {
        ASSERT_EQ(destroyed[i].value, taken + i);
        ASSERT_EQ(destroyed[i].by, leaver);
    }
}

TEST_P(lifetime_buffered, assigning_over_a_receiver_destroys_what_it_had_queued) {
    std::vector<witness::record> destroyed;
    auto [tx, rx] = open<witness>(GetParam());
    auto other = open<witness>(GetParam());
    ASSERT_TRUE(tx.send(witness(destroyed, 1)));
    rx = std::move(other.rx);
    EXPECT_EQ(destroyed.size(), 1u);
    EXPECT_TRUE(tx.is_disconnected());
}

// crossbeam-rs/crossbeam#1102, rust-lang/rust#107466: a reply handle in a message nobody received stayed alive, and
// whoever waited for the reply waited for ever.
struct request {
    weir::sender<uint64_t> reply;
};

TEST_P(lifetime_buffered, a_reply_handle_in_an_undelivered_message_is_released) {
    auto [tx, rx] = open<request>(GetParam());
    auto [reply, replies] = weir::channel<uint64_t>();
    ASSERT_TRUE(tx.send(request{std::move(reply)}));
    worker waits([&replies] { EXPECT_EQ(outcome(replies.recv()), channel_errc::disconnected); });
    waits.wait_until_asleep();
    rx.reset(); // while a sender of requests remains
}

TEST_P(lifetime, a_reply_is_never_waited_for_in_vain) {
    for (std::size_t round = 0; round < scaled(600); ++round) {
        auto [tx, rx] = open<request>(GetParam());
        const auto ask = [&tx] {
            for (bool served = true; served;) {
                auto [reply, replies] = weir::channel<uint64_t>();
                served = bool(tx.send(request{std::move(reply)}));
                const auto answer = replies.recv_timeout(patience);
                if (!answer) {
                    EXPECT_EQ(answer.error(), weir::recv_timeout_error::disconnected);
                    served = false;
                }
            }
        };
        worker first(ask);
        worker second(ask);
        auto receiver = std::move(rx);
        for (std::size_t i = 0; i < round % 5; ++i)
            EXPECT_TRUE(receiver.recv().value().reply.send(i));
        receiver.reset();
    }
}

// Does something when it is destroyed, moved from or not.
class meddler {
public:
    explicit meddler(void (*meddle)(void*, bool holds), void* with) noexcept : meddle_(meddle), with_(with) {}
    meddler(meddler&& other) noexcept
        : meddle_(other.meddle_), with_(other.with_), holds_(std::exchange(other.holds_, false)) {}
    ~meddler() { meddle_(with_, holds_); }

private:
    void (*meddle_)(void*, bool holds);
    void* with_;
    bool holds_ = true;
};

TEST_P(lifetime_buffered, a_destructor_may_use_its_own_channel_and_others) {
    struct scene {
        ends<meddler> own;
        ends<uint64_t> other;
        int depth = 0;
        int refused = 0;
        int passed = 0;
        int sent_again = 0;
        static void meddle(void* self, bool holds) { static_cast<scene*>(self)->act(holds); }
        void act(bool holds) {
            static_cast<void>(own.tx.len() + own.tx.sender_count());
            const auto clone = own.tx;
            passed += other.tx.try_send(1) && other.rx.try_recv() ? 1 : 0;
            if (depth > 0)
                return; // each message that it sends is destroyed in its turn
            ++depth;
            if (own.tx.is_disconnected()) {
                refused += own.tx.send(meddler(&meddle, this)) ? 0 : 1;
            } else if (!holds && sent_again < 10) {
                sent_again += own.tx.try_send(meddler(&meddle, this)) ? 1 : 0;
            }
            --depth;
        }
    };
    scene stage{open<meddler>(GetParam()), open<uint64_t>(GetParam())};
    const std::size_t room = GetParam().room(40);
    for (std::size_t i = 0; i < room; ++i)
        static_cast<void>(stage.own.tx.try_send(meddler(&scene::meddle, &stage)));
    for (std::size_t i = 0; i < room; ++i)
        EXPECT_TRUE(stage.own.rx.try_recv());
    for (std::size_t i = 0; i < room; ++i)
        static_cast<void>(stage.own.tx.try_send(meddler(&scene::meddle, &stage)));
    if (room > 1) { // the room of the message that is being received is free only afterwards
        EXPECT_GT(stage.sent_again, 0) << "a destructor inside recv sends into the channel that is received from";
    }
    const std::size_t queued = stage.own.rx.len();
    EXPECT_GT(queued, 0u);
    stage.refused = 0;
    stage.own.rx.reset();
    EXPECT_GE(stage.refused, static_cast<int>(queued));
    EXPECT_GT(stage.passed, 0);
}

// No lock of the channel's is held while a destructor runs: it waits here for another thread's operations on the same
// channel.
TEST_P(lifetime_buffered, a_destructor_may_wait_for_another_thread_that_uses_the_channel) {
    struct scene {
        ends<meddler> own;
        bool armed = false;
        static void meddle(void* self, bool) {
            auto* stage = static_cast<scene*>(self);
            if (!std::exchange(stage->armed, false))
                return;
            worker other([&tx = stage->own.tx] {
                EXPECT_EQ(outcome(tx.send(meddler([](void*, bool) {}, nullptr))), channel_errc::disconnected);
                EXPECT_EQ(outcome(tx.send_timeout(meddler([](void*, bool) {}, nullptr), 1h)),
                          channel_errc::disconnected);
                EXPECT_TRUE(tx.is_disconnected());
                static_cast<void>(tx.len());
                auto clone = tx;
                const auto weak = clone.downgrade();
                clone.reset();
                EXPECT_TRUE(weak.lock());
            });
        }
    };
    scene stage{open<meddler>(GetParam())};
    EXPECT_TRUE(stage.own.tx.send(meddler(&scene::meddle, &stage)));
    stage.armed = true;
    stage.own.rx.reset();
    EXPECT_FALSE(stage.armed);
}

// A message that holds a sender of its own channel: the last of all handles goes inside the receiver's leaving.
struct knot {
    any_sender<knot> own;
};
TEST_P(lifetime_buffered, a_message_may_hold_the_last_sender_of_its_channel) {
    auto [tx, rx] = open<knot>(GetParam());
    const std::size_t room = GetParam().room(3);
    for (std::size_t i = 0; i < room; ++i)
        EXPECT_TRUE(tx.send(knot{tx}));
    auto weak = tx.downgrade();
    tx.reset();
    EXPECT_EQ(rx.sender_count(), room);
    rx.reset();
    EXPECT_FALSE(weak.lock());
}

struct link {
    weir::receiver<link> rest;
};
weir::receiver<link> chain_of(const flavor& which, std::size_t length) {
    weir::receiver<link> rest;
    for (std::size_t i = 0; i < length; ++i) {
        auto [tx, rx] = open<link>(which);
        EXPECT_TRUE(tx.send(link{std::move(rest)}));
        rest = std::move(rx);
    }
    return rest;
}

// A destructor that recurses as deep as the chain is long ends in an overflow of the stack.
TEST_P(lifetime_buffered, a_long_chain_of_nested_channels_is_dropped_on_a_small_stack) {
    const std::size_t length = std::min<std::size_t>(100000, 4000000 / GetParam().capacity.value_or(1));
    auto chain = chain_of(GetParam(), length);
    bool dropped = false;
    on_small_stack(128 * 1024, [&] {
        chain.reset();
        dropped = true;
    });
    EXPECT_TRUE(dropped);
}

// Each link drops the channel inside it and looks whether that was done when reset returned.
class nested {
public:
    nested(std::vector<char>& destroyed, std::vector<char>& in_time, std::size_t depth, weir::receiver<nested> inner)
        : destroyed_(&destroyed), in_time_(&in_time), depth_(depth), inner_(std::move(inner)) {}
    nested(nested&& other) noexcept
        : destroyed_(std::exchange(other.destroyed_, nullptr)), in_time_(other.in_time_), depth_(other.depth_),
          inner_(std::move(other.inner_)) {}
    ~nested() {
        if (destroyed_ == nullptr)
            return;
        inner_.reset();
        (*in_time_)[depth_] = depth_ + 1 == destroyed_->size() || (*destroyed_)[depth_ + 1];
        (*destroyed_)[depth_] = true;
    }

private:
    std::vector<char>* destroyed_;
    std::vector<char>* in_time_;
    std::size_t depth_;
    weir::receiver<nested> inner_;
};

TEST_P(lifetime_buffered, nested_channels_are_destroyed_before_the_inner_reset_returns_to_a_depth_of_eight) {
    for (const std::size_t depth : {std::size_t{1}, std::size_t{8}, std::size_t{9}, std::size_t{30}}) {
        std::vector<char> destroyed(depth + 1, false);
        std::vector<char> in_time(depth + 1, false);
        // The message at depth 0 lies in the outermost channel and holds the first nested one.
        weir::receiver<nested> inner;
        for (std::size_t i = depth + 1; i-- > 0;) {
            auto [tx, rx] = open<nested>(GetParam());
            EXPECT_TRUE(tx.send(nested(destroyed, in_time, i, std::move(inner))));
            inner = std::move(rx);
        }
        inner.reset();
        for (std::size_t i = 0; i <= depth; ++i)
            EXPECT_TRUE(destroyed[i]) << i;
        for (std::size_t i = 0; i < std::min<std::size_t>(depth, 8); ++i)
            EXPECT_TRUE(in_time[i]) << i << " of " << depth;
    }
}

// Everything a destructor that runs late might do.
void use_channels(const flavor& which) {
    auto [tx, rx] = open<std::unique_ptr<uint64_t>>(which);
    {
        worker sends([handle = tx] {
            for (uint64_t i = 0; i < 10; ++i)
                EXPECT_TRUE(handle.send(std::make_unique<uint64_t>(i)));
        });
        for (uint64_t i = 0; i < 10; ++i)
            EXPECT_EQ(*rx.recv().value(), i);
    }
    EXPECT_EQ(outcome(rx.recv_timeout(1ms)), channel_errc::timeout);
    if (which.room(1) == 1)
        chain_of(which, 20).reset();
}

// crossbeam-rs/crossbeam: channels used while the thread's own objects are being destroyed.
class late_user {
public:
    explicit late_user(const flavor& which) : which_(which) {}
    late_user(const late_user&) = delete;
    late_user& operator=(const late_user&) = delete;
    ~late_user() { use_channels(which_); }

private:
    flavor which_;
};

TEST_P(lifetime, channels_work_while_a_thread_ends) {
    worker ends([which = GetParam()] {
        // Made before the first use of a channel here, and so destroyed after whatever the library keeps for a thread.
        thread_local const late_user late(which);
        static_cast<void>(&late);
        use_channels(which);
        thread_local conformance::ends<std::unique_ptr<uint64_t>> kept = open<std::unique_ptr<uint64_t>>(which);
        static_cast<void>(kept.tx.send_timeout(std::make_unique<uint64_t>(1), 0s));
    });
}

TEST(lifetime_of_a_program, static_handles_end_with_it) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            static const late_user late{flavor{}};
            static const late_user bounded{flavor{2}};
            static std::vector<ends<std::unique_ptr<uint64_t>>> kept;
            static std::vector<weir::receiver<link>> chains;
            for (const auto& which : {flavor{}, flavor{1}, flavor{3}}) {
                use_channels(which);
                kept.push_back(open<std::unique_ptr<uint64_t>>(which));
                EXPECT_TRUE(kept.back().tx.send(std::make_unique<uint64_t>(1)));
                chains.push_back(chain_of(which, 20));
            }
            std::exit(testing::Test::HasFailure() ? 1 : 0);
        },
        testing::ExitedWithCode(0), "");
}

// A child forked while other threads wait in channels uses channels of its own.
TEST_P(lifetime, a_forked_child_may_use_new_channels) {
    auto [tx, rx] = open<uint64_t>(GetParam());
    worker waits([&rx] { EXPECT_EQ(rx.recv().value(), 1u); });
    waits.wait_until_asleep();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto [own_tx, own_rx] = open<uint64_t>(GetParam());
        bool good = outcome(own_rx.recv_timeout(1ms)) == channel_errc::timeout;
        if (GetParam().is_rendezvous()) {
            good = good && outcome(own_tx.send_timeout(1u, 1ms)) == channel_errc::timeout;
        } else {
            for (uint64_t i = 0; i < 100; ++i)
                good = good && own_tx.send(i) && own_rx.recv() == i;
        }
        own_rx.reset();
        good = good && outcome(own_tx.send(1)) == channel_errc::disconnected;
        _exit(good ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_TRUE(tx.send(1));
}

} // namespace
