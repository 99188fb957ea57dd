#include "runtime/arena_layout.h"

#include <gtest/gtest.h>

#include <random>

namespace fw {
namespace {

bool alive_together(const Lifetime& a, const Lifetime& b) {
    return a.first <= b.last && b.first <= a.last;
}

TEST(ArenaLayout, ReusesMemoryOfTheDead) {
    std::vector<Lifetime> chain = {{6400, 0, 1}, {6400, 1, 2}, {6400, 2, 3}, {6400, 3, 4}};
    EXPECT_EQ(lay_out_arena(&chain), 12800u);
}

TEST(ArenaLayout, FillsTheSmallestGap) {
    // Two long-lived blocks leave gaps of 192 and 64 bytes while the small one lives.
    std::vector<Lifetime> buffers = {{640, 0, 9}, {192, 0, 4}, {320, 0, 9}, {64, 5, 9}, {64, 6, 8}};
    const uint64_t total = lay_out_arena(&buffers);
    EXPECT_EQ(total, 640u + 320u + 192u);
    EXPECT_EQ(buffers[3].offset, buffers[1].offset);
}

TEST(ArenaLayout, RandomBuffersNeverOverlap) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<Lifetime> buffers(1 + random() % 60);
        uint64_t sum = 0;
        for (Lifetime& b : buffers) {
            b.bytes = random() % 5000;
            b.first = static_cast<int>(random() % 50);
            b.last = b.first + static_cast<int>(random() % 10);
            sum += (b.bytes + 63) / 64 * 64;
        }
        const uint64_t total = lay_out_arena(&buffers);
        EXPECT_LE(total, sum);
        for (size_t i = 0; i < buffers.size(); ++i) {
            EXPECT_EQ(buffers[i].offset % 64, 0u);
            EXPECT_LE(buffers[i].offset + buffers[i].bytes, total);
            for (size_t j = 0; j < i; ++j) {
                const bool apart = buffers[i].offset + buffers[i].bytes <= buffers[j].offset ||
                                   buffers[j].offset + buffers[j].bytes <= buffers[i].offset;
                EXPECT_TRUE(apart || !alive_together(buffers[i], buffers[j]));
            }
        }
    }
}

TEST(ArenaLayout, HugeSizesDoNotWrap) {
    std::vector<Lifetime> buffers(5, Lifetime{uint64_t{1} << 60, 0, 1, 0});
    EXPECT_EQ(lay_out_arena(&buffers), uint64_t{5} << 60);
}

}  // namespace
}  // namespace fw
