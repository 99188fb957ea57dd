// norm_affine against its formula, one number at a time: ordinary factors, and those whose results are infinite,
// denormal or no number.
#include "quant/normalization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <vector>

namespace fw::test {

namespace {

// Never infinite, never denormal.
float multiplier(double m) {
    if (!(std::fabs(m) >= static_cast<double>(FLT_MIN))) {
        return 0.0F;
    }
    return static_cast<float>(std::min(std::max(m, -static_cast<double>(FLT_MAX)), static_cast<double>(FLT_MAX)));
}

void expect_formula(const NormConstants& norm, const std::vector<float>& gamma, const std::vector<float>& beta,
                    size_t count) {
    std::vector<float> a(count, -1.0F);
    std::vector<float> b(count, -1.0F);
    norm_affine(norm, gamma.empty() ? nullptr : gamma.data(), beta.empty() ? nullptr : beta.data(),
                static_cast<int64_t>(count), a.data(), b.data());
    for (size_t i = 0; i < count; ++i) {
        const double scaled = gamma.empty() ? norm.factor : static_cast<double>(gamma[i]) * norm.factor;
        const double shift = beta.empty() ? 0.0 : static_cast<double>(beta[i]) * norm.scale_out;
        ASSERT_EQ(a[i], multiplier(scaled)) << i << " of " << count;
        ASSERT_EQ(b[i], multiplier(shift - scaled * norm.mean)) << i << " of " << count;
    }
}

}  // namespace

TEST(NormAffine, FollowsItsFormula) {
    const float least = FLT_MIN;
    const float most = FLT_MAX;
    // The last one of each list is what ordinary ones are followed by, so that it alone decides.
    const float special[] = {1.0F,
                             0.0F,
                             -0.0F,
                             least,
                             -least,
                             std::nextafter(least, 0.0F),
                             1e-45F,
                             most,
                             -most,
                             most / 2,
                             3e-38F,
                             std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()};
    for (const double factor : {0.37, 1.0, 0.99999999, 1.00000001, 1e-39, 1e30, 0.0}) {
        for (const double mean : {0.0, -3.25, 1e-30}) {
            const NormConstants norm = {factor, mean, 11.5};
            for (const float last : special) {
                std::vector<float> gamma = {0.5F, -1.25F, 3.0F, 0.01F, -0.75F, 2.0F, 1.0F, 0.3F, -0.9F};
                std::vector<float> beta = {-0.1F, 0.0F, 2.5F, 7.0F, -4.0F, 0.25F, 0.5F, 1.5F, -3.0F};
                gamma.push_back(last);
                beta.push_back(1.0F);
                expect_formula(norm, gamma, beta, gamma.size());
                expect_formula(norm, beta, gamma, gamma.size());
                expect_formula(norm, gamma, {}, gamma.size());
                expect_formula(norm, {}, gamma, gamma.size());
            }
            expect_formula(norm, {}, {}, 5);
        }
    }
}

}  // namespace fw::test
