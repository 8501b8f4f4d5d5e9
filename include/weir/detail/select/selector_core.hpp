// SPDX-License-Identifier: BSL-1.0
//
// What waits for any of many channels, and stays enrolled at them between its waits.
//
// An entry is a watcher at one end of a channel, with a claim of its own. It is
//   candidate  perhaps ready: it is looked at when it is drawn                       the selector's thread
//   enrolled   not ready when looked at; whoever makes it ready will tell            candidate -> enrolled: that thread
//   told       somebody took its claim, and pushed it onto the told list             enrolled -> told: who tells
//   timed      enrolled, and a timer's: kept in a heap by when it is due, too         enrolled -> timed: that thread
// told -> candidate, and timed -> candidate once due: the selector's thread, before it draws; a timer's is told where
// its receiver is closed or goes. An entry that was found ready stays a candidate. So a wait costs as much as there is
// news, however many entries there are; entries that are ready are drawn alike. Only where the time is out all are looked
// at, since who is about to tell may have been stopped.
//
// Who tells touches the entry, then the told list, then the core's parker, and may be stopped between them for any time.
// Each enrolled entry therefore holds the core, and who takes its claim gives that up as the last touch; who holds the
// core last frees it with all that was told. An entry that is removed while somebody tells it is freed once it is told.
#ifndef WEIR_DETAIL_SELECT_SELECTOR_CORE_HPP
#define WEIR_DETAIL_SELECT_SELECTOR_CORE_HPP

#include <weir/detail/memory.hpp>
#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/select/due_heap.hpp>
#include <weir/detail/select/random.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/spin.hpp>
#include <weir/detail/wait/waiter.hpp>
#include <weir/detail/watched_end.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace weir::detail {

class selector_core;

class selector_entry : public watched_end {
public:
    using watched_end::watched_end;

    inline void finish(answer) noexcept final;

private:
    friend selector_core;
    friend due_heap<selector_entry>;

    // In the heap; not later than due().
    deadline due_at() const noexcept { return due_at_; }
    std::size_t& place() noexcept { return place_; }

    selector_core* core_ = nullptr;
    plain<selector_entry*> told_next_ = nullptr;
    std::size_t key_ = 0;
    std::size_t place_ = 0; // among the candidates, or in the heap
    deadline due_at_ = deadline::never();
    enum class state : std::uint8_t { candidate, enrolled, timed, removed } state_ = state::candidate;
};

class selector_core {
public:
    selector_core() = default;
    selector_core(const selector_core&) = delete;
    selector_core& operator=(const selector_core&) = delete;

    // The selector's thread, all of it but push().

    // Throws std::bad_alloc.
    std::size_t add(std::unique_ptr<selector_entry> entry) {
        const std::size_t key = free_keys_.empty() ? entries_.size() : free_keys_.back();
        // Room first, so that nothing throws later.
        detail::make_room(candidates_, entries_.size() + 1);
        timed_.reserve(entries_.size() + 1);
        detail::make_room(free_keys_, entries_.size() + 1);
        if (free_keys_.empty()) {
            entries_.push_back(nullptr);
        } else {
            free_keys_.pop_back();
        }
        entry->core_ = this;
        entry->key_ = key;
        become_candidate(*entry);
        entries_[key] = entry.release();
        return key;
    }

    void remove(std::size_t key) noexcept {
        if (key >= entries_.size() || entries_[key] == nullptr) {
            return;
        }
        selector_entry* const entry = std::exchange(entries_[key], nullptr);
        free_keys_.push_back(key); // there is room
        switch (entry->state_) {
        case selector_entry::state::candidate:
            leave_candidates(*entry);
            break;
        case selector_entry::state::timed:
            timed_.erase(*entry);
            [[fallthrough]];
        case selector_entry::state::enrolled:
        case selector_entry::state::removed:
            if (!try_withdraw(*entry)) {
                entry->state_ = selector_entry::state::removed; // freed when it is told
                return;
            }
            break;
        }
        delete entry;
    }

    std::size_t size() const noexcept { return entries_.size() - free_keys_.size(); }

    // An entry that is ready; none where the deadline came first.
    std::optional<std::size_t> wait(deadline until) noexcept {
        ++asked_;
        for (;;) {
            if (selector_entry* const ready = draw()) {
                return ready->key_;
            }
            if (until.has_passed()) {
                return look_at_all();
            }
            const deadline next = timed_.is_empty() ? until : std::min(until, timed_.front().due_at_);
            const auto is_told = [this]() noexcept { return told_.load(memory_order_relaxed) != nullptr; };
            if (!spin_.wait(asked_, is_told, is_told)) {
                (void)spin_.sleep(parker_, next);
            }
        }
    }

