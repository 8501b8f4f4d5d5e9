// SPDX-License-Identifier: BSL-1.0
//
// An operation of Asio: a wait without a thread whose owner is a handler.
//
// An operation is in one of four states. In brackets: who owns it.
//   new       it is being initiated                                           [the initiating call]
//   waiting   it stands in the list of its execution context                  [the list]
//   posted    its wait is over, a ticket for it is in its executor's queue    [the ticket]
//   called    the executor runs the ticket: what came of it is determined, its memory is given back, and the handler called
// new -> posted: it is over at once, or looks first when its ticket is run. new -> waiting: neither. waiting -> posted: who ended the
// wait, by taking it out of the list. posted -> waiting: the ticket, where there is nothing, or what the wait was told of has gone.
//
// Of two coroutines on one executor, one that sends and one that receives, each could wait for the other at each message. They need
// not: others that are in the queue already are on the way. So a receive that is begun inside a handler looks when its turn comes,
// perhaps at some turns after that (looking.hpp), and only then waits; and a send that was served inside a handler, whose message
// keeps its place until that receiver's next turn, lets it have that turn before it goes on and sends the next.
//
// What must hold
//  I1  Who takes it out of the list owns it: who ended the wait, or the context, which goes.
//  I2  Nobody posts to a context that has gone: shutdown() waits for those that took an operation out before it.
//  I3  Who owns it and goes without calling the handler has left the channel before the handler is destroyed: with it may go
//      anything, the channel's ends among it.
//
// A cancellation comes on the handler's executor, so it comes before the ticket is run, or finds the slot empty. It is noted, and
// ends the wait; the ticket sees the note.
#ifndef WEIR_DETAIL_ASIO_OPERATION_HPP
#define WEIR_DETAIL_ASIO_OPERATION_HPP

#include <weir/detail/asio/net.hpp>
#include <weir/detail/asio/ticket_room.hpp>
#include <weir/detail/platform/atomic.hpp>
#include <weir/detail/platform/config.hpp>
#include <weir/detail/platform/injection.hpp>
#include <weir/detail/platform/storage.hpp>
#include <weir/detail/wait/async_wait.hpp>
#include <weir/detail/wait/completions.hpp>
#include <weir/detail/wait/debt_lock.hpp>
#include <weir/detail/wait/parker.hpp>
#include <weir/detail/wait/stop_watch.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace weir::detail::inline WEIR_ASIO_KIND {

// Whether an operation was cancelled.
//
// No cancellation is lost, though its wait may be between two rounds: who enrols opens the claim, then looks at the note;
// who cancels makes the note, then takes the claim. Note and look are read-modify-writes of one word.
class cancellation {
public:
    // The handler's executor.
    bool is_requested() const noexcept { return (bits_.load(memory_order_relaxed) & requested) != 0; }
    void request(waiter& wait) noexcept {
        bits_.fetch_or(requested, memory_order_acquire); // pairs with is_requested_after_enrol
        WEIR_POINT("asio.cancel");
        if (wait.take()) {
            wait.finish(answer::stopped);
            completions::run(); // the call that this is inside of is none of ours
        }
    }

    // Who enrolled its wait.
    bool is_requested_after_enrol() noexcept {
        return (bits_.fetch_or(enrolled, memory_order_release) & requested) != 0; // pairs with request
    }

private:
    static constexpr std::uint8_t requested = 1;
    static constexpr std::uint8_t enrolled = 2;

    atomic<std::uint8_t> bits_{0};
};

// In the place of a stop token. Asked while the operation is being initiated, when nobody can have cancelled it.
struct cancellation_stop {
    static constexpr bool stop_requested() noexcept { return false; }
};

} // namespace weir::detail::inline WEIR_ASIO_KIND

