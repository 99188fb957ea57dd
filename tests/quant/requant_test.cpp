// Multipliers, epilogues, tables and sums against the contract's formulas in exact or wider arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quant/math.h"
#include "quant/quant.h"

namespace {

using fw::QuantParams;
using fw::RealClamp;

long long rne(long double x) {
    x = std::min(std::max(x, -1e15L), 1e15L);
    const long double down = std::floor(x);
    const auto whole = static_cast<long long>(down);
    const long double rest = x - down;
    return rest > 0.5L || (rest == 0.5L && whole % 2 != 0) ? whole + 1 : whole;
}

long long clamp(long long x, long long lo, long long hi) {
    return std::min(std::max(x, lo), hi);
}

// Runs the epilogue as a kernel does.
int apply(const fw::Requant& r, size_t channel, int32_t sum) {
    const volatile float scaled = static_cast<float>(sum + r.bias[channel]) * r.multiplier[channel];
    return static_cast<int>(clamp(rne(scaled) + r.zero_point, r.lo, r.hi));
}

TEST(Requant, MatchesTheFormula) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::uniform_int_distribution<int> level(-128, 127);
    const QuantParams qs[] = {{20.0F, 0}, {7.3F, -128}, {31.7F, 5}, {113.0F, 127}};
    for (const QuantParams& in : qs) {
        for (const QuantParams& out : qs) {
            for (const bool relu : {false, true}) {
                constexpr size_t kChannels = 5;
                constexpr size_t kDepth = 37;
                std::vector<float> weights(kChannels * kDepth);
                std::vector<float> bias(kChannels);
                for (float& w : weights) {
                    w = uniform(random);
                }
                for (float& b : bias) {
                    b = 3 * uniform(random);
                }
                std::vector<float> scales = fw::absmax_weight_scales(weights, kChannels);
                scales[2] = 0;
                std::vector<int8_t> q;
                fw::quantize_weights(weights, scales, &q);
                std::vector<int32_t> sums(kChannels, 0);
                for (size_t i = 0; i < q.size(); ++i) {
                    sums[i / kDepth] += q[i];
                }
                RealClamp range;
                if (relu) {
                    range.lo = 0;
                }
                const fw::Requant r = fw::make_requant(in, scales, sums, bias, out, range);
                const fw::Requant f = fw::make_dequant(in, scales, sums, bias);
                const int lowest = out.zero_point == 0 ? -127 : -128;
                const int lo = relu ? std::max(lowest, out.zero_point) : lowest;
                for (size_t c = 0; c < kChannels; ++c) {
                    int32_t dot = 0;
                    int32_t centred = 0;
                    for (size_t i = 0; i < kDepth; ++i) {
                        const int x = level(random);
                        dot += x * q[c * kDepth + i];
                        centred += (x - in.zero_point) * q[c * kDepth + i];
                    }
                    if (c == 2) {
                        EXPECT_EQ(
                            apply(r, c, dot),
                            clamp(rne(static_cast<double>(bias[c]) * static_cast<double>(out.scale)) + out.zero_point,
                                  lo, 127));
                        EXPECT_EQ(static_cast<float>(dot + f.bias[c]) * f.multiplier[c], bias[c]);
                        continue;
                    }
                    const double product = static_cast<double>(in.scale) * static_cast<double>(scales[c]);
                    const auto b = rne(static_cast<double>(bias[c]) * static_cast<double>(in.scale) *
                                       static_cast<double>(scales[c]));
                    const auto acc = static_cast<int32_t>(centred + b);
                    ASSERT_EQ(dot + r.bias[c], acc);
                    const volatile float scaled =
                        static_cast<float>(acc) * static_cast<float>(static_cast<double>(out.scale) / product);
                    ASSERT_EQ(apply(r, c, dot), clamp(rne(scaled) + out.zero_point, lo, 127));
                    ASSERT_EQ(f.bias[c], r.bias[c]);
                    ASSERT_EQ(f.multiplier[c], static_cast<float>(1.0 / product));
                    // and the whole means what the float layer computes
                    double real = static_cast<double>(bias[c]) + centred / product;
                    ASSERT_NEAR(static_cast<double>(static_cast<float>(acc) * f.multiplier[c]), real,
                                0.6 / product + 1e-5 * std::fabs(real));
                }
            }
        }
    }
}

