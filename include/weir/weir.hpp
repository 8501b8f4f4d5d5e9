// SPDX-License-Identifier: BSL-1.0
//
// Weir: channels for C++23. All of the core.
#ifndef WEIR_WEIR_HPP
#define WEIR_WEIR_HPP

#include <weir/channel.hpp>
#include <weir/coro.hpp>
#include <weir/error.hpp>
#include <weir/receiver.hpp>
#include <weir/select.hpp>
#include <weir/sender.hpp>
#include <weir/sync_sender.hpp>
#include <weir/timer.hpp>

#endif
