#include "base/cache.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace fw::test {
namespace {

class CacheTest : public TempFolderTest {
protected:
    void add(int index, const std::string& level, const std::string& size) {
        const std::string cache = "index" + std::to_string(index);
        write(cache + "/level", level + "\n");
        write(cache + "/size", size + "\n");
    }
    int64_t read() const { return read_second_level_cache(folder_); }
};

TEST_F(CacheTest, TheSecondLevelCountsWhereverItIsListed) {
    add(0, "1", "32K");
    add(1, "1", "48K");
    add(2, "2", "1280K");
    add(3, "3", "32M");
    EXPECT_EQ(read(), 1280 * 1024);
}

TEST_F(CacheTest, UnitsAreKibiAndMebibytes) {
    add(0, "2", "2M");
    EXPECT_EQ(read(), 2 * 1024 * 1024);
}

TEST_F(CacheTest, WhatIsMissingOrBrokenIsUnknown) {
    EXPECT_EQ(read(), 0);
    add(0, "1", "32K");
    EXPECT_EQ(read(), 0);
    for (const char* size : {"", "big", "-4K", "99999999999K"}) {
        add(1, "2", size);
        EXPECT_EQ(read(), 0) << size;
    }
}

TEST(Cache, OfThisProcessorIsWithinBounds) {
    EXPECT_GE(second_level_cache(), 256 * 1024);
    EXPECT_LE(second_level_cache(), 2048 * 1024);
}

}  // namespace
}  // namespace fw::test
