// SPDX-License-Identifier: BSL-1.0
//
// What the functions return: a description of a wait. The wait itself is large. It is made in the coroutine's frame when it is
// awaited, so that an awaitable that only goes into another, as into that of resume_on, takes a few words there.
#ifndef WEIR_DETAIL_CORO_AWAITABLE_HPP
#define WEIR_DETAIL_CORO_AWAITABLE_HPP

#include <weir/detail/platform/config.hpp>

#include <utility>

namespace weir::detail {

// Awaiter: what is awaited. It has
//   description      a struct: what it waits for
//   scheduler        how it goes on
//   Awaiter(description, scheduler)
//   on<Other>        the same with another scheduler
template <class Awaiter>
class [[nodiscard("weir: an awaitable does nothing unless it is awaited")]] awaitable final {
    using description = typename Awaiter::description;
    using scheduler = typename Awaiter::scheduler;

public:
    explicit awaitable(description what, scheduler how = {}) : what_(std::move(what)), how_(std::move(how)) {}
    awaitable(const awaitable&) = delete;
    awaitable& operator=(const awaitable&) = delete;
    ~awaitable() {} // not trivial, or compilers would warn of one that is made and not awaited, which is allowed

    Awaiter operator co_await() { return Awaiter(std::move(what_), std::move(how_)); }
    // For those who ask what awaiting yields; never called.
    auto await_resume() -> decltype(std::declval<Awaiter&>().await_resume());

    template <class Other>
    auto with(Other how) {
        return awaitable<typename Awaiter::template on<Other>>(std::move(what_), std::move(how));
    }

private:
    WEIR_NO_UNIQUE_ADDRESS description what_;
    WEIR_NO_UNIQUE_ADDRESS scheduler how_;
};

} // namespace weir::detail

#endif
