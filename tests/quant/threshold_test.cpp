#include "quant/threshold.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace fw {
namespace {

// The pseudocode of the talk, bin by bin, with none of the shortcuts of the code under test.
int brute_force(const std::vector<uint64_t>& counts, int levels) {
    const int bins = static_cast<int>(counts.size());
    int best = bins;
    double least = INFINITY;
    for (int i = levels; i <= bins; ++i) {
        std::vector<double> p(counts.begin(), counts.begin() + i);
        double outliers = 0;
        for (int b = i; b < bins; ++b) {
            outliers += static_cast<double>(counts[static_cast<size_t>(b)]);
        }
        const std::vector<double> kept = p;
        p.back() += outliers;
        std::vector<double> q(static_cast<size_t>(i), 0.0);
        for (int g = 0; g < levels; ++g) {
            const int begin = g * i / levels;
            const int end = (g + 1) * i / levels;
            double mass = 0;
            int filled = 0;
            for (int b = begin; b < end; ++b) {
                mass += kept[static_cast<size_t>(b)];
                filled += p[static_cast<size_t>(b)] > 0 ? 1 : 0;
            }
            for (int b = begin; b < end; ++b) {
                if (p[static_cast<size_t>(b)] > 0) {
                    q[static_cast<size_t>(b)] = (mass > 0 ? mass : 1e-4) / filled;
                }
            }
        }
        double p_sum = 0;
        double kept_sum = 0;
        for (int b = 0; b < i; ++b) {
            p_sum += p[static_cast<size_t>(b)];
            kept_sum += kept[static_cast<size_t>(b)];
        }
        if (kept_sum == 0) {
            continue;
        }
        double value = 0;
        for (int b = 0; b < i; ++b) {
            if (p[static_cast<size_t>(b)] > 0) {
                value += p[static_cast<size_t>(b)] / p_sum *
                         std::log((p[static_cast<size_t>(b)] / p_sum) / (q[static_cast<size_t>(b)] / kept_sum));
            }
        }
        if (value < least - 1e-12) {
            least = value;
            best = i;
        }
    }
    return best;
}

std::vector<uint64_t> random_counts(int bins, uint32_t seed) {
    std::mt19937 engine(seed);
    std::vector<uint64_t> counts(static_cast<size_t>(bins));
    const double decay = 0.5 + (engine() % 100) / 10.0;
    for (int b = 0; b < bins; ++b) {
        const double level = 5000.0 * std::exp(-decay * b / bins);
        counts[static_cast<size_t>(b)] =
            engine() % 5 == 0 ? 0 : static_cast<uint64_t>(level * (engine() % 1000) / 1000.0);
    }
    counts.back() = 1 + engine() % 3;
    return counts;
}

TEST(KlThreshold, AgreesWithThePseudocode) {
    for (uint32_t seed = 0; seed < 24; ++seed) {
        const std::vector<uint64_t> counts = random_counts(seed % 2 == 0 ? 256 : 301, seed);
        EXPECT_EQ(kl_threshold_bins(counts, 32), brute_force(counts, 32)) << "seed " << seed;
    }
}

TEST(KlThreshold, SparseHistograms) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        std::mt19937 engine(seed);
        std::vector<uint64_t> counts(256, 0);
        for (int n = 0; n < 12; ++n) {
            counts[engine() % 256] += engine() % 50;
        }
        counts[255] = 1;
        EXPECT_EQ(kl_threshold_bins(counts, 32), brute_force(counts, 32)) << "seed " << seed;
    }
}

TEST(KlThreshold, AllMassInOneBin) {
    std::vector<uint64_t> counts(2048, 0);
    counts[2047] = 10;
    EXPECT_EQ(kl_threshold_bins(counts, 128), 2048);
    counts[0] = 1000000;
    const int i = kl_threshold_bins(counts, 128);
    EXPECT_GE(i, 128);
    EXPECT_LE(i, 2048);
}

TEST(KlThreshold, FewBinsAreKeptWhole) {
    EXPECT_EQ(kl_threshold_bins({3, 2, 1}, 128), 3);
    EXPECT_EQ(kl_threshold_bins(std::vector<uint64_t>(2048, 0), 128), 2048);
}

TEST(ActivationThreshold, CutsARareOutlierAndKeepsAUniformRange) {
    std::mt19937 engine(7);
    std::normal_distribution<float> normal(0.0F, 1.0F);
    std::vector<float> values(200000);
    for (float& value : values) {
        value = normal(engine);
    }
    values[0] = 60.0F;
    AbsHistogram tailed;
    ASSERT_TRUE(tailed.add(values));
    EXPECT_LT(activation_threshold(tailed, ThresholdMethod::kKl), 10.0F);
    EXPECT_GT(activation_threshold(tailed, ThresholdMethod::kKl), 3.0F);
    EXPECT_EQ(activation_threshold(tailed, ThresholdMethod::kMinMax), 60.0F);

    std::uniform_real_distribution<float> uniform(-2.0F, 2.0F);
    for (float& value : values) {
        value = uniform(engine);
    }
    AbsHistogram flat;
    ASSERT_TRUE(flat.add(values));
    EXPECT_GT(activation_threshold(flat, ThresholdMethod::kKl), 1.9F);
}

TEST(ActivationQuant, BlobsWithoutNegativeValuesGetAllLevels) {
    AbsHistogram ramp;
    ASSERT_TRUE(ramp.add(std::vector<float>{0.0F, 0.5F, 2.0F}));
    EXPECT_EQ(activation_quant(ramp, ThresholdMethod::kMinMax, true).value(), (QuantParams{127.5F, -128}));
    EXPECT_EQ(activation_quant(ramp, ThresholdMethod::kMinMax, false).value(), (QuantParams{63.5F, 0}));
    ASSERT_TRUE(ramp.add(std::vector<float>{-0.25F}));
    EXPECT_EQ(activation_quant(ramp, ThresholdMethod::kMinMax, true).value(), (QuantParams{63.5F, 0}));

    AbsHistogram merged;
    merged.merge(ramp);
    EXPECT_TRUE(merged.has_negative());

    AbsHistogram tiny;
    ASSERT_TRUE(tiny.add(std::vector<float>{1e-40F}));
    EXPECT_FALSE(activation_quant(tiny, ThresholdMethod::kMinMax, true).ok());
}

TEST(ActivationThreshold, OnlyZerosGiveZero) {
    AbsHistogram histogram;
    ASSERT_TRUE(histogram.add(std::vector<float>(4, 0.0F)));
    EXPECT_EQ(activation_threshold(histogram, ThresholdMethod::kKl), 0.0F);
    EXPECT_FALSE(activation_quant(histogram, ThresholdMethod::kKl, true).value().known());
}

}  // namespace
}  // namespace fw
