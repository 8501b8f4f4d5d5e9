// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/look_ahead.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace {

using weir::detail::look_ahead;

// A queue whose senders do what the test says, when it says so: between the receiver's calls, or in the middle of them.
class fake_queue {
public:
    using position = std::uint64_t;

    enum class state : std::uint8_t { unwritten, written, taken };
    struct slot {
        state now = state::unwritten;
        std::uint64_t claimed_at = 0;
        std::uint64_t written_at = 0; // 0: not yet
    };

    // ---- The senders' part ----

    position claim() {
        slots_.push_back({state::unwritten, ++time_, 0});
        return slots_.size() - 1;
    }
    void write(position at) {
        installed_ = std::max(installed_, at + 1);
        slots_[at].now = state::written;
        slots_[at].written_at = ++time_;
    }
    // Memory may be there before its slots are written.
    void install(position end) { installed_ = std::max(installed_, end); }

    // ---- What look_ahead asks; before each answer the senders may go on ----

    position tail_index() {
        interfere();
        return slots_.size();
    }
    static bool is_before(position at, position index) { return at < index; }
    bool enter(position& at) {
        interfere();
        return at < installed_;
    }
    bool is_written(position at) {
        interfere();
        return at < slots_.size() && slots_[at].now == state::written;
    }
    bool is_taken(position at) const { return slots_[at].now == state::taken; }
    static position after(position at) { return at + 1; }

    // ---- The receiver's part, as the flavors have it ----

    std::optional<position> acquire() {
        if (is_written(head_)) {
            taking_ = head_;
            return taking_;
        }
        if (look_.find(*this, head_, taking_)) {
            return taking_;
        }
        return std::nullopt;
    }
    void release() {
        if (!look_.is_active()) {
            slots_[taking_].now = state::taken; // for the model only: the flavors write nothing here
            ++head_;
            return;
        }
        slots_[taking_].now = state::taken;
        if (position head = head_; look_.take(*this, taking_, head)) {
            head_ = head;
        }
    }

    bool is_looking_ahead() const { return look_.is_active(); }
    position head() const { return head_; }
    const std::vector<slot>& slots() const { return slots_; }

    // Called before each answer; may claim and write.
    template <class Interference>
    void interfere_with(Interference& interference) {
        interference_ = [](void* it) { (*static_cast<Interference*>(it))(); };
        interference_argument_ = &interference;
    }

private:
    void interfere() {
        if (interference_ != nullptr) {
            interference_(interference_argument_);
        }
    }

    std::vector<slot> slots_;
    position installed_ = 0;
    std::uint64_t time_ = 0;
    position head_ = 0;
    position taking_ = 0;
    look_ahead<fake_queue> look_;
    void (*interference_)(void*) = nullptr;
    void* interference_argument_ = nullptr;
};

using state = fake_queue::state;

// The first message that is there, found by looking at everything.
std::optional<std::uint64_t> first_written(const fake_queue& queue) {
    const auto& slots = queue.slots();
    const auto found = std::ranges::find(slots, state::written, &fake_queue::slot::now);
    return found == slots.end() ? std::nullopt : std::optional(static_cast<std::uint64_t>(found - slots.begin()));
}

// Senders at random: `stall` of 100 claims stay unwritten for a while, `resume` of 100 steps let a stalled one write.
class random_senders {
public:
    random_senders(fake_queue& queue, unsigned seed, unsigned stall, unsigned resume)
        : queue_(&queue), random_(seed), stall_(stall), resume_(resume) {}

