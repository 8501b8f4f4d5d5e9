// SPDX-License-Identifier: BSL-1.0
//
// A block of the unbounded channel: slots for messages, a state byte for each, and its place in the chain.
//
// States and values lie apart, so that filling and draining touches little memory. After the last state stands one
// that is never written: the receiver runs into it at the block's end without counting.
#ifndef WEIR_DETAIL_FLAVOR_LIST_BLOCK_HPP
#define WEIR_DETAIL_FLAVOR_LIST_BLOCK_HPP

#include <weir/detail/flavor/slot_state.hpp>
#include <weir/detail/memory.hpp>
#include <weir/detail/platform/injection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

namespace weir::detail {

// The constants of a list; tests make them small.
template <class T>
struct list_sizes {
    static constexpr std::size_t block_bytes = 32 * 1024; // two of them are what an empty channel may keep
    static constexpr std::size_t header_bytes = 256;
    static constexpr std::uint32_t slots =
        static_cast<std::uint32_t>(std::max<std::size_t>((block_bytes - header_bytes) / (sizeof(T) + 1), 1));

    // How many threads may be inside a send when memory runs out.
    static constexpr std::uint32_t threads = 256;
    static constexpr std::uint32_t reserve = slots >= threads + threads / 2 ? threads : 0;

    // A sender looks whether it is in a crowd at one slot of these.
    static constexpr std::uint32_t slots_a_look = 4;

    // Blocks to be used again (spare_blocks.hpp).
    static constexpr std::uint32_t most_spare = 3;
    static constexpr std::uint32_t blocks_a_rest = 4;
    static constexpr std::size_t resting_bytes = 2 * 1024 * 1024;
    static constexpr std::uint32_t most_resting =
        static_cast<std::uint32_t>(resting_bytes / (header_bytes + slots * (sizeof(T) + 1)));

    // Slots of the first block, inside the channel's state.
    static constexpr std::size_t embedded_bytes = 128;
    static constexpr std::uint32_t embedded_slots =
        sizeof(T) < embedded_bytes && alignof(T) <= 16
            ? static_cast<std::uint32_t>(std::min<std::size_t>(embedded_bytes / (sizeof(T) + 1), 14))
            : 0;
};

template <class T>
struct list_block {
    static constexpr std::uint64_t unknown = ~std::uint64_t{0};

    list_block(std::uint32_t slots, std::uint32_t reserve, atomic<slot_state>* states, std::byte* values) noexcept
        : size(slots), low(slots - reserve), states_(states), values_(values) {}

    // Written before the block is linked, then read only.
    plain<std::uint64_t> start = 0;        // index of the first slot
    const std::uint32_t size;              // slots
    const std::uint32_t low;               // from this slot on a sender sees to it that there is a next block
    plain<std::uint64_t> lap = 0;          // how often the block was used before
    plain<list_block*> previous = nullptr; // valid while a send into that block is under way; see also spare_blocks.hpp

    // Null, then the block that follows: set once a lap, by the sender that links it.
    atomic<list_block*> next{nullptr};
    // Unknown, then the tail as read by the sender that moved the hint off this block: every sender that may still walk
    // through the block has claimed an index below that.
    atomic<std::uint64_t> passed_at{unknown};

    atomic<slot_state>& state(std::uint32_t slot) const noexcept { return states_[slot]; }
    T* value(std::uint32_t slot) const noexcept {
        return reinterpret_cast<T*>(values_ + std::size_t{slot} * sizeof(T));
    }
    std::uint64_t end() const noexcept { return start + size; }
    slot_state written() const noexcept { return written_in(lap); }
    slot_state taken() const noexcept { return taken_in(lap); }

    // The receiver, when nobody can see the block any more: makes it fit for another lap.
    void reuse() noexcept {
        ++lap;
        previous = nullptr;
        next.store(nullptr, memory_order_relaxed);
        passed_at.store(unknown, memory_order_relaxed);
    }

private:
    atomic<slot_state>* states_;
    std::byte* values_;
};

template <class T>
struct list_position {
    list_block<T>* in = nullptr;
    std::uint32_t slot = 0;

    friend bool operator==(const list_position&, const list_position&) = default;
};

// A block of `Slots` slots that lies inside another object.
template <class T, std::uint32_t Slots>
class embedded_block {
public:
    embedded_block() noexcept : block_(Slots, 0, states_, values_) {}
    list_block<T>* get() noexcept { return &block_; }

private:
    list_block<T> block_;
    atomic<slot_state> states_[Slots + 1] = {};
    alignas(T) std::byte values_[Slots * sizeof(T)];
};

template <class T>
class embedded_block<T, 0> {
public:
    embedded_block() noexcept : block_(0, 0, states_, nullptr) {}
    list_block<T>* get() noexcept { return &block_; }

private:
    list_block<T> block_;
    atomic<slot_state> states_[1] = {};
};

// Null where memory is out.
template <class T>
list_block<T>* try_make_block(std::uint32_t slots, std::uint32_t reserve) noexcept {
    using block = list_block<T>;
    constexpr std::size_t alignment = alignof(T) > cache_line ? alignof(T) : cache_line;
    constexpr std::size_t states_at = sizeof(block);
    const std::size_t values_at = round_up(states_at + slots + 1, alignof(T) > 16 ? alignof(T) : 16);
    void* const place = try_allocate(values_at + slots * sizeof(T), alignment);
    if (place == nullptr) {
        return nullptr;
    }
    std::byte* const bytes = static_cast<std::byte*>(place);
    auto* const states = reinterpret_cast<atomic<slot_state>*>(bytes + states_at);
    for (std::uint32_t i = 0; i <= slots; ++i) {
        ::new (static_cast<void*>(states + i)) atomic<slot_state>(0);
    }
    return ::new (place) block(slots, reserve, states, bytes + values_at);
}

template <class T>
void free_block(list_block<T>* block) noexcept {
    block->~list_block<T>();
    detail::deallocate(block);
}

// Of the words of a list that only grow. Senders.
inline void advance(atomic<std::uint64_t>& word, std::uint64_t index) noexcept {
    std::uint64_t seen = word.load(memory_order_relaxed);
    // [advance] release, pairs with claim_carefully
    while (seen < index && !word.compare_exchange_weak(seen, index, memory_order_release, memory_order_relaxed)) {
    }
}

// While there is one, no block of the list is given back.
class block_pin {
public:
    explicit block_pin(atomic<std::uint32_t>& pins) noexcept : pins_(pins) {
        pins_.fetch_add(1, memory_order_seq_cst); // pairs with reclaim
        WEIR_POINT("list.pinned");
    }
    ~block_pin() { pins_.fetch_sub(1, memory_order_release); } // pairs with reclaim

    block_pin(const block_pin&) = delete;
    block_pin& operator=(const block_pin&) = delete;

private:
    atomic<std::uint32_t>& pins_;
};

} // namespace weir::detail

#endif