namespace weir::detail {

template <>
class stop_watch<cancellation_stop> {
public:
    void begin(const cancellation_stop&, waiter& wait) noexcept;
    void end() noexcept {}
};

inline namespace WEIR_ASIO_KIND {

class operation;

// The operations that wait in an execution context.
class waiting_operations final : public net::execution_context::service {
public:
    using key_type = waiting_operations;
    static inline net::execution_context::id id;

    explicit waiting_operations(net::execution_context& context) : service(context) {}

    // False: the context goes.
    bool add(operation& waiting) noexcept;
    // Who ended a wait. True: the operation is the caller's, and the context stays until end_post().
    bool begin_post(operation& ended) noexcept;
    void end_post() noexcept {
        lock_.lock();
        parker* const waiting = --posting_ == 0 ? last_post_ : nullptr;
        lock_.unlock();
        if (waiting != nullptr) {
            waiting->unpark();
        }
    }

private:
    void shutdown() override;

    debt_lock lock_;
    operation* first_ = nullptr;
    bool is_shut_down_ = false;
    std::size_t posting_ = 0;
    parker* last_post_ = nullptr;
};

// Whether this thread is running a ticket, or calls a handler.
class handling {
public:
    handling() noexcept { ++depth(); }
    handling(const handling&) = delete;
    handling& operator=(const handling&) = delete;
    ~handling() { --depth(); }

    static bool is_here() noexcept { return depth() != 0; }

private:
    struct counter {
        int depth;
    };
    static int& depth() noexcept { return per_thread<counter>::here().depth; }
};

class operation : public async_wait {
public:
    // The executor. The operation is not the caller's any more.
    virtual void complete() = 0;
    // Its owner goes without calling the handler.
    virtual void destroy() noexcept = 0;

    struct destroyer {
        void operator()(operation* owned) const noexcept { owned->destroy(); }
    };

    // For its ticket, while it is posted.
    void* room() noexcept { return &room_; }

    // The handler's executor.
    void request_cancellation() noexcept { cancellation_.request(*this); }
    // Who enrolled its wait.
    bool is_cancelled_after_enrol() noexcept { return cancellation_.is_requested_after_enrol(); }

protected:
    operation() = default;
    ~operation() = default;

    // The handler's executor.
    bool is_cancelled() const noexcept { return cancellation_.is_requested(); }

    // Before it waits. Throws where memory is out.
    void set_home(net::execution_context& context) {
        ::new (static_cast<void*>(&listed_)) listing{&net::use_service<waiting_operations>(context), nullptr, nullptr};
    }

    // The ticket: whether its wait was ended inside a handler. Only once.
    bool takes_another_turn() noexcept { return std::exchange(was_ended_by_handler_, false); }

    // Waits, or is posted at once.
    void start(bool is_posted) {
        const completions::call here; // of others, whose waits this may have ended
        if (is_posted) {
            (void)take(); // from a cancellation
            post();
        } else if (!listed_.home->add(*this)) {
            destroy();
        } else if (!begin()) {
            hand_on();
        }
    }

private:
    friend waiting_operations;

    // Puts a ticket into the executor's queue.
    virtual void post() = 0;
    // The context goes: ends the wait.
    virtual void abandon() noexcept = 0;

    // Ends the program where the executor has no memory for a ticket.
    void hand_on() noexcept final {
        WEIR_POINT("asio.hand_on");
        was_ended_by_handler_ = handling::is_here();
        waiting_operations& home = *listed_.home;
        if (home.begin_post(*this)) {
            WEIR_POINT("asio.post");
            post();
            WEIR_POINT("asio.posted");
            home.end_post();
        } else {
            (void)hand_over();
        }
    }

    // Its place in the list.
    struct listing {
        waiting_operations* home;
        // Under the list's lock.
        operation* next;
        operation* previous;
    };

    union {
        listing listed_{}; // while it waits
        ticket_room room_; // while it is posted
    };
    bool is_listed_ = false; // under the list's lock
    // Its owner's.
    bool was_ended_by_handler_ = false;
    cancellation cancellation_;
};

inline bool waiting_operations::add(operation& waiting) noexcept {
    lock_.lock();
    const bool is_open = !is_shut_down_;
    if (is_open) {
        waiting.is_listed_ = true;
        waiting.listed_.previous = nullptr;
        waiting.listed_.next = first_;
        if (first_ != nullptr) {
            first_->listed_.previous = &waiting;
        }
        first_ = &waiting;
    }
    lock_.unlock();
    return is_open;
}

inline bool waiting_operations::begin_post(operation& ended) noexcept {
    lock_.lock();
    const bool is_callers = ended.is_listed_;
    if (is_callers) {
        ended.is_listed_ = false;
        const auto [home, next, previous] = ended.listed_;
        (previous != nullptr ? previous->listed_.next : first_) = next;
        if (next != nullptr) {
            next->listed_.previous = previous;
        }
        ++posting_;
    }
    lock_.unlock();
    return is_callers;
}

inline void waiting_operations::shutdown() {
    parker place;
    lock_.lock();
    is_shut_down_ = true;
    operation* const all = std::exchange(first_, nullptr);
    for (operation* each = all; each != nullptr; each = each->listed_.next) {
        each->is_listed_ = false;
    }
    const bool must_wait = posting_ != 0;
    last_post_ = &place;
    lock_.unlock();
    WEIR_POINT("asio.shutdown");
    {
        const completions::call here; // not before all have left their channels
        for (operation* each = all; each != nullptr; each = each->listed_.next) {
            each->abandon();
        }
    }
    if (must_wait) {
        place.park(deadline::never());
    }
    for (operation* each = all; each != nullptr;) {
        std::exchange(each, each->listed_.next)->destroy();
    }
}

// In the executor's queue: owns the operation.
class ticket {
public:
    using allocator_type = ticket_allocator<void>;

    explicit ticket(operation& of) noexcept : operation_(&of) {}

    allocator_type get_allocator() const noexcept { return allocator_type(operation_->room()); }
    void operator()() {
        const handling here;
        operation_.release()->complete();
    }

private:
    std::unique_ptr<operation, operation::destroyer> operation_;
};

// use(executor), as what it is where it is an any_io_executor that holds one of Known, which in coroutines it mostly does. That is
// smaller; and an any_io_executor takes a block of its own for what is posted to it.
template <class... Known, class Executor, class Use>
void unwrap(const Executor& executor, Use use) {
    bool is_known = false;
#if WEIR_HAS_RTTI
    if constexpr (std::is_same_v<Executor, net::any_io_executor> &&
                  requires { executor.target_type() == typeid(Executor); }) {
        const std::type_info& held = executor.target_type(); // target() does not look, in some releases
        is_known = ((held == typeid(Known) && (use(*executor.template target<Known>()), true)) || ...);
    }
#endif
    if (!is_known) {
        use(executor);
    }
}

// An executor, whose context has work while this lives.
template <class Executor, bool IsExecutor = net::execution::is_executor<Executor>::value>
class working_executor {
public:
    explicit working_executor(const Executor& executor)
        : tracked_(net::prefer(executor, net::execution::outstanding_work.tracked)) {}

    net::execution_context& context() const { return detail::context_of(tracked_); }

    // What is in a queue counts as work by itself.
    auto untracked() const { return net::prefer(tracked_, net::execution::outstanding_work.untracked); }

private:
    using tracked = net::prefer_result<const Executor&, net::execution::outstanding_work_t::tracked_t>;

    std::decay_t<typename tracked::type> tracked_;
};

// One of the kind that Asio had before, with on_work_started().
template <class Executor>
class working_executor<Executor, false> {
public:
    explicit working_executor(const Executor& executor) : guard_(executor) {}

    net::execution_context& context() const { return detail::context_of(guard_.get_executor()); }

    Executor untracked() const { return guard_.get_executor(); }

private:
    net::executor_work_guard<Executor> guard_;
};

// An operation with its handler. Kind: an operation that has
//   prepare(arguments…)  whether it is to be posted at once; may throw
//   gives_way()          when the ticket is run: whether it is to be posted once more
//   is_over()            then
//   looks_again()        where it is not over: whether it is to be posted once more, or waits
//   conclude()           the result; leaves the channel
//   leave()              leaves the channel without one
template <class Kind, class Handler, class Executor>
class handled_operation final : public Kind {
    using allocator_of_handler = net::associated_allocator_t<Handler, recycling_allocator<void>>;
    using allocator = typename std::allocator_traits<allocator_of_handler>::template rebind_alloc<handled_operation>;
    using memory = std::allocator_traits<allocator>;

public:
    template <class Argument, class... Arguments>
    static void initiate(Handler& handler, const Executor& executor, Argument&& value, Arguments&&... arguments) {
        allocator from = allocator_of(handler);
        auto give_back = [&from](handled_operation* place) noexcept { memory::deallocate(from, place, 1); };
        std::unique_ptr<handled_operation, decltype(give_back)> place(memory::allocate(from, 1), give_back);
        ::new (static_cast<void*>(place.get())) handled_operation(handler, executor, std::forward<Argument>(value));
        std::unique_ptr<handled_operation, operation::destroyer> owned(place.release());
        const bool is_posted = owned->prepare(std::forward<Arguments>(arguments)...);
        if (!is_posted) {
            owned->set_home(owned->executor_.context());
        }
        if (auto slot = net::get_associated_cancellation_slot(owned->handler_); slot.is_connected()) {
            slot.assign(canceller{owned.get()});
        }
        owned.release()->start(is_posted);
    }

    void complete() override {
        if (this->gives_way()) {
            post_again();
            return;
        }
        if (!this->is_over()) {
            this->looks_again() ? post_again() : wait_after_all();
            return;
        }
        if (auto slot = net::get_associated_cancellation_slot(handler_); slot.is_connected()) {
            slot.clear();
        }
        auto result = this->conclude();
        Handler handler(give_back());
        std::move(handler)(std::move(result));
    }

    void destroy() noexcept override {
        this->leave();
        [[maybe_unused]] const Handler handler(give_back());
    }

private:
    struct canceller {
        handled_operation* what;
        void operator()(net::cancellation_type type) const noexcept {
            if (type != net::cancellation_type::none) {
                what->request_cancellation();
            }
        }
    };

    template <class Argument>
    handled_operation(Handler& handler, const Executor& executor, Argument&& value)
        : Kind(std::forward<Argument>(value)), executor_(executor), handler_(std::move(handler)) {}
    ~handled_operation() = default;

    static allocator allocator_of(const Handler& handler) noexcept {
        return allocator(net::get_associated_allocator(handler, recycling_allocator<void>()));
    }

    // This may be gone before either returns.
    void post() override {
        const auto posts = executor_.untracked();
        const offered_room offers(this->room());
        detail::unwrap<net::strand<net::io_context::executor_type>>(
            posts, [this](const auto& executor) { net::post(executor, ticket(*this)); });
    }
    // Of a ticket that is about to return. Ends the program where memory is out, as the next does.
    void post_again() noexcept {
        const auto posts = executor_.untracked();
        const offered_room offers(this->room());
        net::defer(posts, ticket(*this));
    }
    void wait_after_all() noexcept {
        this->set_home(executor_.context());
        this->start(false);
    }

    // Ends the operation, and its memory, which the handler may be about to use again.
    Handler give_back() noexcept {
        Handler handler(std::move(handler_));
        allocator from = allocator_of(handler);
        this->~handled_operation();
        memory::deallocate(from, this, 1);
        return handler;
    }

    working_executor<Executor> executor_;
    Handler handler_;
};

} // namespace WEIR_ASIO_KIND

inline void stop_watch<cancellation_stop>::begin(const cancellation_stop&, waiter& wait) noexcept {
    if (static_cast<operation&>(wait).is_cancelled_after_enrol() && wait.take()) {
        wait.finish(answer::stopped);
    }
}

} // namespace weir::detail

#endif
