// SPDX-License-Identifier: BSL-1.0
#include <weir/detail/select/due_heap.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

namespace {

class entry {
public:
    explicit entry(int due_at) : due_at_(due_at) {}

    int due_at() const noexcept { return due_at_; }
    std::size_t& place() noexcept { return place_; }

private:
    int due_at_;
    std::size_t place_ = 0;
};

TEST(due_heap, its_front_is_due_first_whatever_comes_and_goes) {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<entry> all;
        for (int i = 0; i < 40; ++i) {
            all.emplace_back(static_cast<int>(random() % 20));
        }
        weir::detail::due_heap<entry> heap;
        heap.reserve(all.size());
        std::vector<entry*> outside;
        std::vector<entry*> inside;
        for (entry& each : all) {
            outside.push_back(&each);
        }
        for (int step = 0; step < 200; ++step) {
            std::vector<entry*>& from = outside.empty() || (!inside.empty() && random() % 2 == 0) ? inside : outside;
            entry* const moved = from[random() % from.size()];
            std::erase(from, moved);
            if (&from == &outside) {
                heap.push(*moved);
                inside.push_back(moved);
            } else {
                heap.erase(*moved);
                outside.push_back(moved);
            }
            ASSERT_EQ(heap.is_empty(), inside.empty());
            if (!inside.empty()) {
                const auto sooner = [](const entry* one, const entry* other) {
                    return one->due_at() < other->due_at();
                };
                ASSERT_EQ(heap.front().due_at(), (*std::ranges::min_element(inside, sooner))->due_at());
            }
        }
    }
}

TEST(due_heap, gives_all_in_the_order_in_which_they_are_due) {
    std::vector<entry> all;
    for (int i = 0; i < 100; ++i) {
        all.emplace_back(i * 37 % 100);
    }
    weir::detail::due_heap<entry> heap;
    heap.reserve(all.size());
    for (entry& each : all) {
        heap.push(each);
    }
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(heap.front().due_at(), i);
        heap.erase(heap.front());
    }
    EXPECT_TRUE(heap.is_empty());
}

} // namespace
