// SPDX-License-Identifier: BSL-1.0
//
// One execution under Relacy: the words that the library made, and what becomes of each access to them.
//
// Relacy knows its own atomics and variables by objects that are far larger than the words of the library, which lays
// its slots out by the byte. So the words keep their size, and everything about them stands in a table, by address:
//   atomic  Relacy's history of the word, by Relacy's memory model
//   plain   Relacy's data race detector for the word
// Both also have a detector for the lifetime: to make and to destroy a word, and to free its memory, counts as writing
// it, every access as reading it. So an access that is in no order with the end of the memory is a race, and one after
// it is an access to freed memory.
//
// A word that was destroyed is remembered until its memory is freed: what comes next at that place must be in order
// with the last access to it.
#ifndef WEIR_MODEL_EXECUTION_HPP
#define WEIR_MODEL_EXECUTION_HPP

#include <relacy/base.hpp>
#include <relacy/context.hpp>
// that one first
#include <relacy/atomic.hpp>
#include <relacy/context_base_impl.hpp>
#include <relacy/dyn_thread.hpp>
#include <relacy/stdlib/condition_variable.hpp>
#include <relacy/stdlib/event.hpp>
#include <relacy/stdlib/mutex.hpp>
#include <relacy/stdlib/semaphore.hpp>
#include <relacy/test_suite.hpp>
#include <relacy/var.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <source_location>

namespace model {

using std::size_t;
using std::uint64_t;
using where = std::source_location;

// What happened, in all executions: shows that a model comes to what it is about.
struct tally {
    uint64_t parked = 0;    // a thread slept
    uint64_t woken = 0;     // and was woken
    uint64_t timed_out = 0; // and slept until its time was over
    uint64_t barriers = 0;  // membarrier was called
    uint64_t stale = 0;     // a load gave an older value than the newest
    uint64_t allocated = 0; // memory beyond that of a channel's state
    uint64_t contended = 0; // a thread slept for a lock
    uint64_t noted[4] = {}; // what the model itself counts
};
inline tally seen;

class execution {
public:
    // ---- The beginning and the end of an execution ----

    void begin() noexcept {
        ++generation_;
        count_ = 0;
        sleepers_ = 0;
        light_.fill(0);
        heavy_.fill(0);
        has_failed_ = false;
        stale_ = 0;
        alive = 0;
    }

    void end() noexcept {
        for (size_t i = 0; i < count_; ++i) {
            forget(words_[i]);
        }
        count_ = 0;
    }

    // ---- Words ----

    enum class kind : std::uint8_t { none, atomic, plain };

    void make(kind what, const void* address, uint64_t value, const where& at) {
        word& made = place(address);
        use(made, true, "made at a place that another thread still uses", at);
        if (made.data != nullptr) {
            context().atomic_dtor(made.data);
            made.data = nullptr;
        }
        made.is = what;
        if (what == kind::atomic) {
            made.data = context().atomic_ctor(nullptr);
            store_in(made, thread().atomic_store_relaxed(made.data), value);
        }
    }

    void destroy(const void* address, const where& at) {
        word& gone = find(address, at);
        use(gone, true, "destroyed while another thread still uses it", at);
        gone.is = kind::none;
    }

    void read(const void* address, const where& at) { use(find(address, at), false, "data race", at); }
    void write(const void* address, const where& at) { use(find(address, at), true, "data race", at); }

    // Memory is given back; called by operator delete.
    void freed(const void* begin, size_t size) {
        const auto first = reinterpret_cast<std::uintptr_t>(begin);
        for (size_t i = 0; i < count_; ++i) {
            word& one = words_[i];
            if (reinterpret_cast<std::uintptr_t>(one.address) - first < size) {
                use(one, true, "freed while another thread still uses it", where::current());
                forget(one);
            }
        }
    }

    uint64_t load(const void* address, std::memory_order order, const where& at) {
        context().sched();
        word& from = find(address, at, kind::atomic);
        use(from, false, "used before it was made", at);
        const uint64_t value = load_from(from, order, at);
        trace("load", order, address, value, at);
        return value;
    }

