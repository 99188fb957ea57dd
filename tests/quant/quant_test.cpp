// Rounding, activations and weights against definitions in exact arithmetic written here.
#include "quant/quant.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <limits>
#include <random>

namespace {

using fw::QuantParams;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Ties to even, by comparing distances in long double.
long long reference_round(long double x) {
    const long double down = std::floor(x);
    const long double rest = x - down;
    const auto whole = static_cast<long long>(down);
    if (rest != 0.5L) {
        return rest < 0.5L ? whole : whole + 1;
    }
    return whole % 2 == 0 ? whole : whole + 1;
}

int reference_quantize(float x, const QuantParams& q) {
    const int lowest = q.zero_point == 0 ? -127 : -128;
    const volatile float scaled = x * q.scale;
    if (std::isnan(scaled)) {
        return lowest;
    }
    const long double bounded = std::min(std::max(static_cast<long double>(scaled), -1e6L), 1e6L);
    const long long value = reference_round(bounded) + q.zero_point;
    return static_cast<int>(std::min(std::max(value, static_cast<long long>(lowest)), 127LL));
}

TEST(RoundHalfEven, Cases) {
    EXPECT_EQ(fw::round_half_even(0.5), 0);
    EXPECT_EQ(fw::round_half_even(1.5), 2);
    EXPECT_EQ(fw::round_half_even(2.5), 2);
    EXPECT_EQ(fw::round_half_even(-0.5), 0);
    EXPECT_EQ(fw::round_half_even(-1.5), -2);
    EXPECT_EQ(fw::round_half_even(-2.5), -2);
    EXPECT_EQ(fw::round_half_even(2147483646.5), 2147483646);
    EXPECT_EQ(fw::round_half_even(2147483647.0), 2147483647);
    EXPECT_EQ(fw::round_half_even(1e300), 2147483647);
    EXPECT_EQ(fw::round_half_even(-2147483648.0), std::numeric_limits<int32_t>::min());
    EXPECT_EQ(fw::round_half_even(-2147483647.5), -2147483648LL);
    EXPECT_EQ(fw::round_half_even(-1e300), std::numeric_limits<int32_t>::min());
    EXPECT_EQ(fw::round_half_even(static_cast<double>(kNan)), std::numeric_limits<int32_t>::min());
}

TEST(RoundHalfEven, IgnoresTheRoundingMode) {
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
        std::fesetround(mode);
        const int a = fw::round_half_even(1000.5);
        const int b = fw::round_half_even(-1001.5);
        const int c = fw::round_half_even(0.49999999999999994);
        std::fesetround(FE_TONEAREST);
        EXPECT_EQ(a, 1000);
        EXPECT_EQ(b, -1002);
        EXPECT_EQ(c, 0);
    }
}

TEST(RoundHalfEven, MatchesReference) {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> uniform(-1e6, 1e6);
    for (int i = 0; i < 100000; ++i) {
        const double x = i % 2 == 0 ? uniform(random) : std::floor(uniform(random)) + 0.5;
        ASSERT_EQ(fw::round_half_even(x), reference_round(x)) << x;
    }
}

TEST(Quantize, MatchesDefinition) {
    const QuantParams params[] = {{1.0F, 0},    {20.5F, 0}, {0.37F, 0}, {20.5F, -128},
                                  {20.5F, 127}, {3.0F, 5},  {1e30F, 0}, {1e-30F, -7}};
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-15, 15);
    std::vector<float> values = {0.0F, -0.0F, kInf,  -kInf, kNan,   3e38F,  -3e38F,  1e-45F,  0.5F,
                                 1.5F, 2.5F,  -0.5F, -1.5F, 126.5F, 127.5F, -127.5F, -126.5F, -128.5F};
    for (int i = 0; i < 20000; ++i) {
        values.push_back(i % 4 == 0 ? std::floor(uniform(random)) + 0.5F : uniform(random));
    }
    for (const QuantParams& q : params) {
        std::vector<int8_t> run(values.size());
        fw::quantize_run(values.data(), static_cast<int64_t>(values.size()), q, run.data());
        for (size_t i = 0; i < values.size(); ++i) {
            const int want = reference_quantize(values[i], q);
            ASSERT_EQ(fw::quantize(values[i], q), want) << values[i] << " scale " << q.scale << " zp " << q.zero_point;
            ASSERT_EQ(run[i], want) << values[i] << " scale " << q.scale << " zp " << q.zero_point;
        }
    }
}

TEST(Dequantize, RoundTripsEveryLevel) {
    for (const QuantParams q : {QuantParams{20.5F, 0}, {0.37F, -128}, {123.0F, 17}}) {
        for (int v = fw::quant_min(q); v <= 127; ++v) {
            const auto byte = static_cast<int8_t>(v);
            EXPECT_EQ(fw::quantize(fw::dequantize(byte, q), q), v);
            float run = 0;
            fw::dequantize_run(&byte, 1, q, &run);
            EXPECT_EQ(run, static_cast<float>(v - q.zero_point) * static_cast<float>(1.0 / q.scale));
            EXPECT_EQ(run, fw::dequantize(byte, q));
        }
    }
}

