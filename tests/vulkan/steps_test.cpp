// Steps of an int8 activation against the function itself. Needs no device.
#include "layer/vulkan/steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>

namespace fw::vulkan {
namespace {

using Type = FusedActivation::Type;
using Parameters = std::tuple<Type, float, int>;  // type, scale, zero point

class LevelStepsOf : public testing::TestWithParam<Parameters> {
protected:
    void SetUp() override {
        activation_.type = std::get<0>(GetParam());
        quant_.scale = std::get<1>(GetParam());
        quant_.zero_point = std::get<2>(GetParam());
        steps_ = level_steps(activation_, quant_);
    }
    void expect_exact(float x) const {
        // What a product of a whole number and a normal multiplier is not.
        if (std::isnan(x) || (x != 0.0F && std::fabs(x) < std::numeric_limits<float>::min())) {
            return;
        }
        ASSERT_EQ(int{steps_.at(x)}, int{quantize(activation_.apply(x), quant_)}) << x;
    }

    FusedActivation activation_;
    QuantParams quant_;
    LevelSteps steps_;
};
INSTANTIATE_TEST_SUITE_P(All, LevelStepsOf,
                         testing::Combine(testing::Values(Type::kSigmoid, Type::kMish),
                                          testing::Values(0.01F, 0.9F, 1.0F, 2.0F, 17.3F, 127.0F, 255.0F, 411.3F,
                                                          4096.0F, 1e6F),
                                          testing::Values(-128, 0, 37)));

TEST_P(LevelStepsOf, AscendAndChangeTheLevel) {
    ASSERT_EQ(steps_.level.size(), steps_.from.size() + 1);
    for (size_t i = 1; i < steps_.from.size(); ++i) {
        EXPECT_LT(steps_.from[i - 1], steps_.from[i]);
    }
    if (quant_.scale >= 17.0F) {
        EXPECT_GT(steps_.from.size(), 10U);
    }
}

TEST_P(LevelStepsOf, AreExactForNumbersOfEveryMagnitude) {
    std::mt19937 random(7);
    for (int i = 0; i < 30000; ++i) {
        const uint32_t bits = random();
        float x = 0.0F;
        std::memcpy(&x, &bits, sizeof(x));
        expect_exact(x);
        expect_exact(static_cast<float>(bits >> 8) * std::ldexp(1.0F, -19) - 16.0F);
    }
    for (const float x : {0.0F, -0.0F, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::max(), -std::numeric_limits<float>::max()}) {
        expect_exact(x);
    }
}

TEST_P(LevelStepsOf, AreExactAroundEachStep) {
    for (const float step : steps_.from) {
        float up = step;
        float down = step;
        for (int i = 0; i < 100; ++i) {
            expect_exact(up);
            expect_exact(down);
            up = std::nextafter(up, std::numeric_limits<float>::infinity());
            down = std::nextafter(down, -std::numeric_limits<float>::infinity());
        }
    }
}

// Every float there: Mish has to fall up to its minimum and rise after it.
TEST(LevelSteps, MishTurnsOnce) {
    FusedActivation mish;
    mish.type = Type::kMish;
    float x = -1.22F;
    float before = mish.apply(x);
    bool rises = false;
    while (x < -1.17F) {
        x = std::nextafter(x, 0.0F);
        const float value = mish.apply(x);
        rises = rises || value > before;
        EXPECT_TRUE(x <= -1.19240904F ? value <= before : value >= before) << x;
        before = value;
    }
    EXPECT_TRUE(rises);
}

}  // namespace
}  // namespace fw::vulkan
