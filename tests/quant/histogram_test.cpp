#include "quant/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace fw {
namespace {

std::vector<float> samples(int count, float scale, uint32_t seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0.0F, scale);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) {
        value = engine() % 4 == 0 ? 0.0F : normal(engine);
    }
    return values;
}

TEST(Histogram, CountsZerosApartAndKnowsTheMaximum) {
    Histogram histogram;
    const std::vector<float> values = {0.0F, -0.0F, 1.0F, -3.0F, 0.5F};
    ASSERT_TRUE(histogram.add(values));
    EXPECT_EQ(histogram.zeros(), 2U);
    EXPECT_EQ(histogram.count(), 3U);
    EXPECT_EQ(histogram.absmax(), 3.0F);
    const std::vector<uint64_t> bins = histogram.rebin_abs(3).counts;
    EXPECT_EQ(bins, (std::vector<uint64_t>{1, 1, 1}));
}

TEST(Histogram, OnlyZeros) {
    Histogram histogram;
    ASSERT_TRUE(histogram.add(std::vector<float>(10, 0.0F)));
    EXPECT_EQ(histogram.absmax(), 0.0F);
    EXPECT_TRUE(histogram.rebin_abs(16).counts.empty());
    EXPECT_TRUE(histogram.rebin(16).counts.empty());
}

TEST(Histogram, RefusesWhatIsNotFinite) {
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
        Histogram histogram;
        EXPECT_FALSE(histogram.add(std::vector<float>{1.0F, bad}));
    }
}

TEST(Histogram, RangeHoldsZeroAndShowsWhatIsNotFinite) {
    const auto range = [](std::vector<float> values) { return range_of(values); };
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(range({}).min, 0.0F);
    EXPECT_EQ(range({}).max, 0.0F);
    EXPECT_EQ(range({2.0F, 1.0F}).min, 0.0F);
    EXPECT_EQ(range({2.0F, 1.0F}).max, 2.0F);
    EXPECT_EQ(range({-1.0F, -3.0F, -0.0F}).min, -3.0F);
    EXPECT_EQ(range({-1.0F, -3.0F, -0.0F}).max, 0.0F);
    for (const float bad : {kInfinity, -kInfinity, kNan, -kNan}) {
        for (size_t at = 0; at < 40; ++at) {
            std::vector<float> values = samples(40, 1.0F, 7);
            EXPECT_TRUE(range(values).finite());
            values[at] = bad;
            EXPECT_FALSE(range(values).finite()) << bad;
        }
    }
}

TEST(Histogram, RangesOfColumns) {
    for (const size_t columns : {1U, 3U, 16U, 63U, 64U, 65U, 130U}) {
        for (const size_t rows : {1U, 2U, 21U, 40U}) {
            const std::vector<float> values = samples(static_cast<int>(rows * columns), 1.0F, 9);
            const std::vector<ValueRange> ranges = column_ranges(values, columns);
            ASSERT_EQ(ranges.size(), columns);
            for (size_t column = 0; column < columns; ++column) {
                std::vector<float> own;
                for (size_t row = 0; row < rows; ++row) {
                    own.push_back(values[row * columns + column]);
                }
                EXPECT_EQ(ranges[column].min, range_of(own).min) << columns << " " << rows << " " << column;
                EXPECT_EQ(ranges[column].max, range_of(own).max) << columns << " " << rows << " " << column;
            }
        }
    }
}

TEST(Histogram, EveryValueIsInItsFineBin) {
    for (const float scale : {1e-42F, 1e-37F, 1e-6F, 1.0F, 1e20F, 1e37F}) {
        const std::vector<float> values = samples(3000, scale, 8);
        Histogram histogram;
        ASSERT_TRUE(histogram.add(values));
        std::vector<uint64_t> sides[2];
        for (const float value : values) {
            const double bin = std::fabs(static_cast<double>(value)) * std::ldexp(1.0, -histogram.exponent());
            std::vector<uint64_t>& side = sides[value < 0.0F ? 1 : 0];
            side.resize(Histogram::kBins);
            side[static_cast<size_t>(bin)] += value != 0.0F ? 1 : 0;
        }
        EXPECT_EQ(histogram.side(false), sides[0]) << scale;
        EXPECT_EQ(histogram.side(true), sides[1]) << scale;
    }
}

