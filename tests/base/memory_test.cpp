// Memory for packed weights.
#include "base/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

namespace fw {
namespace {

TEST(Memory, PopulatedPagesKeepWhatTheyHold) {
    for (const size_t bytes : {size_t{1}, size_t{4096}, size_t{40000}, size_t{1} << 20}) {
        const std::shared_ptr<void> memory = allocate_shared_bytes(bytes, nullptr);
        ASSERT_NE(memory, nullptr);
        auto* data = static_cast<unsigned char*>(memory.get());
        std::memset(data, 0x5a, bytes);
        populate_pages(data, bytes);
        populate_pages(data + bytes / 2, bytes - bytes / 2);
        for (size_t i = 0; i < bytes; ++i) {
            ASSERT_EQ(data[i], 0x5a) << i;
        }
    }
    populate_pages(nullptr, 0);
}

// Small and large pieces in any order: aligned, apart, readable kOverread behind their end, and there when the pool is
// not.
TEST(Memory, PiecesOfAPoolOutliveIt) {
    std::vector<std::pair<std::shared_ptr<void>, size_t>> pieces;
    {
        PagePool pool;
        for (const size_t bytes :
             {size_t{0}, size_t{1}, size_t{900000}, size_t{900000}, size_t{1}, size_t{1} << 20, size_t{65},
              size_t{3} << 20, size_t{3} << 20, size_t{3} << 20, size_t{3} << 20, size_t{3} << 20, size_t{3} << 20,
              size_t{9} << 20, size_t{64}, size_t{4} << 20, (size_t{7} << 20) - 3, size_t{65}}) {
            std::shared_ptr<void> piece = pool.allocate(bytes);
            ASSERT_NE(piece, nullptr);
            EXPECT_EQ(reinterpret_cast<uintptr_t>(piece.get()) % kAlignment, 0U);
            std::memset(piece.get(), static_cast<int>(pieces.size()), bytes);
            pieces.emplace_back(std::move(piece), bytes);
        }
    }
    for (size_t i = 0; i < pieces.size(); ++i) {
        const auto* data = static_cast<const unsigned char*>(pieces[i].first.get());
        const auto other = std::find_if(data, data + pieces[i].second, [&](unsigned char byte) { return byte != i; });
        EXPECT_EQ(other - data, static_cast<std::ptrdiff_t>(pieces[i].second)) << i;
        const unsigned char* behind = data + pieces[i].second;
        EXPECT_GE(std::accumulate(behind, behind + kOverread, 0U), 0U);
    }
}

// The last piece begins where the others end, goes on into huge and small pages behind them, or lies elsewhere; it can
// be released before and after them.
TEST(Memory, LastPieceOfAPoolHoldsWhatIsWritten) {
    for (const size_t last : {size_t{0}, size_t{1}, size_t{1000000}, size_t{1} << 21, size_t{5} << 20, size_t{13} << 20,
                              size_t{40} << 20}) {
        for (const size_t to_come : {size_t{0}, size_t{3} << 20}) {
            PagePool pool;
            pool.expect(to_come);
            const std::shared_ptr<void> first = pool.allocate(100);
            const std::shared_ptr<void> second = pool.allocate(size_t{3} << 20);
            std::shared_ptr<void> piece = pool.allocate_last(last);
            ASSERT_NE(first, nullptr);
            ASSERT_NE(second, nullptr);
            ASSERT_NE(piece, nullptr);
            EXPECT_EQ(reinterpret_cast<uintptr_t>(piece.get()) % kAlignment, 0U);
            std::memset(first.get(), 1, 100);
            std::memset(second.get(), 2, size_t{3} << 20);
            std::memset(piece.get(), 3, last);
            const auto* behind = static_cast<const unsigned char*>(piece.get()) + last;
            EXPECT_EQ(std::accumulate(behind, behind + kOverread, 0U), 0U);
            const std::shared_ptr<void> another = pool.allocate_last(5000);
            ASSERT_NE(another, nullptr);
            std::memset(another.get(), 4, 5000);
            EXPECT_EQ(std::count(behind - last, behind, 3), static_cast<std::ptrdiff_t>(last));
            piece.reset();
            const auto* bytes = static_cast<const unsigned char*>(second.get());
            EXPECT_EQ(std::count(bytes, bytes + (size_t{3} << 20), 2), std::ptrdiff_t{3} << 20);
            EXPECT_EQ(static_cast<const unsigned char*>(first.get())[99], 1);
        }
    }
    EXPECT_EQ(PagePool().allocate_last(SIZE_MAX), nullptr);
}

TEST(Memory, NoMemoryForAPieceIsAnEmptyPointer) {
    PagePool pool;
    EXPECT_NE(pool.allocate(size_t{2} << 20), nullptr);
    EXPECT_EQ(pool.allocate(SIZE_MAX), nullptr);
    EXPECT_EQ(pool.allocate_last(SIZE_MAX), nullptr);
#if !defined(__SANITIZE_ADDRESS__)  // which ends a program that asks for so much
    EXPECT_EQ(pool.allocate(SIZE_MAX / 2), nullptr);
#endif
    EXPECT_NE(pool.allocate(1), nullptr);
}

}  // namespace
}  // namespace fw
