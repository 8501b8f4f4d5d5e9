// SPDX-License-Identifier: BSL-1.0
//
// Flags that one side raises seldom and the other side looks at after each of its writes, for next to nothing.
//
// The question is Dekker's: A writes x and then reads the flag; B raises the flag and then reads x; one of them must
// see the other's write. A asks for every message, B only before it sleeps or leaves. So B pays:
//   A   x.store(…);        flags.after_write()              a plain load
//   B   flags.raise(…);    flags.barrier();    x.load(…)     membarrier: a full barrier on A's processor
// Where the kernel has no membarrier, and where B raises so often that A's share is the cheaper one (decided when the word
// is made, and kept in its `symmetric` bit), after_write() is a read-modify-write and barrier() nothing. All changes of
// the word then form one order: either A's comes after B's raise and sees the flag, or it comes before, and B's raise
// acquires what A released, x among it.
#ifndef WEIR_DETAIL_WAIT_FLAG_WORD_HPP
#define WEIR_DETAIL_WAIT_FLAG_WORD_HPP

#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/membarrier.hpp>

#include <cstdint>

namespace weir::detail {

class flag_word {
public:
    // `raised_often`: about as often as it is looked at.
    explicit flag_word(bool raised_often = false) noexcept : bits_(membarrier_pays(raised_often) ? 0 : symmetric) {}

    // A's side: the flags as of some moment after all that this thread wrote before.
    WEIR_INLINE std::uint32_t after_write() noexcept {
#if WEIR_MEMBARRIER
        compiler_barrier();
        const std::uint32_t seen = bits_.load(memory_order_seq_cst); // pairs with raise, through barrier()
        if ((seen & symmetric) == 0) [[likely]] {
            return seen;
        }
#endif
        return bits_.fetch_add(0, memory_order_seq_cst) & ~symmetric; // pairs with raise
    }

    // B's side: raises `flags` and returns what was raised before.
    std::uint32_t raise(std::uint32_t flags) noexcept {
        return bits_.fetch_or(flags, memory_order_seq_cst) & ~symmetric; // pairs with after_write
    }

    // B's side, after raise and before it reads what A writes.
    void barrier() noexcept {
        if ((bits_.load(memory_order_relaxed) & symmetric) == 0) {
            membarrier();
        }
    }

    // Either side: takes `flags` away and returns what was raised before.
    std::uint32_t lower(std::uint32_t flags) noexcept {
        return bits_.fetch_and(~flags, memory_order_acq_rel) & ~symmetric; // pairs with raise and lower
    }

    // The flags as of some moment. Sees all that was raised before by seq_cst operations, and what raise published.
    std::uint32_t peek() const noexcept {
        return bits_.load(memory_order_seq_cst) & ~symmetric; // pairs with raise
    }

private:
    static constexpr std::uint32_t symmetric = std::uint32_t{1} << 31;

    atomic<std::uint32_t> bits_;
};

} // namespace weir::detail

#endif
