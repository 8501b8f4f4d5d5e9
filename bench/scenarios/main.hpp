// SPDX-License-Identifier: BSL-1.0
//
// The command line that all programs have: info, list, run.
#ifndef BENCH_SCENARIOS_MAIN_HPP
#define BENCH_SCENARIOS_MAIN_HPP

#include <atomic>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "result.hpp"

namespace bench {

using workload = result (*)(const request&);

struct scenario {
    std::string name;
    workload run;
    std::optional<std::size_t> capacity; // None: as many as there are messages.
};

// A thread that only sleeps. While a process has but one, the C library leaves out atomic operations in its locks, its
// allocator and shared_ptr. Channels are for programs with threads, and that is what `seq` and its like must show.
class bystander {
public:
    bystander() = default;
    bystander(const bystander&) = delete;
    bystander& operator=(const bystander&) = delete;
    ~bystander() {
        over_.store(true);
        over_.notify_one();
        thread_.join();
    }

private:
    std::atomic<bool> over_ = false;
    std::thread thread_{[this] { over_.wait(false); }};
};

class program {
public:
    program(std::string_view name, std::string_view version, std::string_view class_name)
        : name_(name), version_(version), class_(class_name) {}

    void add(scenario offered) { scenarios_.push_back(std::move(offered)); }

    int main(int argc, const char* const* argv) const {
        const std::vector<std::string_view> arguments(argv + 1, argv + argc);
        if (arguments.size() == 1 && arguments[0] == "info") {
            std::printf("{\"name\":\"%s\",\"version\":\"%s\",\"class\":\"%s\"}\n", name_.c_str(), version_.c_str(),
                        class_.c_str());
            return 0;
        }
        if (arguments.size() == 1 && arguments[0] == "list") {
            for (const scenario& offered : scenarios_) {
                std::puts(offered.name.c_str());
            }
            return 0;
        }
        if ((arguments.size() == 3 || arguments.size() == 4) && arguments[0] == "run") {
            return run(arguments[1], arguments[2], arguments.size() == 4 ? arguments[3] : "60");
        }
        return misuse("usage: info | list | run SCENARIO MESSAGES [SECONDS]");
    }

private:
    static int misuse(const char* text) {
        std::fprintf(stderr, "%s\n", text);
        return 2;
    }

    static std::optional<std::uint32_t> parse(std::string_view text) {
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
    }

    int run(std::string_view name, std::string_view messages_text, std::string_view seconds_text) const {
        const scenario* chosen = nullptr;
        for (const scenario& offered : scenarios_) {
            if (offered.name == name) {
                chosen = &offered;
            }
        }
        const auto messages = parse(messages_text);
        const auto seconds = parse(seconds_text);
        if (chosen == nullptr) {
            return misuse("no such scenario");
        }
        if (!messages || *messages == 0) {
            return misuse("MESSAGES must be a whole number from 1 to 4294967295");
        }
        if (!seconds) {
            return misuse("SECONDS must be a whole number");
        }
        try {
            bystander sleeping;
            print(chosen->run({*messages, chosen->capacity.value_or(*messages), *seconds}));
        } catch (const std::exception& failure) {
            std::fprintf(stderr, "%s: %s\n", chosen->name.c_str(), failure.what());
            return 1;
        }
        return 0;
    }

    static void print(const result& measured) {
        char separator = '{';
        for (const auto& [name, value] : measured) {
            std::printf("%c\"%.*s\":%.2f", separator, static_cast<int>(name.size()), name.data(), value);
            separator = ',';
        }
        std::puts("}");
    }

    std::string name_;
    std::string version_;
    std::string class_;
    std::vector<scenario> scenarios_;
};

} // namespace bench

#endif