    void store(void* address, uint64_t value, std::memory_order order, const where& at) {
        context().sched();
        word& to = find(address, at, kind::atomic);
        use(to, false, "used before it was made", at);
        unsigned index = 0;
        switch (order) {
        case std::memory_order_relaxed:
            index = thread().atomic_store_relaxed(to.data);
            break;
        case std::memory_order_release:
            index = thread().atomic_store_release(to.data);
            break;
        default:
            index = thread().atomic_store_seq_cst(to.data);
            break;
        }
        store_in(to, index, value);
        trace("store", order, address, value, at);
    }

    template <class Change>
    uint64_t modify(void* address, Change change, std::memory_order order, const where& at) {
        context().sched();
        word& in = find(address, at, kind::atomic);
        use(in, false, "used before it was made", at);
        const uint64_t before = in.value;
        change_in(in, change(before), order);
        trace("read-modify-write", order, address, in.value, at);
        return before;
    }

    // As the standard has it, and not only as processors do it: who fails may have read an old value, and the weak one
    // may fail for no reason (in the exhaustive search once an execution, else there would be no end).
    bool compare_exchange(void* address, uint64_t& expected, uint64_t desired, bool weak, std::memory_order order,
                          std::memory_order failure, const where& at) {
        context().sched();
        word& in = find(address, at, kind::atomic);
        use(in, false, "used before it was made", at);
        uint64_t value = load_from(in, std::memory_order_relaxed, at); // who succeeds has the order of success alone
        bool done = false;
        if (value != expected) {
            value = load_from(in, failure, at);
        }
        if (value == expected && in.value == expected) {
            bool fails = false;
            if (weak && (context().is_random_sched() || !has_failed_)) {
                fails = context().rand(context().is_random_sched() ? 4 : 2, rl::sched_type_cas_fail) == 0;
                has_failed_ = has_failed_ || fails;
            }
            if (fails) {
                load_newest(in, failure);
            } else {
                change_in(in, desired, order);
                done = true;
            }
        } else if (value == expected) {
            value = load_newest(in, failure);
        }
        expected = value;
        trace(done ? "compare-exchange" : "failed compare-exchange", done ? order : failure, address, in.value, at);
        return done;
    }

    // ---- Sleeping: the kernel's futex, which knows nothing but addresses ----

    // False: the time was over.
    bool sleep(const void* address, uint64_t expected, bool timed, const where& at) {
        context().sched();
        // The kernel reads the newest value; this thread reads none that is older from then on.
        if (load_newest(find(address, at, kind::atomic), std::memory_order_relaxed) != expected) {
            return true;
        }
        const rl::thread_id_t self = thread().index_;
        sleeping_[sleepers_++] = {address, self};
        ++seen.parked;
        trace("sleep", std::memory_order_relaxed, address, expected, at);
        // Woken for no reason: in random executions only; in the exhaustive search a late wake is one.
        const bool may_wake = context().is_random_sched();
        const rl::unpark_reason reason = context().park_current_thread(timed, may_wake, false, info(at));
        if (reason == rl::unpark_reason_normal) {
            ++seen.woken;
            return true;
        }
        for (size_t i = 0; i < sleepers_; ++i) {
            if (sleeping_[i].thread == self) {
                take_sleeper(i);
                break;
            }
        }
        seen.timed_out += reason == rl::unpark_reason_timeout ? 1 : 0;
        return reason != rl::unpark_reason_timeout;
    }

    void wake(const void* address, bool all, const where& at) {
        context().sched();
        trace("wake", std::memory_order_relaxed, address, 0, at);
        for (size_t i = 0; i < sleepers_;) {
            if (sleeping_[i].address != address) {
                ++i;
                continue;
            }
            context().unpark_thread(take_sleeper(i), false, info(at));
            if (!all) {
                return;
            }
        }
    }

