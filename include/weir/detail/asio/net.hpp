// SPDX-License-Identifier: BSL-1.0
//
// Which Asio it is: the one that stands alone, or, with WEIR_ASIO_BOOST, Boost's. Here and in <weir/asio.hpp> its name is `net`.
#ifndef WEIR_DETAIL_ASIO_NET_HPP
#define WEIR_DETAIL_ASIO_NET_HPP

#include <exception> // some of Asio's headers use it, and do not include it

#if defined(WEIR_ASIO_BOOST)

#if !__has_include(<boost/asio/associated_cancellation_slot.hpp>)
#error "weir/asio.hpp needs Boost 1.77 or later"
#endif

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#if __has_include(<boost/asio/recycling_allocator.hpp>)
#include <boost/asio/recycling_allocator.hpp>
#define WEIR_ASIO_RECYCLING_ALLOCATOR ::boost::asio::recycling_allocator
#else
#include <boost/asio/detail/recycling_allocator.hpp>
#define WEIR_ASIO_RECYCLING_ALLOCATOR ::boost::asio::detail::recycling_allocator
#endif
#define WEIR_ASIO_KIND with_boost_asio

#else

#if !__has_include(<asio/associated_cancellation_slot.hpp>)
#error "weir/asio.hpp needs Asio 1.20 or later"
#endif

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/defer.hpp>
#include <asio/error.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution/executor.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#if __has_include(<asio/recycling_allocator.hpp>)
#include <asio/recycling_allocator.hpp>
#define WEIR_ASIO_RECYCLING_ALLOCATOR ::asio::recycling_allocator
#else
#include <asio/detail/recycling_allocator.hpp>
#define WEIR_ASIO_RECYCLING_ALLOCATOR ::asio::detail::recycling_allocator
#endif
#define WEIR_ASIO_KIND with_asio

#endif

#include <string>
#include <system_error>

// A program may have translation units of both kinds: what depends on it is in a namespace of its own.
namespace weir::detail::inline WEIR_ASIO_KIND {

#if defined(WEIR_ASIO_BOOST)
namespace net = ::boost::asio;
#else
namespace net = ::asio;
#endif

// What a cancelled operation says: asio::error::operation_aborted, which equals std::errc::operation_canceled.
#if defined(WEIR_ASIO_BOOST)
inline std::error_code operation_aborted() noexcept {
    return net::error::make_error_code(net::error::operation_aborted);
}
#else
// The Asio that stands alone maps none of its codes to std::errc (chriskohlhoff/asio#143), so here it is a code of ours, which
// equals both.
class aborted_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "weir.asio"; }
    std::string message(int value) const override { return net::error::get_system_category().message(value); }
    std::error_condition default_error_condition(int value) const noexcept override {
        return value == net::error::operation_aborted ? std::make_error_condition(std::errc::operation_canceled)
                                                      : std::error_condition(value, *this);
    }
};

inline std::error_code operation_aborted() noexcept {
    static const aborted_category_type category;
    return {net::error::operation_aborted, category};
}
#endif

// Keeps blocks for use again, as Asio does for its own operations.
template <class T>
using recycling_allocator = WEIR_ASIO_RECYCLING_ALLOCATOR<T>;

#undef WEIR_ASIO_RECYCLING_ALLOCATOR

// The context that an executor belongs to. One that does not say is taken for one that lives as long as the program.
template <class Executor>
net::execution_context& context_of(const Executor& executor) {
    if constexpr (net::can_query<const Executor&, net::execution::context_t>::value) {
        return net::query(executor, net::execution::context);
    } else if constexpr (requires { executor.context(); }) {
        return executor.context();
    } else {
        return net::query(net::system_executor(), net::execution::context);
    }
}

} // namespace weir::detail::inline WEIR_ASIO_KIND

#if !defined(WEIR_ASIO_BOOST)
// Found for both by argument-dependent lookup, which looks into no other place for these two.
namespace asio::error {

inline bool operator==(const std::error_code& code, basic_errors error) noexcept {
    return code == make_error_code(error) || (error == operation_aborted && code == weir::detail::operation_aborted());
}

} // namespace asio::error
#endif

#endif
