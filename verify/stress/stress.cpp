// SPDX-License-Identifier: BSL-1.0
//
// Sends many messages through channels in every way at once: with clones and drops of senders, time-outs and stops, and
// receivers that close or leave in full traffic. Each message must be received once and in its sender's order, or be
// destroyed with its channel, or be given back by a failed send; and memory must stay flat.
// Exit status: 0 all is well, 1 something is wrong, 2 bad usage.

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "../../tests/conformance/support/any_channel.hpp"
#include "../../tests/conformance/support/traffic.hpp"

namespace {

using namespace conformance;

constexpr std::string_view usage =
    R"(Usage: stress [--flavor NAME]... [--messages N] [--seed S]

  --flavor NAME    unbounded, or capacity_ and 0, 1, 2, 3, 64 or 1024; without: all
  --messages N     how many are sent through each flavor (1000000)
  --seed S         when receivers leave, and waits are stopped; without: taken from the clock, and printed
)";

// How much the resident memory may grow once a tenth of the messages have gone through. An unbounded channel keeps what was
// sent behind a sender that the system has stopped in the middle of its send: on a busy machine that is some megabytes.
constexpr std::uint64_t flat_bytes = 4 << 20;
constexpr std::uint64_t flat_bytes_unbounded = 32 << 20;
constexpr std::uint64_t most_in_unbounded = 20000; // senders wait for the receiver there, lest it falls behind

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_own = false; // most of it is the sanitizer's
#else
constexpr bool memory_is_own = true;
#endif

// What one thread did with messages: written by that thread, read when it has ended.
struct ledger {
    std::uint64_t made = 0;         // all constructions
    std::uint64_t gone = 0;         // all destructions
    std::uint64_t gone_holding = 0; // of those that held their value
};

struct ledgers {
    std::atomic<std::uint64_t> made{0};
    std::atomic<std::uint64_t> gone{0};
    std::atomic<std::uint64_t> gone_holding{0};

    void add(ledger& part) {
        made += part.made;
        gone += part.gone;
        gone_holding += part.gone_holding;
        part = {};
    }
};

thread_local ledger mine;

class message {
public:
    explicit message(std::uint64_t value) noexcept : value_(value) { ++mine.made; }
    message(message&& other) noexcept : value_(other.value_), holds_(std::exchange(other.holds_, false)) { ++mine.made; }
    message(const message&) = delete;
    message& operator=(const message&) = delete;
    message& operator=(message&&) = delete;
    ~message() {
        ++mine.gone;
        mine.gone_holding += holds_ ? 1 : 0;
    }

    std::uint64_t value() const noexcept { return value_; }
    bool holds() const noexcept { return holds_; }

private:
    std::uint64_t value_;
    bool holds_ = true;
};

