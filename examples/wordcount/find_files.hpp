// SPDX-License-Identifier: BSL-1.0
//
// Which files there are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

struct unreadable {
    std::filesystem::path path;
    std::error_code why;
};

struct file_list {
    std::vector<std::filesystem::path> files; // sorted
    std::vector<unreadable> skipped;
    std::uintmax_t bytes = 0; // as far as known
};

// All regular files under `root`. Symbolic links are not followed, but for `root` itself.
// Fails where `root` is no directory or cannot be opened; a directory below that cannot be is skipped.
inline std::expected<file_list, std::error_code> find_files(const std::filesystem::path& root) {
    namespace fs = std::filesystem;

    file_list found;
    std::vector<fs::path> pending{root}; // No recursion: directories may be nested deeper than the stack is.
    while (!pending.empty()) {
        const fs::path directory = std::move(pending.back());
        pending.pop_back();

        std::error_code error;
        fs::directory_iterator entry(directory, error);
        if (error && directory == root) {
            return std::unexpected(error);
        }
        for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
            std::error_code entry_error;
            switch (entry->symlink_status(entry_error).type()) {
            case fs::file_type::regular: {
                const auto size = entry->file_size(entry_error);
                found.bytes += entry_error ? 0 : size;
                found.files.push_back(entry->path());
                break;
            }
            case fs::file_type::directory:
                pending.push_back(entry->path());
                break;
            case fs::file_type::none: // not to be learned
            case fs::file_type::not_found:
                found.skipped.push_back({entry->path(), entry_error});
                break;
            default:
                break;
            }
        }
        if (error) {
            found.skipped.push_back({directory, error});
        }
    }
    std::ranges::sort(found.files);
    return found;
}
