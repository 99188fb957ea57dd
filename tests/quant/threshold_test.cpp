#include "quant/threshold.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quant/quant.h"

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
        EXPECT_EQ(kl_window(counts, 32).end, brute_force(counts, 32)) << "seed " << seed;
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
        EXPECT_EQ(kl_window(counts, 32).end, brute_force(counts, 32)) << "seed " << seed;
    }
}

TEST(KlThreshold, AllMassInOneBin) {
    std::vector<uint64_t> counts(2048, 0);
    counts[2047] = 10;
    EXPECT_EQ(kl_window(counts, 128).end, 2048);
    counts[0] = 1000000;
    const int i = kl_window(counts, 128).end;
    EXPECT_GE(i, 128);
    EXPECT_LE(i, 2048);
}

TEST(KlThreshold, FewBinsAreKeptWhole) {
    EXPECT_EQ(kl_window({3, 2, 1}, 128).end, 3);
    EXPECT_EQ(kl_window(std::vector<uint64_t>(2048, 0), 128).end, 2048);
}

ActivationStatistics statistics_of(const std::vector<float>& values) {
    ActivationStatistics statistics;
    EXPECT_TRUE(statistics.histogram.add(values));
    return statistics;
}

ThresholdOptions with(ThresholdMethod method, bool symmetric = false) {
    ThresholdOptions options;
    options.method = method;
    options.symmetric = symmetric;
    return options;
}

std::vector<float> normal_values(int count, uint32_t seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0.0F, 1.0F);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) {
        value = normal(engine);
    }
    return values;
}

// Outliers of both ends go to the ends' bins; the formula written out, without prefix sums.
double window_divergence(const std::vector<uint64_t>& counts, int begin, int end, int levels) {
    const int n = end - begin;
    std::vector<double> kept(counts.begin() + begin, counts.begin() + end);
    std::vector<double> p = kept;
    for (int b = 0; b < begin; ++b) {
        p.front() += static_cast<double>(counts[static_cast<size_t>(b)]);
    }
    for (size_t b = static_cast<size_t>(end); b < counts.size(); ++b) {
        p.back() += static_cast<double>(counts[b]);
    }
    double p_sum = 0;
    double kept_sum = 0;
    for (size_t b = 0; b < p.size(); ++b) {
        p_sum += p[b];
        kept_sum += kept[b];
    }
    double value = 0;
    for (int g = 0; g < levels; ++g) {
        const auto from = static_cast<size_t>(g * n / levels);
        const auto to = static_cast<size_t>((g + 1) * n / levels);
        double mass = 0;
        int filled = 0;
        for (size_t b = from; b < to; ++b) {
            mass += kept[b];
            filled += p[b] > 0 ? 1 : 0;
        }
        for (size_t b = from; b < to; ++b) {
            if (p[b] > 0) {
                const double q = (mass > 0 ? mass : 1e-4) / filled / kept_sum;
                value += p[b] / p_sum * std::log(p[b] / p_sum / q);
            }
        }
    }
    return kept_sum > 0 ? value : INFINITY;
}

TEST(KlThreshold, BothEndsAgreeWithTheFormula) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        const std::vector<uint64_t> right = random_counts(200, seed);
        const std::vector<uint64_t> left = random_counts(70, seed + 100);
        std::vector<uint64_t> counts(left.rbegin(), left.rend());
        counts.insert(counts.end(), right.begin(), right.end());
        const int zero = 70;
        Window best{0, 270};
        double least = INFINITY;
        for (int end = zero + 1; end <= 270; ++end) {
            const double value = window_divergence(counts, 0, end, 32);
            if (value < least - 1e-12) {
                least = value;
                best.end = end;
            }
        }
        for (int begin = 1; begin <= std::min(zero, best.end - 32); ++begin) {
            const double value = window_divergence(counts, begin, best.end, 32);
            if (value < least - 1e-12) {
                least = value;
                best.begin = begin;
            }
        }
        const Window got = kl_window(counts, 32, true, zero);
        EXPECT_EQ(got.begin, best.begin) << seed;
        EXPECT_EQ(got.end, best.end) << seed;
    }
}

