// SPDX-License-Identifier: BSL-1.0
//
// wordcount counts as GNU wc does, whatever the files hold, and says clearly what it could not do.
#include <fcntl.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "process.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using process::example;
using process::outcome;
using process::run;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_TEST_SANITIZED 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(WEIR_TEST_SANITIZED)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

void write_file(const fs::path& path, std::string_view content) {
    std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

// Open to every user.
fs::path new_directory() {
    std::string name = (fs::temp_directory_path() / "wordcount.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("cannot make a directory");
    }
    fs::permissions(name, fs::perms(0755));
    return name;
}

class wordcount : public testing::Test {
protected:
    wordcount() { fs::create_directory(dir_); }
    ~wordcount() override { fs::remove_all(base_); }

    void write(const std::string& name, std::string_view content) const { write_file(dir_ / name, content); }

    template <class... Options>
    outcome count(const Options&... options) const {
        return run({example("wordcount"), dir_.string(), options...});
    }

    fs::path base_ = new_directory();
    fs::path dir_ = base_ / "dir";
};

std::vector<std::string> split(const std::string& text, char end) {
    std::vector<std::string> parts;
    std::istringstream rest(text);
    for (std::string part; std::getline(rest, part, end);) {
        parts.push_back(part);
    }
    return parts;
}

// The number that stands before `label` in the result, as it is printed.
std::string figure_text(const outcome& result, const std::string& label) {
    for (const std::string& line : split(result.out, '\n')) {
        const auto number = line.find_first_not_of(' ');
        if (line.ends_with("  " + label)) {
            return line.substr(number, line.size() - number - label.size() - 2);
        }
    }
    throw std::runtime_error("no " + label + " in: " + result.out + result.err);
}

std::uint64_t figure(const outcome& result, const std::string& label) {
    return std::stoull(figure_text(result, label));
}

// All that is printed but how long it took.
std::string without_times(const outcome& result) {
    std::string kept;
    for (const std::string& line : split(result.out, '\n')) {
        if (!line.ends_with("  seconds") && !line.ends_with("  MB/s")) {
            kept += line + "\n";
        }
    }
    return kept;
}

// What wc counts in all regular files under `dir`.
std::uint64_t wc(const fs::path& dir) {
    const auto result = run(
        {"/bin/sh", "-c", "find \"$0\" -type f -print0 | LC_ALL=C wc -w --files0-from=- | tail -n 1", dir.string()});
    if (result.status != 0 || !result.err.empty()) {
        throw std::runtime_error("wc failed: " + result.err);
    }
    return std::stoull(result.out);
}

// Coreutils 9.5 and later count runs of bytes that are not printable as words too.
bool wc_counts_printable_words_only() {
    const auto result = run({"/bin/sh", "-c", "printf '\\001' | LC_ALL=C wc -w"});
    return result.status == 0 && std::stoull(result.out) == 0;
}

std::string numbered(std::string name, int number) { return name += std::to_string(number); }

struct sample {
    const char* name;
    std::string content;
    std::uint64_t words;
    std::uint64_t distinct;
};

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

std::string random_bytes(std::size_t size, unsigned last) {
    std::mt19937 generator(20240229);
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
        byte = static_cast<char>(generator() % (last + 1));
    }
    return bytes;
}