    void step() {
        if (chance(resume_)) {
            finish_one();
        } else {
            const std::uint64_t at = queue_->claim();
            if (chance(stall_)) {
                stalled_.push_back(at);
                if (chance(50)) {
                    queue_->install(at + 1);
                }
            } else {
                queue_->write(at);
            }
        }
    }
    void finish_one() {
        if (stalled_.empty()) {
            return;
        }
        const std::size_t which = random_() % stalled_.size();
        queue_->write(stalled_[which]);
        stalled_.erase(stalled_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    bool has_stalled() const { return !stalled_.empty(); }
    bool chance(unsigned of_100) { return random_() % 100 < of_100; }

private:
    fake_queue* queue_;
    std::minstd_rand random_;
    std::vector<std::uint64_t> stalled_;
    unsigned stall_;
    unsigned resume_;
};

// Receives until nothing is left; what is found must be what a look at everything finds.
void receive_all(fake_queue& queue) {
    for (;;) {
        const auto expected = first_written(queue);
        ASSERT_EQ(queue.acquire(), expected);
        if (!expected) {
            return;
        }
        queue.release();
    }
}

void expect_at_rest(fake_queue& queue) {
    EXPECT_EQ(queue.acquire(), std::nullopt);
    EXPECT_EQ(queue.head(), queue.slots().size()) << "the head has not passed all that was taken";
    EXPECT_FALSE(queue.is_looking_ahead());
}

TEST(look_ahead, finds_nothing_where_nothing_is_claimed) {
    fake_queue queue;
    EXPECT_EQ(queue.acquire(), std::nullopt);
    EXPECT_FALSE(queue.is_looking_ahead());
}

TEST(look_ahead, takes_a_complete_message_past_a_stalled_one_and_then_that_one) {
    fake_queue queue;
    const auto stalled = queue.claim();
    const auto complete = queue.claim();
    queue.write(complete);

    EXPECT_EQ(queue.acquire(), complete);
    queue.release();
    EXPECT_EQ(queue.acquire(), std::nullopt);
    EXPECT_EQ(queue.head(), stalled) << "the head waits at the stalled slot";

    queue.write(stalled);
    EXPECT_EQ(queue.acquire(), stalled);
    queue.release();
    expect_at_rest(queue);
}

TEST(look_ahead, an_acquire_that_is_not_followed_by_a_release_gives_the_same_message_again) {
    fake_queue queue;
    queue.claim();
    queue.write(queue.claim());
    EXPECT_EQ(queue.acquire(), 1U);
    queue.write(queue.claim());
    EXPECT_EQ(queue.acquire(), 1U);
}

TEST(look_ahead, does_not_say_empty_while_a_message_came_after_the_tail_it_read_last) {
    fake_queue queue;
    queue.claim();              // 0 stalls
    queue.write(queue.claim()); // 1
    queue.claim();              // 2 stalls
    ASSERT_EQ(queue.acquire(), 1U);
    queue.release();
    queue.write(queue.claim()); // 3
    EXPECT_EQ(queue.acquire(), 3U);
}

TEST(look_ahead, finds_messages_sent_behind_more_stalled_senders_than_it_remembers) {
    constexpr unsigned stalled = 20;
    fake_queue queue;
    for (unsigned i = 0; i < stalled; ++i) {
        queue.claim();
    }
    for (unsigned i = 0; i < stalled; ++i) {
        const auto sent = queue.claim();
        queue.write(sent);
        ASSERT_EQ(queue.acquire(), sent);
        queue.release();
        ASSERT_EQ(queue.acquire(), std::nullopt);
    }
    for (unsigned i = 0; i < stalled; ++i) {
        queue.write(i);
        receive_all(queue);
    }
    expect_at_rest(queue);
}

TEST(look_ahead, the_head_passes_all_that_was_taken_in_whatever_order_many_stalled_senders_end) {
    constexpr unsigned rounds = 500;
    std::minstd_rand random(1);
    fake_queue queue;
    for (unsigned round = 0; round < rounds; ++round) {
        std::vector<std::uint64_t> stalled;
        for (std::size_t i = random() % 30; i > 0; --i) {
            const auto at = queue.claim();
            random() % 2 == 0 ? queue.write(at) : stalled.push_back(at);
        }
        receive_all(queue);
        std::ranges::shuffle(stalled, random);
        for (const auto at : stalled) {
            queue.write(at);
            if (random() % 2 == 0) {
                ASSERT_NO_FATAL_FAILURE(receive_all(queue));
            }
        }
        receive_all(queue);
        expect_at_rest(queue);
        if (HasFailure()) {
            return;
        }
    }
}

struct senders_kind {
    unsigned stall;
    unsigned resume;
    friend void PrintTo(const senders_kind& kind, std::ostream* out) {
        *out << kind.stall << "% stall, " << kind.resume << "% resume";
    }
};

class look_ahead_at_random : public testing::TestWithParam<senders_kind> {};

INSTANTIATE_TEST_SUITE_P(kinds, look_ahead_at_random,
                         testing::Values(senders_kind{5, 5}, senders_kind{30, 20}, senders_kind{60, 30},
                                         senders_kind{90, 45}, senders_kind{50, 15}, senders_kind{95, 20}));

TEST_P(look_ahead_at_random, finds_what_a_look_at_everything_finds) {
    constexpr unsigned seeds = 200;
    constexpr unsigned steps = 300;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        fake_queue queue;
        random_senders senders(queue, seed, GetParam().stall, GetParam().resume);
        for (unsigned step = 0; step < steps; ++step) {
            senders.step();
            while (senders.chance(60)) {
                const auto expected = first_written(queue);
                ASSERT_EQ(queue.acquire(), expected) << "seed " << seed << ", step " << step;
                if (!expected) {
                    break;
                }
                queue.release();
            }
        }
        while (senders.has_stalled()) {
            senders.finish_one();
        }
        receive_all(queue);
        expect_at_rest(queue);
        if (HasFailure()) {
            FAIL() << "seed " << seed;
        }
    }
}

// The senders go on in the middle of the receiver's look, as they do on other threads. What must hold then:
//   a message found was there, and not taken before;
//   none is passed whose send had returned before the send of the one found began;
//   nothing is found only if no message was there when the look began.
TEST_P(look_ahead_at_random, keeps_order_and_misses_nothing_while_senders_go_on_meanwhile) {
    constexpr unsigned seeds = 200;
    constexpr unsigned looks = 300;
    constexpr unsigned steps_a_look = 4;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        fake_queue queue;
        random_senders senders(queue, seed, GetParam().stall, GetParam().resume);
        unsigned steps_left = 0;
        auto interference = [&] {
            if (steps_left > 0 && senders.chance(30)) {
                --steps_left;
                senders.step();
            }
        };
        queue.interfere_with(interference);
        for (unsigned look = 0; look < looks; ++look) {
            const auto there_before = first_written(queue);
            steps_left = steps_a_look;
            const auto found = queue.acquire();
            const auto& slots = queue.slots();
            if (!found) {
                ASSERT_FALSE(there_before) << "seed " << seed << ": missed " << *there_before;
                senders.step();
                continue;
            }
            ASSERT_EQ(slots[*found].now, state::written) << "seed " << seed;
            for (std::uint64_t i = 0; i < *found; ++i) {
                ASSERT_FALSE(slots[i].now == state::written && slots[i].written_at < slots[*found].claimed_at)
                    << "seed " << seed << ": " << *found << " was taken before " << i;
            }
            queue.release();
        }
        steps_left = 0;
        while (senders.has_stalled()) {
            senders.finish_one();
        }
        receive_all(queue);
        expect_at_rest(queue);
        if (HasFailure()) {
            FAIL() << "seed " << seed;
        }
    }
}

} // namespace
