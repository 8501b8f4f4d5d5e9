// SPDX-License-Identifier: BSL-1.0
//
// Threads that are delayed at random at the named points of the protocols (and wherever a tool asks for it), so that they
// meet there in ever new ways. The program must be compiled with WEIR_INJECTION=1 for the points to be there.
#pragma once

#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/platform/injection.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string_view>
#include <thread>

namespace verify {

// How a thread is delayed: at all points, seldom or often; or only at some, for each thread others, but there every few times,
// so that a thread stands still at one step while the others go on.
enum class delays : std::uint8_t { none, light, heavy, at_some };
constexpr std::uint64_t kinds_of_delays = static_cast<std::uint64_t>(delays::at_some) + 1;

class random_delays {
public:
    // For the calling thread, from now on.
    static void start(delays how_much, std::uint64_t seed) noexcept {
        mine().how_much = how_much;
        mine().random.seed(static_cast<std::minstd_rand::result_type>(seed));
        mine().some = mine().random() / 7 % groups;
    }

    // A moment, of a length that is mostly nothing and now and then long enough for the others to do much.
    static void pass(const char* point = "") noexcept {
        state& here = mine();
        const auto one_in = turns(here, point);
        if (one_in == 0) {
            return;
        }
        const auto turn = here.random() / 7 % one_in;
        if (turn == 0) {
            std::this_thread::sleep_for(std::chrono::microseconds(here.random() % 100));
        } else if (turn <= 4) {
            weir::detail::yield();
        } else if (turn <= 10) {
            for (auto left = here.random() % 300; left > 0; --left) {
                weir::detail::pause();
            }
        }
    }

    // Every named point delays from now on.
    static void install() noexcept {
#if WEIR_INJECTION
        weir::detail::injected.store(&pass, std::memory_order_release);
#endif
    }

private:
    static constexpr std::size_t groups = 16; // of points

    struct state {
        delays how_much = delays::none;
        std::minstd_rand random;
        std::size_t some = 0; // the group at whose points it is delayed
    };

    // A sleep once in so many times; 0 is never.
    static unsigned turns(const state& here, std::string_view point) noexcept {
        switch (here.how_much) {
        case delays::light:
            return 512;
        case delays::heavy:
            return 64;
        case delays::at_some:
            return std::hash<std::string_view>{}(point) % groups == here.some ? 4 : 0;
        case delays::none:
            break;
        }
        return 0;
    }
    static state& mine() noexcept {
        static thread_local state here;
        return here;
    }
};

} // namespace verify