TEST(Requant, DeadChannelOfAnyBias) {
    const QuantParams in{20.0F, -128};
    const QuantParams out{50.0F, -3};
    const std::vector<float> bias = {0.0F,   -0.0F, 1.0F,     -1.7F,       1e-20F,   3e-29F,
                                     1e-31F, 1e30F, -3.4e38F, 123456.789F, INFINITY, NAN};
    const std::vector<float> scales(bias.size(), 0.0F);
    const std::vector<int32_t> sums(bias.size(), 0);
    const fw::Requant r = fw::make_requant(in, scales, sums, bias, out, {});
    const fw::Requant f = fw::make_dequant(in, scales, sums, bias);
    for (size_t i = 0; i < bias.size(); ++i) {
        if (!std::isfinite(bias[i])) {
            continue;  // reached without a trap
        }
        const long double real = static_cast<long double>(bias[i]) * 50;
        EXPECT_EQ(apply(r, i, 0), clamp(rne(real) - 3, -128, 127)) << bias[i];
        EXPECT_EQ(static_cast<float>(f.bias[i]) * f.multiplier[i], std::fabs(bias[i]) < 0x1p-101F ? 0.0F : bias[i])
            << bias[i];
    }
}

TEST(Requant, NearlyDeadChannelKeepsItsBias) {
    const QuantParams in{20.0F, 0};
    const QuantParams out{100.0F, 0};
    const std::vector<float> weights = {1e-9F, -1e-9F};
    const std::vector<float> bias = {0.5F};
    const std::vector<float> scales = fw::fit_weight_scales(in, fw::absmax_weight_scales(weights, 1), bias);
    std::vector<int8_t> q;
    fw::quantize_weights(weights, scales, &q);
    const std::vector<int32_t> sums = {q[0] + q[1]};
    const fw::Requant r = fw::make_requant(in, scales, sums, bias, out, {});
    EXPECT_EQ(apply(r, 0, 0), 50);
}

TEST(Requant, ExtremeScalesStayFinite) {
    const std::vector<float> scales = {1e-30F, 3e38F, 1.0F};
    const std::vector<int32_t> sums = {0, 0, 0};
    const fw::Requant r = fw::make_requant({1e-20F, 0}, scales, sums, {}, {1e20F, 0}, {});
    const fw::Requant f = fw::make_dequant({1e20F, 0}, scales, sums, {});
    for (const fw::Requant* each : {&r, &f}) {
        for (const float m : each->multiplier) {
            EXPECT_TRUE(std::isfinite(m));
            EXPECT_TRUE(m == 0.0F || std::isnormal(m));
        }
    }
    EXPECT_EQ(apply(r, 0, 0), 0);  // not 0 * inf
}

TEST(Requant, BiasSaturates) {
    const std::vector<int32_t> sums = {0, 0};
    const fw::Requant r = fw::make_requant({20.0F, 0}, std::vector<float>{1e20F, 1e20F}, sums,
                                           std::vector<float>{1.0F, -1.0F}, {1.0F, 0}, {});
    EXPECT_EQ(r.bias[0], 1 << 30);
    EXPECT_EQ(r.bias[1], -(1 << 30));
}

TEST(Average, Multiplier) {
    EXPECT_EQ(fw::average_multiplier({20.0F, 0}, {10.0F, 0}, 9), static_cast<float>(10.0 / (20.0 * 9.0)));
    EXPECT_EQ(fw::average_multiplier({7.3F, 0}, {7.3F, 0}, 49),
              static_cast<float>(static_cast<double>(7.3F) / (static_cast<double>(7.3F) * 49.0)));
}

