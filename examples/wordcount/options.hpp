// SPDX-License-Identifier: BSL-1.0
//
// What the command line asks for.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

inline constexpr std::string_view usage =
    "usage: wordcount [--threads N] [--capacity N] [--top K] DIR\n"
    "\n"
    "Counts the words of all regular files under DIR, as LC_ALL=C wc -w does.\n"
    "Symbolic links under DIR are not followed, so that no file counts twice.\n"
    "\n"
    "  --threads N   read with N threads, 1 or more (default: one for each processor)\n"
    "  --capacity N  let N files' counts wait for the collector (default: 16);\n"
    "                with 0 each is handed over directly\n"
    "  --top K       print the K most frequent words (default: 10)\n"
    "  --help        print this\n"
    "\n"
    "Exit status: 0 all counted, 1 something could not be read and was skipped,\n"
    "2 bad usage, 3 could not finish.\n";

struct options {
    std::filesystem::path directory;
    std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
    std::size_t capacity = 16;
    std::size_t top = 10;
    bool help = false;
};

// The number after an option, or what is wrong with it.
inline std::expected<std::size_t, std::string> parse_number(std::string_view option, std::string_view text,
                                                            std::size_t least) {
    const auto complain = [&](std::string_view fault) {
        return std::unexpected(std::string(option) + ": '" + std::string(text) + "' " + std::string(fault));
    };
    std::size_t number = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc::invalid_argument || stop != end) {
        return complain("is no whole number");
    }
    if (error == std::errc::result_out_of_range) {
        return complain("is too large");
    }
    if (number < least) {
        return complain("is less than " + std::to_string(least));
    }
    return number;
}

// The options, or what is wrong with them.
inline std::expected<options, std::string> parse_options(std::span<const char* const> arguments) {
    options parsed;
    std::optional<std::string_view> directory;
    bool only_operands = false;

    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (only_operands || !argument.starts_with('-') || argument == "-") {
            if (directory) {
                return std::unexpected("one DIR only, and '" + std::string(argument) + "' is the second");
            }
            directory = argument;
        } else if (argument == "--") {
            only_operands = true;
        } else if (argument == "--help") {
            parsed.help = true;
            return parsed;
        } else if (argument == "--threads" || argument == "--capacity" || argument == "--top") {
            if (++i == arguments.size()) {
                return std::unexpected(std::string(argument) + " needs a number after it");
            }
            const auto number = parse_number(argument, arguments[i], argument == "--threads" ? 1 : 0);
            if (!number) {
                return std::unexpected(number.error());
            }
            (argument == "--threads"    ? parsed.threads
             : argument == "--capacity" ? parsed.capacity
                                        : parsed.top) = *number;
        } else {
            return std::unexpected("unknown option '" + std::string(argument) + "'");
        }
    }

    if (!directory) {
        return std::unexpected("no DIR given");
    }
    parsed.directory = *directory;
    return parsed;
}
