// SPDX-License-Identifier: BSL-1.0
//
// Traffic of every kind while the threads are delayed at random at every point of the protocols.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "../../verify/support/random_delays.hpp"
#include "../conformance/support/flavor.hpp"
#include "../conformance/support/messages.hpp"
#include "../conformance/support/threads.hpp"
#include "../conformance/support/traffic.hpp"

using namespace conformance;
using std::uint64_t;
using verify::random_delays;

namespace {

class delays : public flavor_test {
protected:
    delays() { random_delays::install(); }
    ~delays() override { weir::detail::injected.store(nullptr, std::memory_order_release); }

    void expect_each_message_once(bool receiver_goes, uint64_t seed) {
        constexpr std::size_t producers = 3;
        const uint64_t each = scaled(4000);
        tally all;
        arrivals seen(producers);
        std::atomic<uint64_t> sent{0};
        std::atomic<uint64_t> kept{0};
        {
            auto [tx, rx] = open<counted>(GetParam());
            std::vector<std::unique_ptr<worker>> threads;
            for (std::size_t producer = 0; producer < producers; ++producer) {
                threads.push_back(std::make_unique<worker>([&, handle = tx, producer]() mutable {
                    random_delays::start(verify::delays::heavy, seed + producer + 1);
                    stops never;
                    for (uint64_t i = 0; i < each; ++i) {
                        counted message(all, arrivals::value_of(producer, i));
                        const channel_errc came_to = send_somehow(handle, message, i, never);
                        EXPECT_EQ(message.holds(), came_to != ok);
                        came_to == ok ? ++sent : ++kept;
                        if (came_to != ok)
                            break;
                    }
                    handle.reset();
                }));
            }
            tx.reset();
            random_delays::start(verify::delays::heavy, seed);
            stops never;
            if (receiver_goes) {
                receive_somehow(rx, seen, never, producers * each / 2);
                rx.reset();
            } else {
                EXPECT_EQ(receive_somehow(rx, seen, never), channel_errc::disconnected);
            }
            random_delays::start(verify::delays::none, 0);
        }
        EXPECT_EQ(seen.wrong(), 0u);
        EXPECT_EQ(all.made, all.gone);
        EXPECT_EQ(all.dropped, sent + kept);
        if (!receiver_goes) {
            EXPECT_EQ(seen.count(), producers * each);
        }
    }
};
INSTANTIATE_TEST_SUITE_P(flavors, delays, every_flavor(), flavor_name);

TEST_P(delays, each_message_arrives_once_in_its_senders_order) { expect_each_message_once(false, 1); }
TEST_P(delays, each_message_is_received_destroyed_or_given_back_when_the_receiver_goes) {
    for (uint64_t round = 0; round < 3; ++round)
        expect_each_message_once(true, 100 + 10 * round);
}

} // namespace