TEST(MseThreshold, AgreesWithDirectSums) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        const std::vector<uint64_t> counts = random_counts(150, seed);
        int best = 0;
        double least = INFINITY;
        for (int end = 1; end <= 150; ++end) {
            double error = 0;
            for (int b = 0; b < 150; ++b) {
                const auto count = static_cast<double>(counts[static_cast<size_t>(b)]);
                const double beyond = b + 0.5 - end;
                const double step = end / 16.0;
                error += count * (b < end ? step * step / 12.0 : beyond * beyond);
            }
            if (error < least * (1.0 - 1e-12)) {
                least = error;
                best = end;
            }
        }
        EXPECT_EQ(mse_window(counts, 16).end, best) << seed;
    }
}

TEST(ClipRange, CutsARareOutlierAndKeepsAUniformRange) {
    std::vector<float> values = normal_values(200000, 7);
    values[0] = 60.0F;
    const ActivationStatistics tailed = statistics_of(values);
    for (const ThresholdMethod method : {ThresholdMethod::kKl, ThresholdMethod::kPercentile, ThresholdMethod::kAciq}) {
        for (const bool symmetric : {false, true}) {
            const ClipRange range = clip_range(tailed, with(method, symmetric));
            EXPECT_LT(range.hi, 12.0F) << method_name(method);
            EXPECT_GT(range.hi, 2.5F) << method_name(method);
            EXPECT_LT(range.lo, -2.5F) << method_name(method);
            if (symmetric) {
                EXPECT_EQ(range.lo, -range.hi);
            }
        }
    }
    EXPECT_EQ(clip_range(tailed, with(ThresholdMethod::kMinMax)).hi, 60.0F);
    EXPECT_GT(clip_range(tailed, with(ThresholdMethod::kMinMax)).lo, -6.0F);

    std::mt19937 engine(8);
    std::uniform_real_distribution<float> uniform(-2.0F, 2.0F);
    for (float& value : values) {
        value = uniform(engine);
    }
    EXPECT_GT(clip_range(statistics_of(values), with(ThresholdMethod::kKl, true)).hi, 1.9F);
    EXPECT_GT(clip_range(statistics_of(values), with(ThresholdMethod::kMse)).hi, 1.9F);
}

// Of a few values kl takes chance for information and clips; told what it needs, it clips nothing.
TEST(ClipRange, KlWithFewValuesKeepsAll) {
    ThresholdOptions options = with(ThresholdMethod::kKl);
    for (const bool symmetric : {false, true}) {
        options.symmetric = symmetric;
        for (const uint32_t seed : {1U, 2U, 3U}) {
            options.least_for_kl = 0;
            std::vector<float> values = normal_values(2000, seed);
            values.resize(3000, 0.0F);  // zeros do not count
            const ActivationStatistics few = statistics_of(values);
            const ClipRange all = clip_range(few, with(ThresholdMethod::kMinMax, symmetric));
            const ClipRange plain = clip_range(few, options);
            EXPECT_LT(plain.hi - plain.lo, all.hi - all.lo);
            options.least_for_kl = 2001;
            EXPECT_TRUE(lacks_values(few, options));
            EXPECT_EQ(clip_range(few, options).lo, all.lo);
            EXPECT_EQ(clip_range(few, options).hi, all.hi);
            options.least_for_kl = 2000;
            EXPECT_FALSE(lacks_values(few, options));
            EXPECT_EQ(clip_range(few, options).lo, plain.lo);
            EXPECT_EQ(clip_range(few, options).hi, plain.hi);
        }
    }
    options.least_for_kl = 1'000'000;
    options.method = ThresholdMethod::kMse;
    EXPECT_FALSE(lacks_values(statistics_of(normal_values(100, 1)), options)) << "other methods take what there is";
}

