// SPDX-License-Identifier: BSL-1.0
//
// The words of one file, by the rule of GNU wc 9.1 in the C locale: white space is space, \t, \n, \v, \f and \r; a word
// is a longest possible run of bytes that are not white space, at least one of which is printable ASCII (0x21 to 0x7e).
// So "a\x01b" is one word, and "\x01" or a run of zero bytes is none.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "word_counts.hpp"

struct file_counts {
    std::uint64_t bytes = 0;
    std::uint64_t words = 0;
    word_counts counts;
};

// Takes a file's bytes a chunk at a time; a word may reach over any number of chunks.
class word_splitter {
public:
    explicit word_splitter(file_counts& into) noexcept : into_(into) {}

    void feed(std::string_view chunk) {
        into_.bytes += chunk.size();
        const char* at = chunk.data();
        const char* const end = at + chunk.size();
        while (at != end) {
            const char* const begin = at;
            unsigned seen = 0;
            unsigned kind = 0;
            while (at != end && (kind = kinds[static_cast<unsigned char>(*at)]) != space) {
                seen |= kind;
                ++at;
            }
            const std::string_view run(begin, static_cast<std::size_t>(at - begin));
            if (at == end) {
                begin_word(run, seen);
                return;
            }
            end_word(run, seen);
            ++at;
        }
    }

    void finish() { end_word({}, 0); }

private:
    enum : unsigned char { printable = 1, space = 2 };

    static constexpr auto kinds = [] {
        std::array<unsigned char, 256> table{};
        for (std::size_t byte = 0x21; byte <= 0x7e; ++byte) {
            table[byte] = printable;
        }
        for (const char byte : {' ', '\t', '\n', '\v', '\f', '\r'}) {
            table[static_cast<unsigned char>(byte)] = space;
        }
        return table;
    }();

    // Words are told apart by as many bytes, so that a binary file without any white space needs no more memory.
    static constexpr std::size_t longest = 64 * 1024;

    void begin_word(std::string_view run, unsigned seen) {
        begun_.append(run.substr(0, longest - begun_.size()));
        begun_seen_ |= seen;
    }

    void end_word(std::string_view run, unsigned seen) {
        if (!begun_.empty()) {
            begin_word(run, seen);
            run = begun_;
            seen = begun_seen_;
        }
        if (seen & printable) {
            ++into_.words;
            into_.counts.add(run.substr(0, longest));
        }
        begun_.clear();
        begun_seen_ = 0;
    }

    file_counts& into_;
    std::string begun_; // the part that earlier chunks had of the word that is not at its end yet
    unsigned begun_seen_ = 0;
};

// Counts one file. Adds to `progress` as it goes.
inline std::expected<file_counts, std::error_code> count_words(const std::filesystem::path& path,
                                                               std::atomic<std::uint64_t>& progress) {
    struct descriptor {
        int number;
        ~descriptor() {
            if (number >= 0) {
                ::close(number);
            }
        }
    };
    const auto last_error = [] { return std::unexpected(std::error_code(errno, std::generic_category())); };

    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.number < 0) {
        return last_error();
    }
    file_counts result;
    word_splitter splitter(result);
    std::array<char, 64 * 1024> chunk;
    for (;;) {
        const auto length = ::read(file.number, chunk.data(), chunk.size());
        if (length < 0) {
            return last_error();
        }
        if (length == 0) {
            splitter.finish();
            return result;
        }
        splitter.feed({chunk.data(), static_cast<std::size_t>(length)});
        progress.fetch_add(static_cast<std::uint64_t>(length), std::memory_order_relaxed);
    }
}