    // ---- membarrier, and the compiler barrier that is its other half ----
    //
    // As asymmetric fences are defined (P1202): a heavy and a light one are in order, one way or the other, and what
    // came before the first is visible after the second; two light ones have nothing to do with each other.

    void light_fence() {
        join(thread().acq_rel_order_, heavy_);
        join(light_, thread().acq_rel_order_);
    }

    void heavy_fence(const where& at) {
        context().sched();
        ++seen.barriers;
        trace("membarrier", std::memory_order_seq_cst, nullptr, 0, at);
        join(thread().acq_rel_order_, light_);
        join(thread().acq_rel_order_, heavy_);
        join(heavy_, thread().acq_rel_order_);
    }

    // ---- Failing ----

    // Whether a load may give an old value: Relacy asks. In the exhaustive search so many an execution.
    bool may_be_stale() const noexcept { return context().is_random_sched() || stale_ < most_stale; }

    [[noreturn]] static void fail(rl::test_result_e what, const char* why, const where& at = where::current()) {
        rl::ctx().fail_test(why, what, info(at));
        __builtin_unreachable();
    }

    static rl::debug_info info(const where& at) { return {at.function_name(), at.file_name(), at.line()}; }

    int alive = 0; // messages

private:
    static constexpr size_t most_threads = 4;
    static constexpr size_t most_words = 1024;
    static constexpr unsigned most_stale = 2;
    static constexpr size_t buckets = 4 * most_words;

    using order_of_threads = std::array<rl::timestamp_t, most_threads>;

    struct word {
        const void* address = nullptr;
        kind is = kind::none;
        unsigned newest = 0;
        uint64_t value = 0;
        uint64_t history[rl::atomic_history_size] = {};
        rl::atomic_data* data = nullptr;
        rl::var_data* used = nullptr;
    };

    struct sleeper {
        const void* address;
        rl::thread_id_t thread;
    };

    static rl::context& context() noexcept { return rl::ctx(); }
    static rl::thread_info_base& thread() noexcept { return *rl::ctx().threadx_; }

    // ---- The table ----

    struct bucket {
        uint64_t generation = 0;
        const void* address = nullptr;
        size_t index = 0;
    };

    bucket& bucket_of(const void* address) noexcept {
        size_t at = (reinterpret_cast<std::uintptr_t>(address) * 0x9e3779b97f4a7c15u >> 32) % buckets;
        while (buckets_[at].generation == generation_ && buckets_[at].address != address) {
            at = (at + 1) % buckets;
        }
        return buckets_[at];
    }

    word& place(const void* address) noexcept {
        bucket& in = bucket_of(address);
        if (in.generation != generation_) {
            RL_VERIFY(count_ < most_words);
            in = {generation_, address, count_};
            words_[count_] = {};
            words_[count_++].address = address;
        }
        return words_[in.index];
    }

    word& find(const void* address, const where& at, kind what = kind::none) {
        bucket& in = bucket_of(address);
        if (in.generation != generation_ || words_[in.index].is == kind::none ||
            (what != kind::none && words_[in.index].is != what)) {
            trace("access", std::memory_order_relaxed, address, 0, at);
            fail(rl::test_result_access_to_freed_memory, "no such object here, or no more", at);
        }
        return words_[in.index];
    }

    void forget(word& one) noexcept {
        if (one.data != nullptr) {
            context().atomic_dtor(one.data);
        }
        if (one.used != nullptr) {
            context().var_dtor(one.used);
        }
        one.data = nullptr;
        one.used = nullptr;
        one.is = kind::none;
    }

    void use(word& one, bool exclusive, const char* why, const where& at) {
        if (one.used == nullptr) {
            one.used = context().var_ctor();
            one.used->init(thread());
        } else if (!(exclusive ? one.used->store(thread()) : one.used->load(thread()))) {
            trace(exclusive ? "exclusive access" : "access", std::memory_order_relaxed, one.address, 0, at);
            fail(rl::test_result_data_race, why, at);
        }
    }

    // ---- Atomic words ----

