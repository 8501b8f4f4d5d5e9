// SPDX-License-Identifier: BSL-1.0
//
// Threads that are delayed at random at the named points of the protocols (and wherever a tool asks for it), so that they
// meet there in ever new ways. The program must be compiled with WEIR_INJECTION=1 for the points to be there.
#pragma once

#include <weir/detail/platform/cpu.hpp>
#include <weir/detail/platform/injection.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <thread>

namespace verify {

// How much a thread is delayed.
enum class delays : std::uint8_t { none, light, heavy };

class random_delays {
public:
    // For the calling thread, from now on.
    static void start(delays how_much, std::uint64_t seed) noexcept {
        mine().how_much = how_much;
        mine().random.seed(static_cast<std::minstd_rand::result_type>(seed));
    }

    // A moment, of a length that is mostly nothing and now and then long enough for the others to do much.
    static void pass(const char* = nullptr) noexcept {
        state& here = mine();
        if (here.how_much == delays::none) {
            return;
        }
        const auto turn = here.random() / 7 % (here.how_much == delays::heavy ? 64 : 512);
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
    struct state {
        delays how_much = delays::none;
        std::minstd_rand random;
    };
    static state& mine() noexcept {
        static thread_local state here;
        return here;
    }
};

} // namespace verify