TEST(ClipRange, PercentileCountsFromTheEnds) {
    std::vector<float> values;
    for (int i = 1; i <= 10000; ++i) {
        values.push_back(static_cast<float>(i) / 100.0F);
    }
    ThresholdOptions options = with(ThresholdMethod::kPercentile);
    options.percentile = 90.0;
    EXPECT_NEAR(clip_range(statistics_of(values), options).hi, 90.0F, 0.1F);
    for (size_t i = 0; i < values.size(); i += 2) {
        values[i] = -values[i] / 2.0F;
    }
    const ClipRange range = clip_range(statistics_of(values), options);  // a tenth of all from either side
    EXPECT_NEAR(range.hi, 80.0F, 0.2F);
    EXPECT_NEAR(range.lo, -40.0F, 0.2F);
}

// The constants that the paper prints for a Laplace distribution are 9.89 for 8 bits.
TEST(ClipRange, AciqOfALaplaceDistribution) {
    std::mt19937 engine(9);
    std::exponential_distribution<float> exponential(1.0F);
    std::vector<float> values(400000);
    for (float& value : values) {
        value = engine() % 2 == 0 ? exponential(engine) : -exponential(engine);
    }
    values[0] = 30.0F;
    values[1] = -30.0F;
    EXPECT_NEAR(clip_range(statistics_of(values), with(ThresholdMethod::kAciq)).hi, 9.897F, 0.15F);
}

TEST(ClipRange, MovingAverageFollowsTheImages) {
    ActivationStatistics statistics = statistics_of({-4.0F, 8.0F});
    statistics.image_min = {-1.0F, -4.0F};
    statistics.image_max = {2.0F, 8.0F};
    const ClipRange range = clip_range(statistics, with(ThresholdMethod::kMovingMinMax));
    EXPECT_FLOAT_EQ(range.lo, -1.03F);
    EXPECT_FLOAT_EQ(range.hi, 2.06F);
    EXPECT_FLOAT_EQ(clip_range(statistics, with(ThresholdMethod::kMovingMinMax, true)).lo, -2.06F);
}

TEST(ActivationQuant, EveryRangeGetsAllLevels) {
    const auto quant = [](const std::vector<float>& values, bool symmetric) {
        return activation_quant(statistics_of(values), with(ThresholdMethod::kMinMax, symmetric)).value();
    };
    EXPECT_EQ(quant({0.0F, 0.5F, 2.0F}, false), (QuantParams{127.5F, -128}));
    EXPECT_EQ(quant({0.0F, 0.5F, 2.0F}, true), (QuantParams{63.5F, 0}));
    EXPECT_EQ(quant({-0.5F, 2.0F}, false), (QuantParams{102.0F, -77}));
    EXPECT_EQ(quant({-0.5F, 2.0F}, true), (QuantParams{63.5F, 0}));
    EXPECT_EQ(quant({-2.0F, -1.0F}, false), (QuantParams{127.5F, 127}));
    EXPECT_FALSE(quant({0.0F, 0.0F}, false).known());
    EXPECT_FALSE(activation_quant(statistics_of({1e-40F}), with(ThresholdMethod::kMinMax)).ok());
}

TEST(ThresholdMethods, HaveNames) {
    for (const char* name : {"kl", "minmax", "moving-minmax", "percentile", "mse", "aciq"}) {
        ThresholdMethod method;
        ASSERT_TRUE(find_method(name, &method));
        EXPECT_STREQ(method_name(method), name);
    }
    ThresholdMethod method;
    EXPECT_FALSE(find_method("magic", &method));
}

TEST(MseWeightScales, NeverWorseThanAbsmax) {
    const std::vector<float> weights = normal_values(4 * 64, 11);
    const std::vector<float> plain = absmax_weight_scales(weights, 4);
    const std::vector<float> best = mse_weight_scales(weights, 4);
    const auto error = [&](const std::vector<float>& scales) {
        std::vector<int8_t> bytes;
        quantize_weights(weights, scales, &bytes);
        double sum = 0;
        for (size_t i = 0; i < weights.size(); ++i) {
            const double difference = bytes[i] / static_cast<double>(scales[i / 64]) - static_cast<double>(weights[i]);
            sum += difference * difference;
        }
        return sum;
    };
    EXPECT_LE(error(best), error(plain));
    EXPECT_EQ(mse_weight_scales(std::vector<float>(8, 0.0F), 2), (std::vector<float>{0.0F, 0.0F}));
}

}  // namespace
}  // namespace fw