    static void store_in(word& to, unsigned index, uint64_t value) noexcept {
        to.newest = index;
        to.history[index] = value;
        to.value = value;
    }

    uint64_t load_from(word& from, std::memory_order order, const where& at) {
        unsigned index = 0;
        switch (order) {
        case std::memory_order_relaxed:
            index = thread().atomic_load_relaxed(from.data);
            break;
        case std::memory_order_acquire:
            index = thread().atomic_load_acquire(from.data);
            break;
        default:
            index = thread().atomic_load_seq_cst(from.data);
            break;
        }
        if (index == static_cast<unsigned>(-1)) {
            fail(rl::test_result_unitialized_access, "the first value is not visible yet", at);
        }
        if (index != from.newest) {
            ++seen.stale;
            ++stale_;
        }
        return from.history[index];
    }

    static uint64_t load_newest(word& from, std::memory_order order) {
        if (order == std::memory_order_relaxed) {
            thread().atomic_load_relaxed_rmw(from.data);
        } else if (order == std::memory_order_acquire) {
            thread().atomic_load_acquire_rmw(from.data);
        } else {
            thread().atomic_load_seq_cst_rmw(from.data);
        }
        return from.value;
    }

    static void change_in(word& in, uint64_t value, std::memory_order order) {
        bool unseen = false;
        unsigned index = 0;
        switch (order) {
        case std::memory_order_relaxed:
            index = thread().atomic_rmw_relaxed(in.data, unseen);
            break;
        case std::memory_order_acquire:
            index = thread().atomic_rmw_acquire(in.data, unseen);
            break;
        case std::memory_order_release:
            index = thread().atomic_rmw_release(in.data, unseen);
            break;
        case std::memory_order_acq_rel:
            index = thread().atomic_rmw_acq_rel(in.data, unseen);
            break;
        default:
            index = thread().atomic_rmw_seq_cst(in.data, unseen);
            break;
        }
        store_in(in, index, value);
    }

    // ---- The rest ----

    rl::thread_id_t take_sleeper(size_t i) noexcept {
        const rl::thread_id_t thread = sleeping_[i].thread;
        std::copy(sleeping_.begin() + i + 1, sleeping_.begin() + sleepers_, sleeping_.begin() + i);
        --sleepers_;
        return thread;
    }

    template <class To, class From>
    static void join(To&& to, const From& from) noexcept {
        for (rl::thread_id_t i = 0; i < context().get_thread_count(); ++i) {
            to[i] = std::max(to[i], from[i]);
        }
    }

    static void trace(const char* what, std::memory_order order, const void* address, uint64_t value, const where& at) {
        if (context().collecting_history()) {
            constexpr const char* names[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
            char text[120];
            std::snprintf(text, sizeof(text), "<%p> %s %s %lld", address, what, names[static_cast<int>(order)],
                          static_cast<long long>(value));
            context().exec_log_msg(info(at), text);
        }
    }

    uint64_t generation_ = 0;
    std::array<bucket, buckets> buckets_;
    std::array<word, most_words> words_;
    size_t count_ = 0;
    std::array<sleeper, most_threads> sleeping_;
    size_t sleepers_ = 0;
    bool has_failed_ = false; // a compare-exchange, for no reason
    unsigned stale_ = 0;      // loads that gave an old value
    order_of_threads light_{};
    order_of_threads heavy_{};
};

inline execution now_running;
// How many that a model allows to: those of blocks.
inline int allocations_that_may_fail = 0;

// One of `count` ways to go on.
inline unsigned choose(unsigned count) { return rl::ctx().rand(count, rl::sched_type_user); }

inline void check(bool holds, const char* what, const where& at = where::current()) {
    if (!holds) {
        execution::fail(rl::test_result_user_assert_failed, what, at);
    }
}

} // namespace model

// Relacy, as it is built here, calls these: before a load gives an old value, and in operator delete.
inline bool model_may_be_stale() { return model::now_running.may_be_stale(); }
inline void model_freed(const void* begin, std::size_t size) { model::now_running.freed(begin, size); }

#endif
