// SPDX-License-Identifier: BSL-1.0
//
// Records short histories of three threads on one channel, under random delays, and checks each against the sequential
// channel. Exit status: 0 all are histories of a channel, 1 one is not, 2 bad usage.

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "checker.hpp"
#include "program.hpp"
#include "recorder.hpp"

namespace {

using namespace linear;
using conformance::flavor;

constexpr std::string_view usage =
    R"(Usage: linear [--flavor NAME]... [--histories N] [--seed S] [--first I] [--patience T] [--verbose]

  --flavor NAME    unbounded, capacity_0 (the rendezvous), capacity_1, capacity_2 or capacity_3; without: all
  --histories N    how many of each flavor (20000)
  --seed S         what the threads do and how they are delayed; without: taken from the clock, and printed
  --first I        begin with history I of that seed, to see one again: what its threads do is the same, how they meet
                   is up to the machine
  --patience T     how many seconds a history may take before its operations count as lost (60)
  --verbose        print every history
)";

struct options {
    std::vector<flavor> flavors;
    std::uint64_t histories = 20000;
    std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1000000;
    std::uint64_t first = 0;
    std::uint64_t patience = 60; // seconds
    bool verbose = false;
};


void print(const std::vector<call>& history) {
    for (const call& each : history) {
        std::printf("  %4llu to ", static_cast<unsigned long long>(each.began));
        each.ended == call::never ? static_cast<void>(std::printf("   ?"))
                                  : static_cast<void>(std::printf("%4llu", static_cast<unsigned long long>(each.ended)));
        std::printf("  %s  %s\n", each.thread < threads ? std::string(1, static_cast<char>('A' + each.thread)).c_str() : "-",
                    to_string(each).c_str());
    }
}

// Ends the program, with what is known of the history, when one of them does not come to an end.
class watchdog {
public:
    explicit watchdog(std::uint64_t patience)
        : patience_(patience), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

    template <class Record>
    void begin(Record& record) {
        record_ = &record;
        print_ = [](void* of) { print(static_cast<Record*>(of)->history()); };
        count_.fetch_add(1);
    }
    void end() { count_.fetch_add(1); }

private:
    void watch(const std::stop_token& stop) {
        std::uint64_t seen = 0;
        auto since = std::chrono::steady_clock::now();
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            const std::uint64_t now = count_.load();
            if (now != seen || now % 2 == 0) {
                seen = now;
                since = std::chrono::steady_clock::now();
            } else if (std::chrono::steady_clock::now() - since > patience_) {
                std::puts("NOT LINEARIZABLE: operations do not return:");
                print_(record_);
                std::fflush(stdout);
                std::_Exit(1);
            }
        }
    }

    const std::chrono::seconds patience_;
    std::atomic<std::uint64_t> count_{0}; // odd: a history is under way
    void* record_ = nullptr;
    void (*print_)(void*) = nullptr;
    std::jthread thread_;
};

struct totals {
    std::uint64_t histories = 0;
    std::uint64_t operations = 0;
    std::uint64_t states = 0;
    std::uint64_t overlapping = 0; // operations during which another one was under way
};

std::uint64_t overlapping(const std::vector<call>& history) {
    std::uint64_t found = 0;
    for (const call& each : history) {
        for (const call& other : history) {
            if (&each != &other && other.began < each.ended && each.began < other.ended) {
                ++found;
                break;
            }
        }
    }
    return found;
}

