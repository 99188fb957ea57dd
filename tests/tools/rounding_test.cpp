#include "calibrate/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace fw::tools {
namespace {

double error_of(const std::vector<float>& weights, float scale, const std::vector<float>& matrix,
                const std::vector<bool>& up) {
    const size_t n = weights.size();
    std::vector<double> e(n);
    for (size_t i = 0; i < n; ++i) {
        const float scaled = weights[i] * scale;
        e[i] = static_cast<double>(std::floor(scaled) + (up[i] ? 1.0F : 0.0F) - scaled);
    }
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < n; ++j) {
            sum += e[i] * static_cast<double>(matrix[i * n + j]) * e[j];
        }
    }
    return sum;
}

// Inputs that go together, as those of a smooth image's pixels do.
InputMoments moments_of(size_t length, size_t samples, uint32_t seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    InputMoments m;
    m.length = length;
    m.sum.assign(length, 0.0);
    m.square.assign(length * length, 0.0F);
    for (size_t s = 0; s < samples; ++s) {
        const float common = 3.0F + 2.0F * normal(engine);
        std::vector<float> x(length);
        for (float& v : x) {
            v = common + 0.3F * normal(engine);
        }
        for (size_t i = 0; i < length; ++i) {
            m.sum[i] += static_cast<double>(x[i]);
            for (size_t j = 0; j <= i; ++j) {
                m.square[i * length + j] += x[i] * x[j];
            }
        }
    }
    m.samples = static_cast<double>(samples);
    return m;
}

TEST(Rounding, ComesCloseToTheBestOfAll) {
    constexpr size_t kLength = 10;
    std::mt19937 engine(3);
    std::normal_distribution<float> normal;
    double nearest_sum = 0;
    double found_sum = 0;
    double best_sum = 0;
    for (uint32_t seed = 0; seed < 20; ++seed) {
        const std::vector<float> matrix = moment_matrix(moments_of(kLength, 200, seed), 0, true, {});
        std::vector<float> weights(kLength);
        for (float& w : weights) {
            w = normal(engine);
        }
        constexpr float kScale = 10.0F;
        std::vector<bool> up;
        choose_rounding(weights, kScale, matrix, &up);
        ASSERT_EQ(up.size(), kLength);
        std::vector<bool> nearest(kLength);
        double best = INFINITY;
        for (uint32_t bits = 0; bits < 1U << kLength; ++bits) {
            std::vector<bool> candidate(kLength);
            for (size_t i = 0; i < kLength; ++i) {
                candidate[i] = (bits >> i & 1U) != 0;
                nearest[i] = weights[i] * kScale - std::floor(weights[i] * kScale) > 0.5F;
            }
            best = std::min(best, error_of(weights, kScale, matrix, candidate));
        }
        const double found = error_of(weights, kScale, matrix, up);
        EXPECT_LE(found, error_of(weights, kScale, matrix, nearest) * 1.0001);
        nearest_sum += error_of(weights, kScale, matrix, nearest);
        found_sum += found;
        best_sum += best;
    }
    EXPECT_LT(found_sum, 0.25 * nearest_sum);
    EXPECT_LT(found_sum, 4.0 * best_sum);
}

TEST(Rounding, ClippedWeightsStay) {
    const std::vector<float> matrix = moment_matrix(moments_of(3, 100, 1), 0, false, {});
    std::vector<bool> up;
    choose_rounding(std::vector<float>{1.0F, 300.0F, -2.0F}, 1.0F, matrix, &up);
    EXPECT_FALSE(up[1]);
}

TEST(Rounding, FactorsOfInputsScaleTheMatrix) {
    const InputMoments m = moments_of(4, 50, 7);
    const std::vector<float> plain = moment_matrix(m, 0, true, {});
    const std::vector<float> scaled = moment_matrix(m, 0, true, {1.0F, 2.0F, 1.0F, 4.0F});
    EXPECT_FLOAT_EQ(scaled[1 * 4 + 3], 8.0F * plain[1 * 4 + 3]);
    EXPECT_FLOAT_EQ(scaled[0 * 4 + 1], 2.0F * plain[0 * 4 + 1]);
    EXPECT_FLOAT_EQ(scaled[2 * 4 + 2], plain[2 * 4 + 2]);
}

}  // namespace
}  // namespace fw::tools
