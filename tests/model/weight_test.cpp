#include "model/weight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fw {
namespace {

TEST(Weight, ScaledBytesAreTheirRealValues) {
    const Weight bytes = Weight::from_int8({-128, 3, 127, 5, 6, -7});
    EXPECT_TRUE(bytes.scales().empty());
    const Weight real = bytes.with_scales({2.0F, 0.0F, 0.5F});
    EXPECT_EQ(real.storage(), WeightStorage::kScaledInt8);
    EXPECT_EQ(real.to_floats(), (std::vector<float>{-64.0F, 1.5F, 0.0F, 0.0F, 12.0F, -14.0F}));
    EXPECT_EQ(real.to_int8(), bytes.to_int8());
    EXPECT_EQ(real.bytes(), 6U);
    EXPECT_EQ(bytes.storage(), WeightStorage::kInt8);
    std::vector<float> storage;
    EXPECT_EQ(real.floats(&storage)[4], 12.0F);
}

TEST(Weight, ScalesTellWhetherValuesAreFinite) {
    const Weight bytes = Weight::from_int8({1, 2});
    EXPECT_FALSE(bytes.known_finite());
    EXPECT_TRUE(bytes.with_scales({0.0F, 1e-30F}).known_finite());
    EXPECT_FALSE(bytes.with_scales({1.0F, 1e-37F}).known_finite());
    EXPECT_FALSE(bytes.with_scales({1.0F, std::numeric_limits<float>::quiet_NaN()}).known_finite());
    EXPECT_FALSE(Weight::from_floats({1.0F}).known_finite());
}

}  // namespace
}  // namespace fw
