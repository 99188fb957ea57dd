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
        EXPECT_GE(total, largest_live_set(buffers));
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

TEST(ArenaLayout, LargestLiveSetIsThatOfTheBusiestStep) {
    EXPECT_EQ(largest_live_set({}), 0U);
    // Step 0: 64 + 128, step 1: 128 + 192, step 2: 192, step 3: 256 (200 rounded up).
    EXPECT_EQ(largest_live_set({{64, 0, 0}, {128, 0, 1}, {192, 1, 2}, {200, 3, 3}, {0, 0, 9}}), 320U);
}

TEST(ArenaLayout, RandomChainsComeCloseToTheLargestLiveSet) {
    // What networks look like: every step reads what the one before wrote, some values live for a few steps more.
    std::mt19937 random(3);
    double worst = 1.0;
    for (int round = 0; round < 100; ++round) {
        std::vector<Lifetime> buffers;
        for (int step = 0; step < 80; ++step) {
            buffers.push_back({64 * (1 + random() % 100), step, step + 1 + (random() % 4 == 0 ? 3 : 0)});
        }
        const auto bound = static_cast<double>(largest_live_set(buffers));
        worst = std::max(worst, static_cast<double>(lay_out_arena(&buffers)) / bound);
    }
    EXPECT_LE(worst, 1.25);
}

TEST(ArenaLayout, NeitherLongChainsNorWideOnesAreQuadratic) {
    // 200,000 squared steps would take minutes; the limit of the test program finds that out.
    constexpr int kCount = 200000;
    std::vector<Lifetime> chain;
    std::vector<Lifetime> wide;
    for (int i = 0; i < kCount; ++i) {
        chain.push_back({static_cast<uint64_t>(64 + 64 * (i % 3)), i, i + 2});
        wide.push_back({64, i, kCount});
    }
    EXPECT_LE(lay_out_arena(&chain), 1024U);
    EXPECT_EQ(lay_out_arena(&wide), uint64_t{64} * kCount);
}

TEST(ArenaLayout, HugeSizesDoNotWrap) {
    std::vector<Lifetime> buffers(5, Lifetime{uint64_t{1} << 60, 0, 1, 0});
    EXPECT_EQ(lay_out_arena(&buffers), uint64_t{5} << 60);
}

}  // namespace
}  // namespace fw