TEST(Pointwise, TableOfAFunction) {
    const QuantParams in{20.0F, -128};
    const QuantParams out{100.0F, -128};
    fw::PointwiseTable table;
    fw::make_pointwise_table(
        in, out, [](double x, const void* /*context*/) { return fw::math::sigmoid(x); }, nullptr, table);
    for (int q = -128; q <= 127; ++q) {
        const long double x = static_cast<long double>(q + 128) / 20.0L;
        const long double y = 100.0L / (1.0L + std::exp(-x));
        EXPECT_EQ(table[q + 128], clamp(rne(y) - 128, -128, 127)) << q;
    }
}

TEST(Pointwise, RescaleIsTheIdentityForEqualScales) {
    for (const QuantParams q : {QuantParams{20.3F, 0}, {0.77F, -128}, {5.0F, 99}}) {
        fw::PointwiseTable table;
        fw::make_rescale_table(q, q, table);
        for (int v = fw::quant_min(q); v <= 127; ++v) {
            EXPECT_EQ(table[v + 128], v);
        }
    }
}

TEST(Pointwise, NanGivesTheLowest) {
    fw::PointwiseTable table;
    fw::make_pointwise_table(
        {10.0F, 0}, {10.0F, 0}, [](double x, const void* /*context*/) { return fw::math::log(x); }, nullptr, table);
    EXPECT_EQ(table[0], -127);
    EXPECT_EQ(table[128], -127);  // log(0) = -inf
    EXPECT_EQ(table[128 + 100], 23);
}

// Searches the contract's shift upwards in 64-bit integers and compares.
TEST(Sum, ParametersMatchTheContract) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> exponent(-6, 6);
    std::uniform_int_distribution<int> zero(-128, 127);
    for (int trial = 0; trial < 3000; ++trial) {
        const size_t n = 1 + static_cast<size_t>(trial % 5);
        std::vector<QuantParams> in(n);
        std::vector<float> c(trial % 2 == 0 ? n : 0);
        for (QuantParams& q : in) {
            q = {std::pow(2.0F, exponent(random)), zero(random)};
        }
        for (float& v : c) {
            v = exponent(random);
        }
        const QuantParams out{std::pow(2.0F, exponent(random)), zero(random)};
        const fw::SumParams got = fw::make_sum(in, c, out, {});
        int want = 0;
        for (int shift = 1; shift <= 30; ++shift) {
            int64_t total = 0;
            bool fits = true;
            for (size_t i = 0; i < n; ++i) {
                const double ratio = (c.empty() ? 1.0 : static_cast<double>(c[i])) * static_cast<double>(out.scale) /
                                     static_cast<double>(in[i].scale);
                const long long k = rne(static_cast<long double>(ratio) * (1LL << shift));
                fits = fits && std::llabs(k) <= (1 << 20);
                total += std::llabs(k);
            }
            if (fits && total * 255 < (int64_t{1} << 30)) {
                want = shift;
            }
        }
        ASSERT_EQ(got.shift, want);
        for (size_t i = 0; i < n && want > 0; ++i) {
            const double ratio = (c.empty() ? 1.0 : static_cast<double>(c[i])) * static_cast<double>(out.scale) /
                                 static_cast<double>(in[i].scale);
            ASSERT_EQ(got.multiplier[i], rne(static_cast<long double>(ratio) * (1LL << want)));
            ASSERT_EQ(got.zero_point[i], in[i].zero_point);
        }
    }
}

TEST(Sum, UnfitScalesSaySo) {
    EXPECT_EQ(fw::make_sum(std::vector<QuantParams>{{1e-6F, 0}, {1.0F, 0}}, {}, {10.0F, 0}, {}).shift, 0);
    EXPECT_EQ(fw::make_sum(std::vector<QuantParams>{{1.0F, 0}}, std::vector<float>{NAN}, {10.0F, 0}, {}).shift, 0);
}

}  // namespace
