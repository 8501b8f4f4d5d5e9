// SPDX-License-Identifier: BSL-1.0
//
// The ends of channels that a selector waits for.
#ifndef WEIR_DETAIL_SELECT_SELECTOR_ENTRIES_HPP
#define WEIR_DETAIL_SELECT_SELECTOR_ENTRIES_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/select/selector_core.hpp>

namespace weir::detail {

template <class T>
class receiver_entry final : public selector_entry {
public:
    using selector_entry::selector_entry;

    bool is_ready() noexcept override {
        return is_over() || visit([](auto& flavor) noexcept { return detail::can_take(flavor); });
    }
    bool enrol() noexcept override {
        channel()->watch_receiving(*this);
        return visit([](auto& flavor) noexcept { return detail::can_take_after_enrol(flavor); });
    }
    void withdraw() noexcept override { channel()->unwatch_receiving(*this); }

    deadline due() noexcept override { return static_cast<timer<T>&>(*channel()).due(); }
    bool is_timed() const noexcept override { return channel()->kind() == flavor_kind::timer; }

private:
    // What is left of the channel belongs to its senders.
    bool is_over() const noexcept { return channel() == nullptr || !channel()->has_receiver(); }

    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_flavor<T>(*channel(), look);
    }
};

// Always ready: a send on an unbounded channel never waits.
class sender_entry final : public selector_entry {
public:
    using selector_entry::selector_entry;

    bool is_ready() noexcept override { return true; }
    bool enrol() noexcept override { return true; }
    void withdraw() noexcept override {}
};

template <class T>
class sync_sender_entry final : public selector_entry {
public:
    using selector_entry::selector_entry;

    bool is_ready() noexcept override {
        return channel() == nullptr || visit([](auto& flavor) noexcept { return flavor.may_send(); });
    }
    bool enrol() noexcept override {
        return visit([this](auto& flavor) noexcept {
            flavor.watch_sending(*this);
            return flavor.may_send();
        });
    }
    void withdraw() noexcept override {
        visit([this](auto& flavor) noexcept { flavor.unwatch_sending(*this); });
    }

private:
    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_sync_flavor<T>(*channel(), look);
    }
};

} // namespace weir::detail

#endif