template <class Message>
bool run_one(const flavor& which, const program& plan, const options& how, crew& hands, watchdog& dog, totals& sum) {
    std::vector<call> history;
    std::uint8_t senders = 0;
    {
        recorder<Message> record(which, plan);
        senders = record.senders();
        dog.begin(record);
        hands.run(record);
        dog.end();
        history = record.history();
    }
    checker search(history, sequential_channel(which.capacity, senders));
    bool good = search.is_linearizable();
    if (!good || how.verbose) {
        std::puts(good ? "a history:" : "NOT LINEARIZABLE: no order of these operations is one of a channel:");
        print(history);
    }
    for (const call& each : history) {
        if (each.complaint != nullptr && good) {
            good = false;
            std::puts("NOT LINEARIZABLE: an operation is wrong in itself:");
            print(history);
        }
    }
    if (Message::alive() != 0) {
        std::printf("NOT LINEARIZABLE: %llu messages were not destroyed\n",
                    static_cast<unsigned long long>(Message::alive()));
        print(history);
        good = false;
    }
    ++sum.histories;
    sum.operations += history.size();
    sum.states += search.states();
    sum.overlapping += overlapping(history);
    return good;
}

bool run(const flavor& which, const options& how) {
    crew hands;
    watchdog dog(how.patience);
    totals sum;
    const auto began = std::chrono::steady_clock::now();
    for (std::uint64_t i = how.first; i < how.first + how.histories; ++i) {
        std::seed_seq mixed{how.seed, i, std::uint64_t{which.capacity.value_or(99)}};
        std::uint64_t seed[1];
        mixed.generate(seed, seed + 1);
        const program plan = program_maker(which.capacity, seed[0]).make();
        const bool good = i % 2 == 0 ? run_one<plain_message>(which, plan, how, hands, dog, sum)
                                     : run_one<tracked_message>(which, plan, how, hands, dog, sum);
        if (!good) {
            std::printf("  %s, history %llu; its program again: --flavor %s --seed %llu --first %llu\n",
                        which.name().c_str(), static_cast<unsigned long long>(i), which.name().c_str(),
                        static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(i));
            return false;
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%-11s %8llu histories, %5.1f operations each, %4.1f %% of them overlapping, %5.1f states searched each, "
                "%6.0f histories/s\n",
                which.name().c_str(), static_cast<unsigned long long>(sum.histories),
                static_cast<double>(sum.operations) / static_cast<double>(sum.histories),
                100 * static_cast<double>(sum.overlapping) / static_cast<double>(sum.operations),
                static_cast<double>(sum.states) / static_cast<double>(sum.histories),
                static_cast<double>(sum.histories) / took.count());
    std::fflush(stdout);
    return true;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<options> parse(int count, char** words) {
    const std::vector<flavor> all = {flavor{}, flavor{1}, flavor{2}, flavor{3}, flavor{0}};
    options how;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (word == "--verbose") {
            how.verbose = true;
            continue;
        }
        if (i + 1 == count) {
            return std::nullopt;
        }
        const std::string_view value = words[++i];
        if (word == "--flavor") {
            const std::size_t before = how.flavors.size();
            for (const flavor& each : all) {
                if (each.name() == value) {
                    how.flavors.push_back(each);
                }
            }
            if (how.flavors.size() == before) {
                return std::nullopt;
            }
            continue;
        }
        const auto parsed = number(value);
        std::uint64_t* const place = word == "--histories" ? &how.histories
                                     : word == "--seed"    ? &how.seed
                                     : word == "--first"   ? &how.first
                                     : word == "--patience" ? &how.patience
                                                           : nullptr;
        if (!parsed || place == nullptr) {
            return std::nullopt;
        }
        *place = *parsed;
    }
    if (how.flavors.empty()) {
        how.flavors = all;
    }
    return how;
}

} // namespace

int main(int count, char** words) {
    if (count == 2 && (std::string_view(words[1]) == "--help" || std::string_view(words[1]) == "-h")) {
        std::fputs(usage.data(), stdout);
        return 0;
    }
    const std::optional<options> how = parse(count, words);
    if (!how || how->histories == 0) {
        std::fputs(usage.data(), stderr);
        return 2;
    }
    std::printf("seed %llu\n", static_cast<unsigned long long>(how->seed));
    weir::detail::injected.store(&at_point, std::memory_order_release);
    bool good = true;
    for (const flavor& which : how->flavors) {
        good = run(which, *how) && good;
    }
    return good ? 0 : 1;
}