std::uint64_t resident_bytes() {
    unsigned long pages = 0;
    if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%*u %lu", &pages) != 1) {
            pages = 0;
        }
        std::fclose(file);
    }
    return std::uint64_t{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// How a round ends: every sender drops its handles; or the receiver closes, or goes, in full traffic.
enum class ending : std::uint8_t { senders_drop, receiver_closes, receiver_goes };

struct round_plan {
    flavor which;
    std::size_t producers;
    std::uint64_t each; // how many messages a producer sends at most
    ending end;
    std::uint64_t end_after; // how many messages the receiver takes before it ends the round
    std::minstd_rand::result_type seed;
};

struct outcome_of_round {
    std::uint64_t sent = 0;
    std::uint64_t given_back = 0;
    std::uint64_t received = 0;
    std::uint64_t most_resident = 0;
    const char* wrong = nullptr;
};

outcome_of_round run_round(const round_plan& plan) {
    outcome_of_round result;
    ledgers all;
    arrivals seen(plan.producers);
    std::vector<std::uint64_t> sent(plan.producers, 0);
    std::atomic<std::uint64_t> given_back{0};
    std::atomic<bool> is_wrong{false};
    {
        auto [tx, rx] = open<message>(plan.which);
        std::vector<std::unique_ptr<stops>> stopped;
        for (std::size_t i = 0; i <= plan.producers; ++i) {
            stopped.push_back(std::make_unique<stops>());
        }
        std::jthread troublemaker([&, seed = plan.seed](const std::stop_token& over) {
            std::minstd_rand random(seed);
            while (!over.stop_requested()) {
                stopped[random() % stopped.size()]->request();
                std::this_thread::sleep_for(std::chrono::microseconds(100 + random() % 400));
            }
        });
        std::vector<std::jthread> producers;
        for (std::size_t which = 0; which < plan.producers; ++which) {
            producers.emplace_back([&, handle = tx, which]() mutable {
                for (std::uint64_t i = 0; i < plan.each; ++i) {
                    if (plan.which.is_unbounded() && i % 256 == 0) {
                        while (handle.len() > most_in_unbounded && !handle.is_disconnected()) {
                            std::this_thread::yield();
                        }
                    }
                    message next(arrivals::value_of(which, i));
                    const channel_errc came_to = send_somehow(handle, next, i, *stopped[which]);
                    if (next.holds() == (came_to == ok)) {
                        is_wrong = true;
                    }
                    if (came_to != ok) {
                        ++given_back;
                        break;
                    }
                    ++sent[which];
                }
                handle.reset();
                all.add(mine);
            });
        }
        tx.reset();

        const auto note_memory = [&] { result.most_resident = std::max(result.most_resident, resident_bytes()); };
        const std::uint64_t end_after = plan.end == ending::senders_drop ? ~std::uint64_t{0} : plan.end_after;
        channel_errc came_to = ok;
        while (came_to == ok && seen.count() < end_after) {
            constexpr std::uint64_t messages_a_look = 50000;
            came_to = receive_somehow(rx, seen, *stopped.back(), std::min(end_after, seen.count() + messages_a_look));
            note_memory();
        }
        if (plan.end == ending::receiver_closes) {
            rx.close();
            receive_somehow(rx, seen, *stopped.back());
        }
        if (plan.end == ending::receiver_goes) {
            rx.reset();
        } else if (outcome(rx.try_recv()) != channel_errc::disconnected) {
            is_wrong = true;
        }
        producers.clear();
    }
    all.add(mine);
    result.received = seen.count();
    result.given_back = given_back;
    for (std::size_t which = 0; which < plan.producers; ++which) {
        result.sent += sent[which];
        const bool may_be_lost = plan.end == ending::receiver_goes;
        if (may_be_lost ? seen.count_of(which) > sent[which] : seen.count_of(which) != sent[which]) {
            result.wrong = "a message whose send succeeded was not received";
        }
    }
    if (seen.wrong() != 0) {
        result.wrong = "a message came twice, out of order, or empty";
    } else if (all.made != all.gone) {
        result.wrong = "not every message that was made was destroyed";
    } else if (all.gone_holding != result.sent + result.given_back) {
        result.wrong = "not every message was destroyed once with its value";
    } else if (is_wrong) {
        result.wrong = "a send moved from a message that it gave back, or a receive did not say disconnected";
    }
    return result;
}

bool run(const flavor& which, std::uint64_t messages, std::uint64_t seed) {
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
    const auto began = std::chrono::steady_clock::now();
    outcome_of_round sum;
    std::array<std::uint64_t, 3> rounds{};
    std::uint64_t resident_before = 0;
    const std::uint64_t a_round = std::clamp<std::uint64_t>(messages / 20, 1000, 2000000);
    for (std::uint64_t number = 0; sum.sent < messages; ++number) {
        round_plan plan{which, 1 + random() % 8, 0, static_cast<ending>(number % 3), 0, {}};
        plan.each = a_round / plan.producers + 1;
        plan.end_after = random() % a_round;
        plan.seed = static_cast<std::minstd_rand::result_type>(random());
        const outcome_of_round got = run_round(plan);
        ++rounds[static_cast<std::size_t>(plan.end)];
        sum.sent += got.sent;
        sum.given_back += got.given_back;
        sum.received += got.received;
        if (got.wrong != nullptr) {
            std::printf("%s: WRONG in round %llu: %s\n", which.name().c_str(), static_cast<unsigned long long>(number),
                        got.wrong);
            return false;
        }
        if (sum.sent < messages / 10) {
            resident_before = std::max(resident_before, got.most_resident);
        } else {
            sum.most_resident = std::max(sum.most_resident, got.most_resident);
        }
    }
    const std::uint64_t growth = sum.most_resident > resident_before ? sum.most_resident - resident_before : 0;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%-13s %10llu sent, %10llu received, %6llu given back; rounds ended by senders %llu, close %llu, "
                "reset %llu; memory +%llu KiB; %.1f s, %.0f ns a message\n",
                which.name().c_str(), static_cast<unsigned long long>(sum.sent),
                static_cast<unsigned long long>(sum.received), static_cast<unsigned long long>(sum.given_back),
                static_cast<unsigned long long>(rounds[0]), static_cast<unsigned long long>(rounds[1]),
                static_cast<unsigned long long>(rounds[2]), static_cast<unsigned long long>(growth / 1024), took.count(),
                took.count() * 1e9 / static_cast<double>(sum.sent));
    std::fflush(stdout);
    const std::uint64_t most = which.is_unbounded() ? flat_bytes_unbounded : flat_bytes;
    if (memory_is_own && growth > most) {
        std::printf("%s: WRONG: the resident memory grew by more than %llu KiB after the first tenth\n",
                    which.name().c_str(), static_cast<unsigned long long>(most / 1024));
        return false;
    }
    return true;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

} // namespace

int main(int count, char** words) {
    const std::vector<flavor> all = {flavor{}, flavor{0}, flavor{1}, flavor{2}, flavor{3}, flavor{64}, flavor{1024}};
    std::vector<flavor> chosen;
    std::uint64_t messages = 1000000;
    auto seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1000000;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (word == "--help" || word == "-h") {
            std::fputs(usage.data(), stdout);
            return 0;
        }
        const std::string_view value = i + 1 < count ? words[++i] : "";
        const std::size_t before = chosen.size();
        if (word == "--flavor") {
            std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                         [value](const flavor& each) { return each.name() == value; });
        }
        const auto parsed = number(value);
        if (word == "--messages" && parsed && *parsed > 0) {
            messages = *parsed;
        } else if (word == "--seed" && parsed) {
            seed = *parsed;
        } else if (chosen.size() == before) {
            std::fputs(usage.data(), stderr);
            return 2;
        }
    }
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    bool good = true;
    for (const flavor& which : chosen.empty() ? all : chosen) {
        good = run(which, messages, seed) && good;
    }
    return good ? 0 : 1;
}
