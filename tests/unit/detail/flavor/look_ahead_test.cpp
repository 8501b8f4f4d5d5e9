// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/flavor/look_ahead.hpp>

#include "support/allocation.hpp"
#include "support/scale.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <random>
#include <vector>

namespace {

using namespace unit;
using weir::detail::hole_list;
using weir::detail::look_ahead;

// A queue whose senders do what the test says, when it says so: between the receiver's calls, or in the middle of them.
class fake_queue {
public:
    using position = std::size_t;

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

    std::uint64_t tail_index() {
        interfere();
        return slots_.size();
    }
    static std::uint64_t index_of(position at) { return at; }
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

    // With `has_memory` false there is none for what is remembered.
    std::optional<position> acquire(bool has_memory = true) {
        std::optional<no_memory> without;
        if (!has_memory) {
            without.emplace();
        }
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
            const memory_again for_senders;
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

bool is_anything_written(const fake_queue& queue) {
    return std::ranges::count(queue.slots(), state::written, &fake_queue::slot::now) != 0;
}

// What must hold of a message found, and of nothing found where something `was_there` when the look began: it was there and
// not taken before, and none is passed whose send had returned before its own began.
void expect_rightly_found(const fake_queue& queue, std::optional<std::size_t> found, bool was_there) {
    if (!found) {
        EXPECT_FALSE(was_there) << "a message was missed";
        return;
    }
    const auto& slots = queue.slots();
    ASSERT_EQ(slots[*found].now, state::written);
    for (std::size_t i = 0; i < *found; ++i) {
        ASSERT_FALSE(slots[i].now == state::written && slots[i].written_at < slots[*found].claimed_at)
            << *found << " was taken before " << i;
    }
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
            const std::size_t at = queue_->claim();
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
    std::vector<std::size_t> stalled_;
    unsigned stall_;
    unsigned resume_;
};

void receive_all(fake_queue& queue) {
    for (;;) {
        const bool was_there = is_anything_written(queue);
        const auto found = queue.acquire();
        ASSERT_NO_FATAL_FAILURE(expect_rightly_found(queue, found, was_there));
        if (!found) {
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

TEST(look_ahead, finds_messages_sent_behind_any_number_of_stalled_senders) {
    constexpr unsigned stalled = 50;
    fake_queue queue;
    for (unsigned i = 0; i < stalled; ++i) {
        queue.claim();
    }
    for (unsigned i = 0; i < stalled; ++i) {
        const auto sent = queue.claim();
        queue.write(sent);
        const bool has_memory = i % 2 == 0;
        ASSERT_EQ(queue.acquire(has_memory), sent);
        queue.release();
        ASSERT_EQ(queue.acquire(has_memory), std::nullopt);
    }
    for (unsigned i = 0; i < stalled; ++i) {
        queue.write(i);
        receive_all(queue);
    }
    expect_at_rest(queue);
}

TEST(look_ahead, the_head_passes_all_that_was_taken_in_whatever_order_many_stalled_senders_end) {
    constexpr unsigned rounds = scaled(500);
    std::minstd_rand random(1);
    fake_queue queue;
    for (unsigned round = 0; round < rounds; ++round) {
        std::vector<std::size_t> stalled;
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
    unsigned memory; // how many of 100 looks find memory
    friend void PrintTo(const senders_kind& kind, std::ostream* out) {
        *out << kind.stall << "% stall, " << kind.resume << "% resume, " << kind.memory << "% with memory";
    }
};

class look_ahead_at_random : public testing::TestWithParam<senders_kind> {
protected:
    static constexpr unsigned seeds = scaled(200);

    // All senders go on to their ends, and everything is received.
    static void expect_a_good_end(fake_queue& queue, random_senders& senders, unsigned seed) {
        while (senders.has_stalled()) {
            senders.finish_one();
        }
        receive_all(queue);
        expect_at_rest(queue);
        if (HasFailure()) {
            FAIL() << "seed " << seed;
        }
    }
};

INSTANTIATE_TEST_SUITE_P(kinds, look_ahead_at_random,
                         testing::Values(senders_kind{5, 5, 100}, senders_kind{30, 20, 100}, senders_kind{60, 30, 50},
                                         senders_kind{90, 45, 100}, senders_kind{50, 15, 0}, senders_kind{95, 20, 70},
                                         senders_kind{95, 20, 0}));

TEST_P(look_ahead_at_random, keeps_order_and_misses_nothing) {
    constexpr unsigned steps = 300;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        fake_queue queue;
        random_senders senders(queue, seed, GetParam().stall, GetParam().resume);
        for (unsigned step = 0; step < steps; ++step) {
            senders.step();
            while (senders.chance(60)) {
                const bool was_there = is_anything_written(queue);
                const auto found = queue.acquire(senders.chance(GetParam().memory));
                ASSERT_NO_FATAL_FAILURE(expect_rightly_found(queue, found, was_there)) << "seed " << seed;
                if (!found) {
                    break;
                }
                queue.release();
            }
        }
        ASSERT_NO_FATAL_FAILURE(expect_a_good_end(queue, senders, seed));
    }
}

// The senders go on in the middle of the receiver's look, as they do on other threads.
TEST_P(look_ahead_at_random, keeps_order_and_misses_nothing_while_senders_go_on_meanwhile) {
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
            const bool was_there = is_anything_written(queue);
            steps_left = steps_a_look;
            const auto found = queue.acquire(senders.chance(GetParam().memory));
            ASSERT_NO_FATAL_FAILURE(expect_rightly_found(queue, found, was_there)) << "seed " << seed;
            if (found) {
                queue.release();
            } else {
                senders.step();
            }
        }
        steps_left = 0;
        ASSERT_NO_FATAL_FAILURE(expect_a_good_end(queue, senders, seed));
    }
}

TEST(hole_list, keeps_positions_in_order_and_gives_its_memory_back) {
    constexpr std::uint64_t many = 100;
    const std::ptrdiff_t before = live_allocations();
    {
        hole_list<std::uint64_t> holes;
        std::vector<std::uint64_t> expected;
        std::minstd_rand random(5);
        for (std::uint64_t i = 0; i < many; ++i) {
            ASSERT_TRUE(holes.push_back(i));
            expected.push_back(i);
            if (random() % 3 == 0) {
                const std::size_t which = random() % expected.size();
                ASSERT_EQ(holes.find(expected[which]), which);
                holes.erase(which);
                expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(which));
            }
            ASSERT_EQ(holes.size(), expected.size());
            for (std::size_t at = 0; at < expected.size(); ++at) {
                ASSERT_EQ(holes[at], expected[at]);
            }
        }
        EXPECT_EQ(holes.find(many), holes.size());
    }
    EXPECT_EQ(live_allocations(), before);
}

TEST(hole_list, without_memory_keeps_what_it_has) {
    hole_list<std::uint64_t> holes;
    const no_memory without;
    std::uint64_t kept = 0;
    while (holes.push_back(kept)) {
        ++kept;
        if (kept > 1'000) {
            break;
        }
    }
    EXPECT_GE(kept, 1U);
    EXPECT_LE(kept, 1'000U);
    for (std::size_t i = 0; i < kept; ++i) {
        EXPECT_EQ(holes[i], i);
    }
    holes.erase(0);
    EXPECT_TRUE(holes.push_back(kept));
    EXPECT_EQ(holes.find(kept), kept - 1);
}

} // namespace
