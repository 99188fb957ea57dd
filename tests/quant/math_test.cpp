// quant/math.h against the platform's long double functions (x86: 64-bit mantissa), at the stated errors.
#include "quant/math.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace {

namespace m = fw::math;

using Fn = double (*)(double);
using Reference = long double (*)(long double);

struct Case {
    const char* name;
    Fn fn;
    Reference reference;
    double lo, hi;
    double ulp;             // allowed relative error in units of 2^-52
    bool absolute = false;  // error in units of 2^-52 of 1
};

long double sigmoid_reference(long double x) {
    return 1.0L / (1.0L + std::exp(-x));
}
long double softplus_reference(long double x) {
    return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

const Case kCases[] = {
    {"exp", m::exp, std::exp, -700, 700, 2},
    {"exp_small", m::exp, std::exp, -1, 1, 2},
    {"expm1", m::expm1, std::expm1, -3, 3, 4},
    {"expm1_tiny", m::expm1, std::expm1, -1e-6, 1e-6, 4},
    {"log", m::log, std::log, 1e-300, 1e300, 4},
    {"log_near_one", m::log, std::log, 0.5, 2, 4},
    {"log1p", m::log1p, std::log1p, -0.999, 10, 4},
    {"log1p_tiny", m::log1p, std::log1p, -1e-6, 1e-6, 4},
    {"tanh", m::tanh, std::tanh, -22, 22, 6},
    {"tanh_small", m::tanh, std::tanh, -0.5, 0.5, 6},
    {"sigmoid", m::sigmoid, sigmoid_reference, -40, 40, 5},
    {"softplus", m::softplus, softplus_reference, -40, 40, 6},
    {"erf", m::erf, std::erf, -6.5, 6.5, 64},
    {"erf_small", m::erf, std::erf, -0.5, 0.5, 64},
    {"sin", m::sin, std::sin, -1000, 1000, 4, true},
    {"cos", m::cos, std::cos, -1000, 1000, 4, true},
    {"sin_large", m::sin, std::sin, -1048576, 1048576, 4, true},
    {"tan", m::tan, std::tan, -1.5, 1.5, 64},
    {"atan", m::atan, std::atan, -100, 100, 8},
    {"asin", m::asin, std::asin, -1, 1, 16},
    {"acos", m::acos, std::acos, -1, 1, 8, true},
};

class Math : public testing::TestWithParam<Case> {};

TEST_P(Math, MatchesLongDouble) {
    const Case& c = GetParam();
    std::mt19937 random(1);
    std::uniform_real_distribution<double> uniform(c.lo, c.hi);
    double worst = 0;
    for (int i = 0; i < 20000; ++i) {
        const double x = uniform(random);
        const long double want = c.reference(x);
        const long double unit = (c.absolute ? 1.0L : std::fabs(want)) * 0x1p-52L;
        const auto error = static_cast<double>(std::fabs(static_cast<long double>(c.fn(x)) - want) / unit);
        ASSERT_LE(error, c.ulp) << c.name << "(" << x << ") = " << c.fn(x);
        worst = std::max(worst, error);
    }
    RecordProperty("worst_ulp", std::to_string(worst));
}

INSTANTIATE_TEST_SUITE_P(All, Math, testing::ValuesIn(kCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(MathSpecial, ValuesOfC) {
    const double inf = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(m::exp(0.0), 1.0);
    EXPECT_EQ(m::exp(-inf), 0.0);
    EXPECT_EQ(m::exp(inf), inf);
    EXPECT_EQ(m::exp(800), inf);
    EXPECT_GT(m::exp(-740), 0.0);
    EXPECT_EQ(m::exp(-746), 0.0);
    EXPECT_EQ(m::log(1.0), 0.0);
    EXPECT_EQ(m::log(0.0), -inf);
    EXPECT_EQ(m::log(inf), inf);
    EXPECT_TRUE(std::isnan(m::log(-1.0)));
    EXPECT_NEAR(m::log(5e-324), std::log(5e-324), 1e-12);
    EXPECT_EQ(m::log1p(-1.0), -inf);
    EXPECT_EQ(m::tanh(inf), 1.0);
    EXPECT_EQ(m::tanh(-inf), -1.0);
    EXPECT_EQ(m::sigmoid(-inf), 0.0);
    EXPECT_EQ(m::sigmoid(inf), 1.0);
    EXPECT_EQ(m::sigmoid(0.0), 0.5);
    EXPECT_EQ(m::softplus(1000), 1000);
    EXPECT_EQ(m::softplus(-inf), 0.0);
    EXPECT_EQ(m::erf(inf), 1.0);
    EXPECT_EQ(m::erf(0.0), 0.0);
    EXPECT_EQ(m::sin(0.0), 0.0);
    EXPECT_EQ(m::cos(0.0), 1.0);
    EXPECT_TRUE(std::isnan(m::sin(inf)));
    EXPECT_EQ(m::atan(inf), std::atan(inf));
    EXPECT_EQ(m::asin(1.0), std::asin(1.0));
    EXPECT_TRUE(std::isnan(m::asin(1.1)));
    EXPECT_TRUE(std::isnan(m::acos(-1.1)));
    for (Fn fn : {m::exp, m::expm1, m::log, m::log1p, m::tanh, m::sigmoid, m::softplus, m::erf, m::sin, m::cos, m::tan,
                  m::atan, m::asin, m::acos, m::round_half_even}) {
        EXPECT_TRUE(std::isnan(fn(nan)));
    }
}

TEST(MathPow, MatchesLongDouble) {
    std::mt19937 random(2);
    std::uniform_real_distribution<double> base(0.01, 20);
    std::uniform_real_distribution<double> exponent(-12, 12);
    for (int i = 0; i < 20000; ++i) {
        const double x = base(random);
        const double y = i % 3 == 0 ? std::floor(exponent(random)) : exponent(random);
        const long double want = std::pow(static_cast<long double>(x), static_cast<long double>(y));
        const double error = static_cast<double>(std::fabs(m::pow(x, y) - want) / want) * 0x1p52;
        ASSERT_LE(error, 8 + 4 * std::fabs(y * std::log(x))) << x << "^" << y;
    }
    for (const double x : {-2.0, -1.0, 0.0, 1.0, 2.5}) {
        for (const double y : {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 65.0, 66.0, 0.5}) {
            const double want = std::pow(x, y);
            if (std::isfinite(want)) {
                EXPECT_NEAR(m::pow(x, y), want, std::fabs(want) * 1e-13) << x << "^" << y;
            } else {
                EXPECT_EQ(std::isnan(m::pow(x, y)), std::isnan(want)) << x << "^" << y;
            }
        }
    }
}

TEST(MathAtan2, FourQuadrants) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-5, 5);
    for (int i = 0; i < 20000; ++i) {
        const double y = i % 10 == 0 ? 0.0 : uniform(random);
        const double x = i % 7 == 0 ? -0.0 : uniform(random);
        ASSERT_NEAR(m::atan2(y, x), std::atan2(y, x), 1e-15 * 4) << y << " " << x;
    }
}

TEST(MathRound, HalfToEven) {
    const double in[] = {0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 2.51, -2.51, 1e300, 4503599627370495.5};
    for (const double x : in) {
        EXPECT_EQ(m::round_half_even(x), std::nearbyint(x)) << x;
    }
}

// Bits that every platform must give: fixed here once, so that a port with other arithmetic (fused multiply-add, x87)
// fails.
TEST(MathBits, AreFixed) {
    EXPECT_EQ(m::log(10.0), 0x1.26bb1bbb55516p+1);
    uint64_t hash = 1469598103934665603U;
    for (Fn fn : {m::exp, m::expm1, m::log1p, m::tanh, m::sigmoid, m::softplus, m::erf, m::sin, m::cos, m::atan}) {
        for (int i = -128; i < 128; ++i) {
            const double value = fn(i / 37.0);
            uint64_t bits = 0;
            if (value == value) {
                std::memcpy(&bits, &value, sizeof(bits));
            }
            hash = (hash ^ bits) * 1099511628211U;
        }
    }
    EXPECT_EQ(hash, 0x9a9e152ff4fcdbaaU);
}

}  // namespace
