// SPDX-License-Identifier: BSL-1.0
//
// The operations that wait, as tables, so that what holds for one of them is tested for all.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "flavor.hpp"

namespace conformance {

using text = std::unique_ptr<int>;

// Every receive that waits.
struct waiting_receive {
    const char* name;
    channel_errc (*run)(weir::receiver<std::uint64_t>&);
};
inline const waiting_receive waiting_receives[] = {
    {"recv", [](auto& rx) { return outcome(rx.recv()); }},
    {"recv_timeout", [](auto& rx) { return outcome(rx.recv_timeout(std::chrono::hours(1))); }},
    {"recv_timeout for ever", [](auto& rx) { return outcome(rx.recv_timeout(std::chrono::nanoseconds::max())); }},
    {"recv_deadline",
     [](auto& rx) { return outcome(rx.recv_deadline(std::chrono::steady_clock::now() + std::chrono::hours(1))); }},
    {"recv_deadline of the system clock",
     [](auto& rx) { return outcome(rx.recv_deadline(std::chrono::system_clock::now() + std::chrono::hours(1))); }},
#if WEIR_HAS_STOP_TOKEN
    {"recv with a stop token",
     [](auto& rx) {
         std::stop_source stop;
         return outcome(rx.recv(stop.get_token()));
     }},
    {"recv with an empty stop token", [](auto& rx) { return outcome(rx.recv(std::stop_token())); }},
#endif
    {"recv_many",
     [](auto& rx) {
         std::uint64_t out[4];
         return outcome(rx.recv_many(out, 4));
     }},
    {"iteration",
     [](auto& rx) {
         for ([[maybe_unused]] auto message : rx)
             return ok;
         return channel_errc::disconnected;
     }},
};

// Every send that waits.
struct waiting_send {
    const char* name;
    channel_errc (*run)(const any_sender<text>&, text&);
};
inline const waiting_send waiting_sends[] = {
    {"send", [](auto& tx, text& value) { return outcome(tx.send(std::move(value))); }},
    {"emplace", [](auto& tx, text& value) { return outcome(tx.emplace(std::move(value))); }},
    {"send_timeout",
     [](auto& tx, text& value) { return outcome(tx.send_timeout(std::move(value), std::chrono::hours(1))); }},
    {"send_deadline",
     [](auto& tx, text& value) {
         return outcome(tx.send_deadline(std::move(value), std::chrono::steady_clock::now() + std::chrono::hours(1)));
     }},
    {"send_deadline of the system clock",
     [](auto& tx, text& value) {
         return outcome(tx.send_deadline(std::move(value), std::chrono::system_clock::now() + std::chrono::hours(1)));
     }},
#if WEIR_HAS_STOP_TOKEN
    {"send with a stop token",
     [](auto& tx, text& value) {
         std::stop_source stop;
         return outcome(tx.send(std::move(value), stop.get_token()));
     }},
#endif
};

} // namespace conformance
