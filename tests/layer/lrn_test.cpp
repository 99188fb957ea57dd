// LRN across any number of channels, beyond the blocks that it works by, against the definition in double precision.
// Windows within a channel are in the golden tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr double kAlpha = 0.5, kBias = 1.5;

// Of values by channel, `pixels` each.
double normalized(const std::vector<float>& x, int channels, int pixels, int pixel, int c, int size, double beta) {
    double sum = 0;
    for (int k = std::max(0, c - size / 2); k <= std::min(channels - 1, c + size / 2); ++k) {
        const double value = x[static_cast<size_t>(k * pixels + pixel)];
        sum += value * value;
    }
    return x[static_cast<size_t>(c * pixels + pixel)] * std::pow(kBias + kAlpha / size * sum, -beta);
}

class LrnAcross : public testing::TestWithParam<std::tuple<int, int, float>> {};
INSTANTIATE_TEST_SUITE_P(All, LrnAcross,
                         testing::Combine(testing::Values(1, 2, 3, 4, 64, 255, 256, 257, 258, 513),
                                          testing::Values(1, 3, 5, 7), testing::Values(0.75F, 0.5F)));

TEST_P(LrnAcross, IsTheDefinition) {
    const auto [channels, size, beta] = GetParam();
    const Shape shape(channels, 2, 3);
    constexpr int kPixels = 6;
    std::mt19937 random(1);
    std::uniform_real_distribution<float> values(-4.0F, 4.0F);
    std::vector<float> x(static_cast<size_t>(shape.count()));
    for (float& value : x) {
        value = values(random);
    }
    ParamDict dict;
    dict.set(1, size);
    dict.set(2, static_cast<float>(kAlpha));
    dict.set(3, beta);
    dict.set(4, static_cast<float>(kBias));
    for (const Strides strides : {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose}) {
        RunOptions options;
        options.strides = strides;
        options.threads = 2;
        const auto got = test::run_layer("LRN", dict, {}, {HostTensor::floats(shape, x, strides)}, 1, options);
        ASSERT_TRUE(got.ok()) << got.status().message();
        const std::vector<float> y = (*got)[0].values();
        for (int c = 0; c < channels; ++c) {
            for (int pixel = 0; pixel < kPixels; ++pixel) {
                const double want = normalized(x, channels, kPixels, pixel, c, size, beta);
                ASSERT_NEAR(y[static_cast<size_t>(c * kPixels + pixel)], want, 2e-6 * std::fabs(want))
                    << "channel " << c << ", pixel " << pixel << ", " << name(strides);
            }
        }
    }
}

}  // namespace
}  // namespace fw
