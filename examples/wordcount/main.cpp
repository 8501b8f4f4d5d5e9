// SPDX-License-Identifier: BSL-1.0
//
// wordcount DIR [--threads N] [--capacity N] [--top K]
//
// A small real job: worker threads read and count the files under DIR, each file's counts go through a bounded channel
// to the one collector, and the collector merges them. The bound keeps the workers from running far ahead of it. While
// it waits for counts the collector also keeps a progress line up to date, where standard error is a terminal.
//
// Prints, where one file says "the cat and the dog" and the other "a bird and a tree" (the total is that of
// LC_ALL=C wc -w over the same files):
//             10  words
//              2  files
//             38  bytes
//              7  distinct words
//          0.001  seconds
//            0.1  MB/s
//
//   most frequent words
//              2  a
//              2  and
//              2  the
//              1  bird
//              ...
//
// What cannot be read is named on standard error and skipped. The exit status is 0 if all was counted, 1 if something
// was skipped, 2 for bad usage, 3 if the job could not be finished.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <expected>
#include <iomanip>
#include <iostream>
#include <new>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <weir/weir.hpp>

#include "count_words.hpp"
#include "find_files.hpp"
#include "options.hpp"
#include "progress.hpp"

namespace {

// What a worker sends: a file, by its place in the list, and its counts or why there are none.
struct file_result {
    std::size_t index;
    std::expected<file_counts, std::error_code> counts;
};

struct totals {
    std::size_t files = 0;
    file_counts sum;
    std::vector<unreadable> skipped;
};

// Words and file names may hold anything; a terminal must not act upon it.
void write_printable(std::ostream& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out << "\\x" << digits[byte / 16] << digits[byte % 16];
        } else {
            out << c;
        }
    }
}

template <class... Text>
void complain(const Text&... parts) {
    std::cerr << "wordcount: ";
    (write_printable(std::cerr, parts), ...);
    std::cerr << '\n';
}

template <class... Text>
int bad_usage(const Text&... parts) {
    complain(parts...);
    std::cerr << "Try 'wordcount --help'.\n";
    return 2;
}

// One worker: takes file after file until none is left. The next one's number is all that the workers share.
void count_files(const std::vector<std::filesystem::path>& files, std::atomic<std::size_t>& next,
                 std::atomic<std::uint64_t>& bytes_read, const weir::sync_sender<file_result>& results) {
    for (std::size_t index = next++; index < files.size(); index = next++) {
        file_result result{index, {}};
        try {
            result.counts = count_words(files[index], bytes_read);
        } catch (const std::exception&) { // Nothing but memory can run out in there.
            result.counts = std::unexpected(std::make_error_code(std::errc::not_enough_memory));
        }
        if (!results.send(std::move(result))) {
            return; // The collector gave up.
        }
    }
}

// The collector: merges results until every worker is gone.
totals collect(weir::receiver<file_result>& results, file_list& found, const std::atomic<std::uint64_t>& bytes_read) {
    totals merged;
    merged.skipped = std::move(found.skipped);
    progress_line progress(found.files.size(), found.bytes);
    for (std::size_t done = 0;;) {
        auto result = results.recv_deadline(progress.due());
        if (result) {
            ++done;
            if (result->counts) {
                ++merged.files;
                merged.sum.bytes += result->counts->bytes;
                merged.sum.words += result->counts->words;
                merged.sum.counts.add(result->counts->counts);
            } else {
                merged.skipped.push_back({found.files[result->index], result->counts.error()});
            }
        } else if (result.error() == weir::recv_timeout_error::disconnected) {
            return merged;
        }
        progress.draw_if_due(done, bytes_read);
    }
}

totals count_all(const options& chosen, file_list& found) {
    std::atomic<std::size_t> next = 0;
    std::atomic<std::uint64_t> bytes_read = 0;

    // The workers are declared before the channel. Should the collector throw, the receiver goes first, every send
    // fails at once, and the workers come to their end and can be joined.
    std::vector<std::jthread> workers;
    // There are no more results than files, so no more need to fit.
    auto [tx, rx] = weir::sync_channel<file_result>(std::min(chosen.capacity, found.files.size()));
    while (workers.size() < std::min(chosen.threads, found.files.size())) {
        workers.emplace_back([&, results = tx] { count_files(found.files, next, bytes_read, results); });
    }
    tx.reset();
    return collect(rx, found, bytes_read);
}

void print_top(const word_counts& counts, std::size_t top) {
    std::vector<const word_counts::entry*> order;
    order.reserve(counts.entries().size());
    for (const auto& entry : counts.entries()) {
        order.push_back(&entry);
    }
    top = std::min(top, order.size());
    if (top == 0) {
        return;
    }
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(top), [&](auto* left, auto* right) {
        return left->count != right->count ? left->count > right->count : counts.word(*left) < counts.word(*right);
    });
    order.resize(top);

    std::cout << "\nmost frequent words\n";
    for (const auto* entry : order) {
        constexpr std::size_t widest = 60;
        const auto word = counts.word(*entry);
        std::cout << std::setw(12) << entry->count << "  ";
        write_printable(std::cout, word.substr(0, widest));
        std::cout << (word.size() > widest ? "...\n" : "\n");
    }
}

int run(const options& chosen) {
    const auto start = std::chrono::steady_clock::now();
    auto found = find_files(chosen.directory);
    if (!found) {
        return bad_usage("cannot open directory '", chosen.directory.native(), "': ", found.error().message());
    }

    auto result = count_all(chosen, *found);

    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double megabytes = static_cast<double>(result.sum.bytes) / 1e6;
    std::cout << std::setw(12) << result.sum.words << "  words\n"
              << std::setw(12) << result.files << "  files\n"
              << std::setw(12) << result.sum.bytes << "  bytes\n"
              << std::setw(12) << result.sum.counts.entries().size() << "  distinct words\n"
              << std::fixed << std::setprecision(3) << std::setw(12) << seconds << "  seconds\n"
              << std::setprecision(1) << std::setw(12) << (seconds > 0 ? megabytes / seconds : 0) << "  MB/s\n";
    print_top(result.sum.counts, chosen.top);
    std::cout.flush();

    std::ranges::sort(result.skipped, {}, &unreadable::path);
    for (const auto& [path, why] : result.skipped) {
        complain("skipped '", path.native(), "': ", why.message());
    }
    if (!std::cout) {
        complain("cannot write the result");
        return 3;
    }
    return result.skipped.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) try {
    const auto chosen = parse_options({argv + std::min(argc, 1), argv + argc});
    if (!chosen) {
        return bad_usage(chosen.error());
    }
    if (chosen->help) {
        std::cout << usage;
        return 0;
    }
    return run(*chosen);
} catch (const std::bad_alloc&) {
    complain("out of memory");
    return 3;
} catch (const std::system_error& error) {
    complain("cannot start a thread: ", error.what());
    return 3;
} catch (const std::exception& error) {
    complain(error.what());
    return 3;
}