    // The selector goes.
    void leave() noexcept {
        for (std::size_t key = 0; key < entries_.size(); ++key) {
            remove(key);
        }
        release();
    }

    // Who took the claim of an entry. The last touch.
    void push(selector_entry& entry) noexcept {
        selector_entry* first = told_.load(memory_order_relaxed);
        do {
            entry.told_next_ = first;
            // release, pairs with [told]
        } while (!told_.compare_exchange_weak(first, &entry, memory_order_release, memory_order_relaxed));
        WEIR_POINT("selector.told");
        parker_.unpark();
        release();
    }

private:
    ~selector_core() { free_told(); }

    void release() noexcept {
        // acq_rel: pairs with itself; all that was told is there when the last one frees it
        if (holders_.fetch_sub(1, memory_order_acq_rel) == 1) {
            delete this;
        }
    }

    void become_candidate(selector_entry& entry) noexcept {
        entry.state_ = selector_entry::state::candidate;
        entry.place_ = candidates_.size();
        candidates_.push_back(&entry); // there is room
    }
    void leave_candidates(const selector_entry& entry) noexcept {
        candidates_[entry.place_] = candidates_.back();
        candidates_[entry.place_]->place_ = entry.place_;
        candidates_.pop_back();
    }

    // Of one that is enrolled. False: somebody tells it.
    bool try_withdraw(selector_entry& entry) noexcept {
        if (!entry.take()) {
            return false;
        }
        entry.withdraw();
        holders_.fetch_sub(1, memory_order_relaxed); // not the last: the selector is here
        return true;
    }

    // All news become candidates.
    void collect() noexcept {
        if (told_.load(memory_order_relaxed) != nullptr) {
            // [told] acquire, pairs with push
            for (selector_entry* entry = told_.exchange(nullptr, memory_order_acquire); entry != nullptr;) {
                selector_entry* const next = entry->told_next_;
                if (entry->state_ == selector_entry::state::removed) {
                    delete entry;
                } else {
                    if (entry->state_ == selector_entry::state::timed) {
                        timed_.erase(*entry);
                    }
                    become_candidate(*entry);
                }
                entry = next;
            }
        }
        while (!timed_.is_empty() && timed_.front().due_at_.has_passed()) {
            selector_entry& due = timed_.front();
            timed_.erase(due);
            due.state_ = selector_entry::state::enrolled;
            if (try_withdraw(due)) {
                become_candidate(due);
            }
        }
    }

    // A candidate that is ready, each as likely; those drawn that are not are enrolled. Null where none is left.
    selector_entry* draw() noexcept {
        collect();
        while (!candidates_.empty()) {
            selector_entry& drawn = *candidates_[fair_choice::below(candidates_.size())];
            if (drawn.is_ready()) {
                return &drawn;
            }
            leave_candidates(drawn);
            drawn.reopen();
            drawn.state_ = selector_entry::state::enrolled;
            holders_.fetch_add(1, memory_order_relaxed);
            if (drawn.enrol() && try_withdraw(drawn)) {
                become_candidate(drawn);
                return &drawn;
            }
            if (drawn.is_timed()) {
                drawn.state_ = selector_entry::state::timed;
                drawn.due_at_ = drawn.due();
                timed_.push(drawn); // there is room
            }
        }
        return nullptr;
    }

    std::optional<std::size_t> look_at_all() noexcept {
        const std::size_t start = entries_.empty() ? 0 : fair_choice::below(entries_.size());
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            selector_entry* const entry = entries_[(start + i) % entries_.size()];
            if (entry != nullptr && entry->is_ready()) {
                return entry->key_;
            }
        }
        return std::nullopt;
    }

    void free_told() noexcept {
        for (selector_entry* entry = told_.load(memory_order_relaxed); entry != nullptr;) {
            selector_entry* const next = entry->told_next_;
            delete entry;
            entry = next;
        }
    }

    std::vector<selector_entry*> entries_; // by key
    std::vector<std::size_t> free_keys_;
    std::vector<selector_entry*> candidates_;
    due_heap<selector_entry> timed_;
    spin_policy spin_{1};
    std::uint64_t asked_ = 0; // how often for one that is ready

    // Others write these.
    alignas(cache_line) atomic<selector_entry*> told_{nullptr};
    atomic<std::size_t> holders_{1};
    parker parker_;
};

inline void selector_entry::finish(answer) noexcept { core_->push(*this); }

} // namespace weir::detail

#endif
