// SPDX-License-Identifier: BSL-1.0
//
// A receive whose owner is a handler.
//
// It is inside the receiver from its beginning until its message is taken, or it is clear that none is: that is when its handler is
// about to be called, or destroyed. Where the receiving handle goes meanwhile, the rest of that is left to it.
#ifndef WEIR_DETAIL_ASIO_RECEIVE_OPERATION_HPP
#define WEIR_DETAIL_ASIO_RECEIVE_OPERATION_HPP

#include <weir/detail/asio/looking.hpp>
#include <weir/detail/asio/operation.hpp>
#include <weir/detail/channel_base.hpp>
#include <weir/detail/message.hpp>
#include <weir/detail/platform/fatal.hpp>
#include <weir/detail/receiving.hpp>
#include <weir/detail/receiving_wait.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/error.hpp>

#include <expected>
#include <system_error>
#include <utility>

namespace weir::detail::inline WEIR_ASIO_KIND {

template <class T, bool Checked>
class receive_operation : public receiving_wait<T, cancellation_stop, operation> {
    using outcome = std::expected<T, std::error_code>;

protected:
    explicit receive_operation(channel_base* channel) : receive_operation::receiving_wait(cancellation_stop()) {
        this->set_channel(channel);
    }
    ~receive_operation() = default;

    bool prepare() {
        if (this->channel() == nullptr) {
            return true;
        }
        this->prepare_wait();
        if (!this->channel()->enter_receiver(channel_base::receiver_state::operated) && Checked) {
            fatal("asio::async_recv was called while another call was inside the same receiver");
        }
        is_inside_ = true;
        return this->visit([this](auto& flavor) noexcept {
            // A sender to a rendezvous must find it waiting.
            constexpr bool may_look_later = !requires { flavor.is_met(); };
            may_look_ = may_look_later && handling::is_here();
            return may_look_ || detail::can_take(flavor);
        });
    }

    static constexpr bool gives_way() noexcept { return false; }
    // The ticket found nothing: whether it is to look once more, at its next turn.
    bool looks_again() noexcept { return may_look_ && looking_.goes_on(); }

    // Takes the message out of the channel, unless it was cancelled.
    bool is_over() noexcept {
        if (this->is_cancelled()) {
            taken_ = {nullptr, channel_errc::stopped};
        } else if (this->channel() != nullptr) {
            taken_ = this->take_answered();
        }
        if (taken_.message == nullptr && taken_.error == channel_errc::empty) {
            return false;
        }
        looking_.end();
        return true;
    }

    outcome conclude() noexcept {
        const completions::call here;
        const leaving leaves{*this};
        if (taken_.message != nullptr) {
            const taken_message taken(this->core(), taken_.message);
            return outcome(std::in_place, detail::passed_on<T>(std::move(*taken_.message)));
        }
        if (taken_.error == channel_errc::disconnected) {
            return std::unexpected(make_error_code(recv_error::disconnected));
        }
        if (is_inside_) {
            this->keep_answered();
        }
        return std::unexpected(detail::operation_aborted());
    }

    void leave() noexcept {
        if (is_inside_) {
            const completions::call here;
            this->keep_answered();
            leave_receiver();
        }
    }

private:
    struct leaving {
        receive_operation& wait;
        ~leaving() { wait.leave_receiver(); }
    };

    void abandon() noexcept final { (void)this->cancel(); }

    void leave_receiver() noexcept {
        if (std::exchange(is_inside_, false)) {
            this->channel()->leave_operation();
        }
    }

    take_result<T> taken_{nullptr, channel_errc::disconnected};
    bool is_inside_ = false;
    bool may_look_ = false;
    looking looking_;
};

} // namespace weir::detail::inline WEIR_ASIO_KIND

#endif