TEST(Histogram, ExtremeMagnitudes) {
    Histogram histogram;
    ASSERT_TRUE(histogram.add(std::vector<float>{std::numeric_limits<float>::denorm_min()}));
    ASSERT_TRUE(histogram.add(std::vector<float>{std::numeric_limits<float>::max()}));
    const std::vector<uint64_t> bins = histogram.rebin_abs(4).counts;
    EXPECT_EQ(bins.front(), 1U);
    EXPECT_EQ(bins.back(), 1U);
}

// The order of the data and the way it was split must not show.
TEST(Histogram, MergeEqualsOnePass) {
    const std::vector<float> small = samples(5000, 0.01F, 1);
    const std::vector<float> middle = samples(5000, 1.0F, 2);
    const std::vector<float> large = samples(5000, 300.0F, 3);
    Histogram up;
    Histogram down;
    Histogram a;
    Histogram b;
    ASSERT_TRUE(up.add(small) && up.add(middle) && up.add(large));
    ASSERT_TRUE(down.add(large) && down.add(middle) && down.add(small));
    ASSERT_TRUE(a.add(middle) && b.add(large) && b.add(small));
    a.merge(b);
    for (const Histogram* other : {&down, &a}) {
        EXPECT_EQ(up.absmax(), other->absmax());
        EXPECT_EQ(up.zeros(), other->zeros());
        EXPECT_EQ(up.count(), other->count());
        EXPECT_EQ(up.min(), other->min());
        EXPECT_EQ(up.max(), other->max());
        EXPECT_EQ(up.rebin_abs(2048).counts, other->rebin_abs(2048).counts);
        EXPECT_EQ(up.rebin(2048).counts, other->rebin(2048).counts);
    }
}

TEST(Histogram, MergeOfEmptyOnesIsNeutral) {
    Histogram empty;
    Histogram histogram;
    ASSERT_TRUE(histogram.add(samples(1000, 1.0F, 4)));
    const std::vector<uint64_t> before = histogram.rebin(64).counts;
    histogram.merge(empty);
    EXPECT_EQ(histogram.rebin(64).counts, before);
    empty.merge(histogram);
    EXPECT_EQ(empty.rebin(64).counts, before);
}

TEST(Histogram, RebinAgreesWithDirectCounting) {
    const std::vector<float> values = samples(200000, 1.0F, 5);
    Histogram histogram;
    ASSERT_TRUE(histogram.add(values));
    std::vector<uint64_t> direct(256, 0);
    for (const float value : values) {
        if (value != 0.0F) {
            const auto bin = static_cast<size_t>(std::abs(value) / histogram.absmax() * 256.0F);
            ++direct[std::min<size_t>(bin, 255)];
        }
    }
    const std::vector<uint64_t> bins = histogram.rebin_abs(256).counts;
    uint64_t moved = 0;
    for (size_t i = 0; i < direct.size(); ++i) {
        moved += bins[i] > direct[i] ? bins[i] - direct[i] : 0;
    }
    // Only values in a fine bin that straddles an edge can sit in the neighbouring bin: about 256 / (2 * 4096) of them.
    EXPECT_LT(moved, histogram.count() / 25);
}

TEST(Histogram, SignedBinsAgreeWithDirectCounting) {
    std::vector<float> values = samples(100000, 1.0F, 6);
    for (float& value : values) {
        value = value > 0.0F ? 3.0F * value : value;
    }
    Histogram histogram;
    ASSERT_TRUE(histogram.add(values));
    const Bins bins = histogram.rebin(256);
    EXPECT_EQ(bins.lo, static_cast<double>(histogram.min()));
    std::vector<uint64_t> direct(256, 0);
    for (const float value : values) {
        if (value != 0.0F) {
            const auto bin = static_cast<size_t>((static_cast<double>(value) - bins.lo) / bins.width);
            ++direct[std::min<size_t>(bin, 255)];
        }
    }
    uint64_t moved = 0;
    for (size_t i = 0; i < direct.size(); ++i) {
        moved += bins.counts[i] > direct[i] ? bins.counts[i] - direct[i] : 0;
    }
    EXPECT_LT(moved, histogram.count() / 25);
}

TEST(Histogram, RefusedValuesLeaveNothingBehind) {
    Histogram histogram;
    ASSERT_TRUE(histogram.add(std::vector<float>{1.0F, -2.0F}));
    EXPECT_FALSE(histogram.add(std::vector<float>{5.0F, std::numeric_limits<float>::quiet_NaN()}));
    EXPECT_EQ(histogram.max(), 1.0F);
    EXPECT_EQ(histogram.min(), -2.0F);
    EXPECT_EQ(histogram.count(), 2U);
}

}  // namespace
}  // namespace fw