const std::vector<sample>& samples() {
    static const std::vector<sample> all{
        {"empty", "", 0, 0},
        {"one_newline", "\n", 0, 0},
        {"white_space_only", " \t\n\v\f\r", 0, 0},
        {"no_newline_at_the_end", "one two", 2, 2},
        {"every_white_space", "a b\tc\nd\ve\ff\rg", 7, 7},
        {"runs_of_white_space", "  a \t\t b\r\n\r\na  ", 3, 2},
        {"zero_bytes", "\0\0 \0"s, 0, 0},
        {"not_printable_alone", "\x01 \x7f \x80\xff \xc3\xa4", 0, 0},
        {"not_printable_inside", "a\0b \x01x y\x80"s, 3, 3},
        {"printable_edges", "\x20!\x20~\x20\x7f", 2, 2},
        {"utf_8", "na\xc3\xafve caf\xc3\xa9 \xe2\x80\x94 na\xc3\xafve", 3, 2},
        {"very_long_line", repeated("ab cd ", 50'000), 100'000, 2},
        {"one_long_word", std::string(300'001, 'w'), 1, 1},
        {"long_word_that_ends_printable", std::string(200'000, '\0') + "w", 1, 1},
        {"long_run_that_is_no_word", std::string(200'000, '\x90'), 0, 0},
    };
    return all;
}

TEST_F(wordcount, prints_the_totals_and_the_most_frequent_words) {
    write("b", "the cat and the dog\n");
    write("a", "a bird and a tree\n");
    const auto result = count("--top", "4");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(without_times(result), "          10  words\n"
                                     "           2  files\n"
                                     "          38  bytes\n"
                                     "           7  distinct words\n"
                                     "\n"
                                     "most frequent words\n"
                                     "           2  a\n"
                                     "           2  and\n"
                                     "           2  the\n"
                                     "           1  bird\n");
}

TEST_F(wordcount, prints_the_rate_that_follows_from_bytes_and_seconds) {
    write("file", repeated("word ", 1'000'000));
    const auto result = count();
    const double seconds = std::stod(figure_text(result, "seconds"));
    const double rate = std::stod(figure_text(result, "MB/s"));
    EXPECT_GT(seconds, 0);
    EXPECT_NEAR(seconds * rate, 5.0, rate * 0.0006 + seconds * 0.06); // Both are rounded.
}

TEST_F(wordcount, counts_what_any_bytes_hold) {
    for (const sample& each : samples()) {
        SCOPED_TRACE(each.name);
        write("file", each.content);
        const auto result = count("--threads", "1");
        EXPECT_EQ(result.status, 0) << result.err;
        EXPECT_EQ(figure(result, "words"), each.words);
        EXPECT_EQ(figure(result, "distinct words"), each.distinct);
        EXPECT_EQ(figure(result, "bytes"), each.content.size());
        EXPECT_EQ(figure(result, "files"), 1U);
    }
}

TEST_F(wordcount, equals_wc_whatever_the_threads_and_the_capacity) {
    if (!wc_counts_printable_words_only()) {
        GTEST_SKIP() << "this wc has another rule for what is not printable";
    }
    for (const sample& each : samples()) {
        write(each.name, each.content);
    }
    write("random", random_bytes(1'000'000, 255));
    write("random_ascii", random_bytes(1'000'000, 127));
    write("random_control", random_bytes(100'000, 33));
    fs::create_directories(dir_ / "in" / "a" / "folder");
    write("in/a/folder/x", "x y z");
    write("in/a name with\nall sorts \xff", "of things");

    const std::uint64_t words = wc(dir_);
    std::string first;
    for (const char* threads : {"1", "2", "7"}) {
        for (const char* capacity : {"0", "1", "16"}) {
            SCOPED_TRACE("threads "s + threads + ", capacity " + capacity);
            const auto result = count("--threads", threads, "--capacity", capacity);
            EXPECT_EQ(result.status, 0) << result.err;
            EXPECT_EQ(figure(result, "words"), words);
            if (first.empty()) {
                first = without_times(result);
            }
            EXPECT_EQ(without_times(result), first);
        }
    }
}

TEST_F(wordcount, equals_wc_on_the_standard_library_headers) {
    const fs::path headers = "/usr/include/c++";
    if (!fs::is_directory(headers) || !wc_counts_printable_words_only()) {
        GTEST_SKIP() << "no such headers here, or a wc with another rule";
    }
    const auto result = run({example("wordcount"), headers.string()});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(figure(result, "words"), wc(headers));
}

TEST_F(wordcount, keeps_words_whole_across_reads_of_any_size) {
    // Words of 12 bytes and 3, begun at every offset: wherever a chunk ends, some word lies across its end.
    const std::string text = repeated("abcdefghijkl xyz\n", 20'000);
    for (int shift = 0; shift < 17; ++shift) {
        write(numbered("shift", shift), repeated(" ", shift) + text);
    }
    const auto result = count();
    EXPECT_EQ(figure(result, "words"), 17U * 40000U);
    EXPECT_EQ(figure(result, "distinct words"), 2U);
    EXPECT_NE(result.out.find("      340000  abcdefghijkl\n      340000  xyz\n"), std::string::npos) << result.out;
}

TEST_F(wordcount, tells_many_words_apart) {
    std::array<std::string, 4> texts;
    for (int i = 0; i < 100000; ++i) {
        texts[static_cast<std::size_t>(i) % 4].append(numbered("w", i)).append(" every ");
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        write(std::to_string(i), texts[i]);
    }
    const auto result = count("--top", "2");
    EXPECT_EQ(figure(result, "words"), 200000U);
    EXPECT_EQ(figure(result, "distinct words"), 100001U);
    EXPECT_TRUE(result.out.ends_with("      100000  every\n           1  w0\n")) << result.out;
}

TEST_F(wordcount, breaks_ties_alphabetically_and_prints_as_many_as_asked) {
    write("file", "pear fig fig apple Fig pear");
    EXPECT_TRUE(count("--top", "3")
                    .out.ends_with("most frequent words\n"
                                   "           2  fig\n"
                                   "           2  pear\n"
                                   "           1  Fig\n"));
    EXPECT_TRUE(count("--top", "99")
                    .out.ends_with("           1  Fig\n"
                                   "           1  apple\n"));
    EXPECT_TRUE(count("--top", "0").out.ends_with("  MB/s\n"));
}

TEST_F(wordcount, prints_no_control_characters_and_shortens_long_words) {
    write("file", "a\x1b[31mb " + std::string(1000, 'z'));
    const auto result = count();
    EXPECT_NE(result.out.find("  a\\x1b[31mb\n"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("  " + std::string(60, 'z') + "...\n"), std::string::npos) << result.out;
}

TEST_F(wordcount, an_empty_directory_has_no_words) {
    const auto result = count();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(figure(result, "words"), 0U);
    EXPECT_EQ(figure(result, "files"), 0U);
    EXPECT_EQ(figure(result, "distinct words"), 0U);
}

TEST_F(wordcount, follows_no_links_but_the_one_it_is_given) {
    write("file", "one two");
    fs::create_symlink("file", dir_ / "link_to_file");
    fs::create_symlink(".", dir_ / "link_to_directory");
    fs::create_symlink("nowhere", dir_ / "dangling");
    fs::create_symlink(dir_, base_ / "link");
    const auto result = run({example("wordcount"), (base_ / "link").string()});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(figure(result, "words"), 2U);
    EXPECT_EQ(figure(result, "files"), 1U);
}

TEST_F(wordcount, waits_for_nothing_that_is_no_regular_file) {
    write("file", "one two");
    ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
    const auto result = count();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(figure(result, "files"), 1U);
}

TEST_F(wordcount, names_and_skips_what_may_not_be_read) {
    write("good", "one two three");
    write("secret", "four");
    fs::create_directory(dir_ / "closed");
    write("closed/file", "five");
    fs::permissions(dir_ / "secret", fs::perms::none);
    fs::permissions(dir_ / "closed", fs::perms::none);

    // Root may read anything, so give that up.
    const auto result = run({example("wordcount"), dir_.string()},
                            [] { return ::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0); });
    fs::permissions(dir_ / "closed", fs::perms::owner_all); // To be removed.
    if (result.status == 125) {
        GTEST_SKIP() << "cannot become another user";
    }
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(figure(result, "words"), 3U);
    EXPECT_EQ(figure(result, "files"), 1U);
    EXPECT_EQ(result.err, "wordcount: skipped '" + (dir_ / "closed").string() +
                              "': Permission denied\n"
                              "wordcount: skipped '" +
                              (dir_ / "secret").string() + "': Permission denied\n");
}

TEST_F(wordcount, names_and_skips_what_has_too_long_a_path) {
    // Not even root can open these. They are made step by step, as no path leads there.
    const std::string step(100, 's');
    const std::string directory(250, 'd');
    const std::string file(250, 'f');
    fs::path deepest = dir_;
    const fs::path here = fs::current_path();
    fs::current_path(dir_);
    while (deepest.native().size() + step.size() < 4000) {
        fs::create_directory(step);
        fs::current_path(step);
        deepest /= step;
    }
    fs::create_directory(directory);
    write_file(file, "four");
    fs::current_path(here);
    write("good", "one two three");

    const auto result = count();
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(figure(result, "words"), 3U);
    EXPECT_EQ(figure(result, "files"), 1U);
    EXPECT_EQ(result.err, "wordcount: skipped '" + (deepest / directory).string() +
                              "': File name too long\n"
                              "wordcount: skipped '" +
                              (deepest / file).string() + "': File name too long\n");
}

TEST_F(wordcount, survives_files_that_vanish_or_shrink_under_it) {
    const std::string text(400'000, 'x');
    const auto path = [&](int i) { return dir_ / numbered("file", i); };
    for (int i = 0; i < 20; ++i) {
        write_file(path(i), text);
    }
    std::atomic<bool> stop = false;
    std::thread disturber([&] {
        for (int i = 0; !stop; i = (i + 1) % 20) {
            std::error_code ignored; // What is not there any more was disturbed already.
            if (i % 2 == 0) {
                fs::remove(path(i), ignored);
            } else {
                fs::resize_file(path(i), 0, ignored);
            }
            write_file(path(i), text);
        }
    });
    std::vector<outcome> results;
    results.reserve(20);
    for (int i = 0; i < 20; ++i) {
        results.push_back(count("--threads", "3", "--top", "0"));
    }
    stop = true;
    disturber.join();

    for (const outcome& result : results) {
        EXPECT_EQ(result.status, result.err.empty() ? 0 : 1) << result.err;
        EXPECT_LE(figure(result, "files"), 20U);
        for (const std::string& line : split(result.err, '\n')) {
            EXPECT_TRUE(line.starts_with("wordcount: skipped '" + dir_.string()) &&
                        line.ends_with("No such file or directory"))
                << line;
        }
    }
}

TEST_F(wordcount, draws_its_progress_on_a_terminal_and_clears_it_at_the_end) {
    // Large enough to take longer than it is from one drawing to the next.
    constexpr std::uintmax_t size = sanitized ? 200'000'000 : 400'000'000;
    write("zeros", "");
    fs::resize_file(dir_ / "zeros", size);

    int master = -1;
    int slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    const process::descriptor ours(master);
    const process::descriptor theirs(slave);
    const auto result =
        run({example("wordcount"), dir_.string()}, [&] { return ::dup2(theirs.number(), STDERR_FILENO) >= 0; });
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(figure(result, "bytes"), size);

    std::string drawn;
    std::array<char, 4096> buffer{};
    ASSERT_EQ(::fcntl(master, F_SETFL, O_NONBLOCK), 0);
    for (ssize_t length = 0; (length = ::read(master, buffer.data(), buffer.size())) > 0;) {
        drawn.append(buffer.data(), static_cast<std::size_t>(length));
    }
    const auto lines = split(drawn, '\r');
    ASSERT_GE(lines.size(), 4U) << drawn;
    EXPECT_EQ(lines[0], "");
    EXPECT_EQ(lines[1], "0/1 files  0.0 MB/s  -:-- left\x1b[K");
    for (std::size_t i = 2; i + 1 < lines.size(); ++i) {
        double rate = 0;
        unsigned minutes = 0;
        unsigned seconds = 0;
        int end = 0;
        std::sscanf(lines[i].c_str(), "%*u/1 files  %lf MB/s  %u:%2u left\x1b[K%n", &rate, &minutes, &seconds, &end);
        EXPECT_EQ(static_cast<std::size_t>(end), lines[i].size()) << lines[i];
        EXPECT_GT(rate, 0);
        EXPECT_LT(seconds, 60U);
    }
    EXPECT_EQ(lines.back(), "\x1b[K");
}

TEST_F(wordcount, answers_bad_usage_with_a_message_and_a_hint) {
    write("file", "one");
    const std::string dir = dir_.string();
    const std::string file = (dir_ / "file").string();
    const std::string missing = (dir_ / "missing").string();
    const struct {
        std::vector<std::string> arguments;
        std::string message;
    } cases[] = {
        {{}, "no DIR given"},
        {{"--threads", "2"}, "no DIR given"},
        {{"--"}, "no DIR given"},
        {{""}, "cannot open directory '': No such file or directory"},
        {{missing}, "cannot open directory '" + missing + "': No such file or directory"},
        {{file}, "cannot open directory '" + file + "': Not a directory"},
        {{file + "/"}, "cannot open directory '" + file + "/': Not a directory"},
        {{"--", "--help"}, "cannot open directory '--help': No such file or directory"},
        {{dir, dir}, "one DIR only, and '" + dir + "' is the second"},
        {{"--verbose", dir}, "unknown option '--verbose'"},
        {{dir, "-t"}, "unknown option '-t'"},
        {{dir, "--threads=2"}, "unknown option '--threads=2'"},
        {{dir, "--\x1b[31m"}, "unknown option '--\\x1b[31m'"},
        {{dir, "--threads"}, "--threads needs a number after it"},
        {{dir, "--capacity"}, "--capacity needs a number after it"},
        {{dir, "--top"}, "--top needs a number after it"},
        {{dir, "--threads", "0"}, "--threads: '0' is less than 1"},
        {{dir, "--threads", "-1"}, "--threads: '-1' is no whole number"},
        {{dir, "--threads", "two"}, "--threads: 'two' is no whole number"},
        {{dir, "--threads", ""}, "--threads: '' is no whole number"},
        {{dir, "--threads", "2x"}, "--threads: '2x' is no whole number"},
        {{dir, "--threads", "1.5"}, "--threads: '1.5' is no whole number"},
        {{dir, "--threads", " 2"}, "--threads: ' 2' is no whole number"},
        {{dir, "--threads", "+2"}, "--threads: '+2' is no whole number"},
        {{dir, "--threads", "99999999999999999999"}, "--threads: '99999999999999999999' is too large"},
        {{dir, "--capacity", "99999999999999999999"}, "--capacity: '99999999999999999999' is too large"},
        {{dir, "--capacity", "0x10"}, "--capacity: '0x10' is no whole number"},
        {{dir, "--top", "99999999999999999999"}, "--top: '99999999999999999999' is too large"},
        {{dir, "--top", "-1"}, "--top: '-1' is no whole number"},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.message);
        std::vector<std::string> command{example("wordcount")};
        command.insert(command.end(), each.arguments.begin(), each.arguments.end());
        const auto result = run(command);
        EXPECT_EQ(result.status, 2);
        EXPECT_EQ(result.out, "");
        EXPECT_EQ(result.err, "wordcount: " + each.message + "\nTry 'wordcount --help'.\n");
    }
}

TEST_F(wordcount, takes_numbers_far_beyond_what_it_needs) {
    write("a", "one two");
    write("b", "two three");
    const auto result = count("--threads", "4294967295", "--capacity", "4294967295", "--top", "4294967295");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_TRUE(result.out.ends_with("           2  two\n           1  one\n           1  three\n")) << result.out;
}

TEST_F(wordcount, prints_its_usage_when_asked) {
    for (const auto& result : {run({example("wordcount"), "--help"}), count("--top", "3", "--help")}) {
        EXPECT_EQ(result.status, 0);
        EXPECT_TRUE(result.out.starts_with("usage: wordcount [--threads N] [--capacity N] [--top K] DIR\n"))
            << result.out;
        EXPECT_EQ(result.err, "");
    }
}

TEST_F(wordcount, says_so_when_its_output_cannot_be_written) {
    write("file", "one");
    const auto result = run({example("wordcount"), dir_.string()}, [] {
        const int full = ::open("/dev/full", O_WRONLY);
        return full >= 0 && ::dup2(full, STDOUT_FILENO) >= 0;
    });
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "wordcount: cannot write the result\n");
}

// Where memory runs out.
class wordcount_short_of_memory : public wordcount {
protected:
    void SetUp() override {
        if (sanitized) {
            GTEST_SKIP() << "a sanitizer needs more address space than that";
        }
    }

    // `memory` is for everything, a thread's `stack` too.
    template <class... Options>
    outcome count_within(rlim_t memory, rlim_t stack, const Options&... options) const {
        return run({example("wordcount"), dir_.string(), options...}, [&] {
            const rlimit memory_limit{memory, memory};
            const rlimit stack_limit{stack, stack};
            return ::setrlimit(RLIMIT_AS, &memory_limit) == 0 && ::setrlimit(RLIMIT_STACK, &stack_limit) == 0;
        });
    }

    static std::string distinct_words(int first, int count) {
        std::string text;
        for (int i = first; i < first + count; ++i) {
            text += std::to_string(i) + "\n";
        }
        return text;
    }
};

constexpr rlim_t mebibyte = 1024 * 1024;

TEST_F(wordcount_short_of_memory, skips_a_file_that_a_worker_cannot_hold) {
    write("huge", distinct_words(0, 3'000'000));
    write("small", "one two");
    const auto result = count_within(128 * mebibyte, 1 * mebibyte, "--threads", "1", "--top", "0");
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(figure(result, "words"), 2U);
    EXPECT_EQ(result.err, "wordcount: skipped '" + (dir_ / "huge").string() + "': Cannot allocate memory\n");
}

TEST_F(wordcount_short_of_memory, ends_with_a_message_when_the_collector_cannot_go_on) {
    for (int i = 0; i < 600; ++i) {
        write(std::to_string(i), distinct_words(i * 5'000, 5'000));
    }
    for (const char* capacity : {"0", "1", "16"}) {
        SCOPED_TRACE("capacity "s + capacity);
        const auto result = count_within(128 * mebibyte, 1 * mebibyte, "--threads", "1", "--capacity", capacity);
        EXPECT_EQ(result.status, 3);
        EXPECT_EQ(result.out, "");
        EXPECT_EQ(result.err, "wordcount: out of memory\n");
    }
}

TEST_F(wordcount_short_of_memory, ends_with_a_message_when_a_thread_cannot_be_started) {
    for (int i = 0; i < 10; ++i) {
        write(std::to_string(i), distinct_words(0, 10'000));
    }
    // There is room for one thread or two, which then work already, and not for ten.
    const auto result = count_within(256 * mebibyte, 100 * mebibyte, "--threads", "10", "--capacity", "0");
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(result.err.starts_with("wordcount: cannot start a thread: ") &&
                result.err.ends_with("Resource temporarily unavailable\n"))
        << result.err;
}

} // namespace
