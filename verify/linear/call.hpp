// SPDX-License-Identifier: BSL-1.0
//
// One operation of a history: what was called, when, and what it came to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/error.hpp>

namespace linear {

// `taking` operations are the receives that take one message at most.
enum class operation : std::uint8_t {
    send,
    emplace,
    try_send,
    try_emplace,
    send_timeout,
    send_deadline,
    send_stop,
    recv,
    try_recv,
    recv_timeout,
    recv_deadline,
    recv_stop,
    iterate,
    try_iterate,
    recv_many,
    close,
    reset_receiver,
    clone,
    drop,
    lock_weak,
    request_stop,
    len,
    is_empty,
    is_disconnected,
    sender_count,
};

inline constexpr std::string_view operation_names[] = {
    "send",          "emplace",   "try_send",    "try_emplace", "send_timeout", "send_deadline", "send(stop)",
    "recv",          "try_recv",  "recv_timeout", "recv_deadline", "recv(stop)", "iterate",      "try_iterate",
    "recv_many",     "close",     "reset",       "clone",       "drop",         "weak.lock",     "request_stop",
    "len",           "is_empty",  "is_disconnected", "sender_count",
};

constexpr bool is_send(operation what) { return what <= operation::send_stop; }
constexpr bool is_receive(operation what) { return what >= operation::recv && what <= operation::recv_many; }

using message_id = std::uint8_t;

struct call {
    static constexpr std::size_t most_taken = 16;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    operation what{};
    std::uint8_t thread = 0;
    bool by_receiver = false;  // an observer of the receiving handle
    bool empty_handle = false; // on a handle that was reset
    std::uint8_t most = 0;     // for recv_many
    message_id message = 0;    // for sends

    weir::channel_errc error{};     // none: it succeeded
    std::uint64_t value = 0;        // of observers; of weak.lock whether it gave a sender
    std::uint8_t taken = 0;         // of receives: how many messages,
    std::array<message_id, most_taken> messages{}; // and which
    const char* complaint = nullptr; // wrong in itself, whatever the others did

    std::uint64_t began = never;
    std::uint64_t ended = never;
    std::uint64_t waits_since = never; // of receives: when it first lay down

    bool succeeded() const { return error == weir::channel_errc{}; }
};

inline std::string to_string(const call& of) {
    std::string text = of.by_receiver || is_receive(of.what) ? "rx." : "tx.";
    text += operation_names[static_cast<std::size_t>(of.what)];
    if (is_send(of.what)) {
        text += " #" + std::to_string(of.message);
    } else if (of.what == operation::recv_many) {
        text += " at most " + std::to_string(of.most);
    }
    text += of.empty_handle ? " on an empty handle: " : ": ";
    if (of.ended == call::never) {
        return text + "has not returned";
    }
    if (!of.succeeded()) {
        text += weir::to_string(of.error);
    } else if (is_receive(of.what)) {
        for (std::size_t i = 0; i < of.taken; ++i) {
            text += (i == 0 ? "#" : ", #") + std::to_string(of.messages[i]);
        }
        text += of.taken == 0 ? "nothing" : "";
    } else if (of.what >= operation::len || of.what == operation::lock_weak) {
        text += std::to_string(of.value);
    } else {
        text += "done";
    }
    return of.complaint != nullptr ? text + " -- " + of.complaint : text;
}

} // namespace linear