TEST(QuantBounds, ReluAndClip) {
    fw::RealClamp relu;
    relu.lo = 0;
    const auto none = fw::quant_bounds({10.0F, 0}, {});
    EXPECT_EQ(none.lo, -127);
    EXPECT_EQ(none.hi, 127);
    EXPECT_EQ(fw::quant_bounds({10.0F, 3}, {}).lo, -128);
    EXPECT_EQ(fw::quant_bounds({10.0F, 0}, relu).lo, 0);
    EXPECT_EQ(fw::quant_bounds({10.0F, -128}, relu).lo, -128);
    EXPECT_EQ(fw::quant_bounds({10.0F, 20}, relu).lo, 20);
    const auto clip = fw::quant_bounds({10.0F, -100}, {-0.25F, 6.0F});
    EXPECT_EQ(clip.lo, -102);  // rne(-2.5) = -2
    EXPECT_EQ(clip.hi, -40);
    EXPECT_EQ(fw::quant_bounds({100.0F, 0}, {0.0F, 6.0F}).hi, 127);
    EXPECT_EQ(fw::quant_bounds({100.0F, 0}, {5.0F, 6.0F}).lo, 127);  // the clamp lies outside the range
    EXPECT_EQ(fw::quant_bounds({100.0F, 0}, {kNan, kInf}).lo, -127);
    EXPECT_EQ(fw::quant_bounds({100.0F, 0}, {-kInf, kInf}).hi, 127);
}

TEST(Weights, AbsmaxScales) {
    const std::vector<float> weights = {1, -2, 0.5F, 0, 0, 0, 1e-40F, 0, 0, -0.25F, 0.125F, 0};
    const std::vector<float> scales = fw::absmax_weight_scales(weights, 4);
    ASSERT_EQ(scales.size(), 4U);
    EXPECT_EQ(scales[0], 63.5F);
    EXPECT_EQ(scales[1], 0.0F);
    EXPECT_EQ(scales[2], 0.0F);  // 127 / 1e-40 is no float
    EXPECT_EQ(scales[3], 508.0F);
    EXPECT_TRUE(fw::absmax_weight_scales({}, 0).empty());
}

TEST(Weights, Quantize) {
    const std::vector<float> weights = {1, -2, 0.5F, 3, 1, 1, 0.1F, 0.015F, 10};
    std::vector<int8_t> out;
    fw::quantize_weights(weights, std::vector<float>{63.5F, 0.0F, 100.0F}, &out);
    EXPECT_EQ(out, (std::vector<int8_t>{64, -127, 32, 0, 0, 0, 10, 2, 127}));
}

TEST(Weights, AllFinite) {
    EXPECT_TRUE(fw::all_finite(std::vector<float>{1, 0, -3e38F}));
    EXPECT_FALSE(fw::all_finite(std::vector<float>{1, kNan}));
    EXPECT_FALSE(fw::all_finite(std::vector<float>{1, -kInf}));
}

TEST(Weights, AccumulatorFits) {
    // The worst partial sum: the largest bias, the zero point's share and every product with the same sign.
    const auto worst = [](int64_t k) { return (int64_t{1} << 30) + int64_t{k} * 128 * 127 * 2; };
    EXPECT_TRUE(fw::accumulator_fits(33026));
    EXPECT_LE(worst(33026), int64_t{2147483647});
    EXPECT_FALSE(fw::accumulator_fits(33027));
    EXPECT_GT(worst(33027), int64_t{2147483647});
    EXPECT_TRUE(fw::accumulator_fits(0));
    EXPECT_FALSE(fw::accumulator_fits(-1));
    EXPECT_FALSE(fw::accumulator_fits(int64_t{1} << 62));
}

TEST(Weights, FitScales) {
    const QuantParams in{20.0F, 0};
    const std::vector<float> scales = {100.0F, 1e10F, 1e10F, 0.0F, 1e30F};
    const std::vector<float> bias = {5.0F, 0.0F, -0.5F, 1e30F, 1e-3F};
    const std::vector<float> fitted = fw::fit_weight_scales(in, scales, bias);
    EXPECT_EQ(fitted[0], 100.0F);
    EXPECT_EQ(fitted[1], 1e10F);
    EXPECT_EQ(fitted[2], static_cast<float>(1073740800.0 / 10.0));
    EXPECT_EQ(fitted[3], 0.0F);
    for (size_t i = 0; i < scales.size(); ++i) {
        EXPECT_LE(std::fabs(static_cast<double>(bias[i])) * 20.0 * static_cast<double>(fitted[i]), 1073741824.0);
    }
    EXPECT_EQ(fw::fit_weight_scales(in, scales, {}), scales);
}

}  // namespace
