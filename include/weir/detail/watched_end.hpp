// SPDX-License-Identifier: BSL-1.0
//
// An end of a channel that somebody watches: a waiter that takes nothing, and wants to be told when its end is ready.
// What to do when told is its base's matter; the base derives from watched_end.
//
// It refers to the channel, not to the handle: that may be moved, and where it goes the end is ready.
#ifndef WEIR_DETAIL_WATCHED_END_HPP
#define WEIR_DETAIL_WATCHED_END_HPP

#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/handles.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/wait/deadline.hpp>
#include <weir/detail/wait/waiter.hpp>

namespace weir::detail {

class watched_end : public waiter {
public:
    explicit watched_end(channel_base* channel) noexcept : holder_(channel) { share(claim_); }
    virtual ~watched_end() = default;

    // All of these: the thread that uses the end.

    // Whether an operation would not wait.
    virtual bool is_ready() noexcept = 0;
    // Enrols one that was not ready, and looks again.
    virtual bool enrol() noexcept = 0;
    virtual void withdraw() noexcept = 0;
    // When it becomes ready without being told.
    virtual deadline due() noexcept { return deadline::never(); }
    // A timer's: told of nothing but its closing.
    virtual bool is_timed() const noexcept { return false; }

    service asks_for() const noexcept final { return service::tell; }
    void make_at(void*) noexcept final {}

protected:
    channel_base* channel() const noexcept { return holder_.get(); }

    // While it is not enrolled.
    void reopen() noexcept { claim_.reopen(); }

private:
    channel_holder holder_; // the handle may go first
    claim_word claim_;
};

template <class T, class Base>
class receiver_end final : public Base {
public:
    using Base::Base;

    bool is_ready() noexcept override {
        return is_over() || visit([](auto& flavor) noexcept { return detail::can_take(flavor); });
    }
    bool enrol() noexcept override {
        this->channel()->watch_receiving(*this);
        WEIR_POINT("receiver.enrolled");
        return visit([](auto& flavor) noexcept { return detail::can_take_after_enrol(flavor); });
    }
    void withdraw() noexcept override { this->channel()->unwatch_receiving(*this); }

    deadline due() noexcept override { return static_cast<timer<T>&>(*this->channel()).due(); }
    bool is_timed() const noexcept override {
        return this->channel() != nullptr && this->channel()->kind() == flavor_kind::timer;
    }

private:
    // What is left of the channel belongs to its senders.
    bool is_over() const noexcept { return this->channel() == nullptr || !this->channel()->has_receiver(); }

    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_flavor<T>(*this->channel(), look);
    }
};

// Always ready: a send on an unbounded channel never waits.
template <class Base>
class sender_end final : public Base {
public:
    using Base::Base;

    bool is_ready() noexcept override { return true; }
    bool enrol() noexcept override { return true; }
    void withdraw() noexcept override {}
};

template <class T, class Base>
class sync_sender_end final : public Base {
public:
    using Base::Base;

    bool is_ready() noexcept override {
        return this->channel() == nullptr || visit([](auto& flavor) noexcept { return flavor.may_send(); });
    }
    bool enrol() noexcept override {
        return visit([this](auto& flavor) noexcept {
            flavor.watch_sending(*this);
            WEIR_POINT("sender.watching");
            return flavor.may_send();
        });
    }
    void withdraw() noexcept override {
        visit([this](auto& flavor) noexcept { flavor.unwatch_sending(*this); });
    }

private:
    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_sync_flavor<T>(*this->channel(), look);
    }
};

} // namespace weir::detail

#endif
