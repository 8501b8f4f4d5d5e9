// SPDX-License-Identifier: BSL-1.0
//
// A send on a channel with bounds that waits without a thread.
#ifndef WEIR_DETAIL_SENDING_WAIT_HPP
#define WEIR_DETAIL_SENDING_WAIT_HPP

#include <weir/detail/flavor/blocking_send.hpp>
#include <weir/detail/flavor/flavor.hpp>
#include <weir/detail/wait/stop_watch.hpp>

#include <optional>
#include <utility>

namespace weir::detail {

// While it waits it is a sender of its own: the handle may go. Offer: the value, as offered_value is one. Base: an async_wait,
// which says how its owner goes on.
template <class T, class Offer, class Stop, class Base>
class sending_wait : public Base {
public:
    void make_at(void* place) noexcept final { offer_.make_at(place); }

protected:
    template <class Value, class... Arguments>
    explicit sending_wait(Value&& value, const Stop& stop, Arguments&&... base)
        : Base(std::forward<Arguments>(base)...), offer_(std::forward<Value>(value)), stop_(stop) {}
    ~sending_wait() = default;

    send_result outcome() const noexcept { return result_; }

    // Before all else: whose room it waits for. Null where it is an empty handle's.
    void set_channel(channel_base* channel) noexcept { channel_ = channel; }

    // Whether it is over without a wait. Throws what making a T throws.
    bool is_over_at_once() {
        if (channel_ == nullptr) {
            result_ = send_result::disconnected;
            return true;
        }
        const bool stopped = stop_.stop_requested(); // before the looks, which find the room that came before the stop
        return prepare_or_refuse(stopped) || attempt() || refuse_if(stopped);
    }

    // Before the wait, and after it; nothing where it did not wait.
    void join_senders() noexcept {
        channel_->add_sender();
        is_sender_ = true;
    }
    void leave_senders() noexcept {
        if (std::exchange(is_sender_, false)) {
            channel_->drop_sender();
        }
    }

    // The owner has cancelled the wait; `unsettled` is what cancel() said.
    void pass_on(std::optional<answer> unsettled) noexcept {
        watch_.end();
        if (unsettled == answer::retry) {
            visit([](auto& flavor) noexcept { flavor.pass_on(); });
        }
    }

private:
    // Makes what may throw, unless that it is not needed is clear already.
    bool prepare_or_refuse(bool stopped) {
        if constexpr (Offer::needs_preparation) {
            if (visit([](auto& flavor) noexcept { return flavor.is_closed_for_sending(); })) {
                result_ = send_result::disconnected;
                return true;
            }
            if (visit([](auto& flavor) noexcept { return flavor.is_full(); }) && refuse_if(stopped)) {
                return true;
            }
            offer_.prepare();
        }
        return false;
    }
    bool attempt() noexcept {
        result_ = visit([this](auto& flavor) noexcept { return flavor.try_send(offer_); });
        return result_ != send_result::full;
    }
    bool refuse_if(bool stopped) noexcept {
        if (stopped) {
            result_ = send_result::stopped;
        }
        return stopped;
    }

    enrolment enrol(bool keeps_turn) noexcept final {
        const enrolment entered = visit([&](auto& flavor) noexcept { return flavor.enrol_sender(*this, keeps_turn); });
        if (entered == enrolment::waits) {
            watch_.begin(stop_, *this);
        }
        return entered;
    }
    void withdraw() noexcept final {
        visit([this](auto& flavor) noexcept { flavor.withdraw_sender(*this); });
    }
    bool settle(answer outcome) noexcept final {
        watch_.end();
        if (outcome == answer::served) {
            result_ = send_result::sent;
            return true;
        }
        if (outcome == answer::stopped) {
            withdraw();
            if (!attempt()) {
                result_ = send_result::stopped;
            }
            return true;
        }
        return attempt();
    }

    template <class Visit>
    decltype(auto) visit(Visit look) {
        return visit_sync_flavor<T>(*channel_, look);
    }

    // Here they take no room of their own: Base has some left.
    send_result result_{};
    bool is_sender_ = false;
    Offer offer_;
    WEIR_NO_UNIQUE_ADDRESS const Stop stop_;
    WEIR_NO_UNIQUE_ADDRESS stop_watch<Stop> watch_;
    channel_base* channel_ = nullptr;
};

} // namespace weir::detail

#endif
