// Functions of one float: every kernel against double precision within the stated bounds, over the whole range of
// floats, special values and every length of a tail; and every level with the bits of the scalar one.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kRootTwoOverPi = 0.79788456080286535588;

struct Case {
    const char* name;
    FunctionArgs args;
    double (*exact)(double x);
    double relative;  ///< bound on |error| / |exact|
    double absolute;  ///< bound on |error| / max(1, |x|), for what cancels
    float lowest;     ///< of the arguments
};

double sigmoid(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}

const Case kCases[] = {
    {"exp", {FloatFunction::kExp, 0.0F}, [](double x) { return std::exp(x); }, 3e-7, 2.6e-38, -kInfinity},
    {"exp_minus_3",
     {FloatFunction::kExp, 3.0F},
     [](double x) { return std::exp(static_cast<double>(static_cast<float>(x) - 3.0F)); },
     3e-7,
     2.6e-38,
     -kInfinity},
    {"sigmoid", {FloatFunction::kSigmoid}, sigmoid, 1e-6, 1e-37, -kInfinity},
    {"tanh", {FloatFunction::kTanh}, [](double x) { return std::tanh(x); }, 1e-6, 0.0, -kInfinity},
    {"swish", {FloatFunction::kSwish}, [](double x) { return x * sigmoid(x); }, 1e-6, 1e-36, -kInfinity},
    {"mish",
     {FloatFunction::kMish},
     [](double x) { return x * std::tanh(std::log1p(std::exp(x))); },
     2e-6,
     1e-36,
     -kInfinity},
    {"gelu",
     {FloatFunction::kGelu},
     [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); },
     0.0,
     2e-7,
     -kInfinity},
    {"gelu_tanh",
     {FloatFunction::kGeluTanh},
     [](double x) { return 0.5 * x * (1.0 + std::tanh(kRootTwoOverPi * (x + 0.044715 * x * x * x))); },
     1e-6,
     1e-6,
     -kInfinity},
    {"hard_sigmoid",
     {FloatFunction::kHardSigmoid, 0.25F, 0.5F},
     [](double x) { return std::min(1.0, std::max(0.0, 0.25 * x + 0.5)); },
     1e-7,
     1e-7,
     -kInfinity},
    {"hard_swish",
     {FloatFunction::kHardSwish, 0.25F, 0.5F},
     [](double x) { return x * std::min(1.0, std::max(0.0, 0.25 * x + 0.5)); },
     2e-7,
     1e-7,
     -kInfinity},
    {"leaky_relu",
     {FloatFunction::kLeakyRelu, 0.1F},
     [](double x) { return x > 0.0 ? x : x * static_cast<double>(0.1F); },
     1e-7,
     1e-45,
     -kInfinity},
    {"root34", {FloatFunction::kRoot34}, [](double x) { return std::pow(x, -0.75); }, 6e-7, 0.0, 1.2e-38F},
};

// Dense where functions bend, then every magnitude that a float has.
std::vector<float> arguments(float lowest) {
    std::vector<float> list;
    for (float x = -100.0F; x <= 100.0F; x += 0.013F) {
        list.push_back(x);
    }
    for (float x = 1.2e-38F; x < 1e38F; x *= 1.37F) {
        list.push_back(x);
        list.push_back(-x);
    }
    list.insert(list.end(), {-0.0F, 0.0F, 1.0F, -1.0F, 88.72F, 88.73F, -86.6F, -87.0F});
    list.erase(std::remove_if(list.begin(), list.end(), [&](float x) { return x < lowest; }), list.end());
    return list;
}

class FunctionSweep : public KernelSweep<FunctionKernel> {
protected:
    std::vector<float> run(const FunctionArgs& args, const std::vector<float>& x) {
        std::vector<float> y(x.size());
        kernel_->apply(args, x.data(), static_cast<int64_t>(x.size()), y.data());
        return y;
    }
};

}  // namespace

TEST_P(FunctionSweep, IsWithinItsBoundOfTheExactValue) {
    for (const Case& test : kCases) {
        const std::vector<float> x = arguments(test.lowest);
        const std::vector<float> y = run(test.args, x);
        for (size_t i = 0; i < x.size(); ++i) {
            const double want = test.exact(static_cast<double>(x[i]));
            if (std::fabs(want) > 3.4e38) {
                ASSERT_EQ(std::isinf(y[i]) || std::fabs(y[i]) > 3.3e38F, true) << test.name << " of " << x[i];
                continue;
            }
            const double bound =
                test.relative * std::fabs(want) + test.absolute * std::max(1.0, std::fabs(static_cast<double>(x[i])));
            ASSERT_NEAR(y[i], want, bound) << test.name << " of " << x[i];
        }
    }
}

TEST_P(FunctionSweep, HandlesSpecialValues) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Case& test : kCases) {
        const std::vector<float> y = run(test.args, {nan, kInfinity});
        ASSERT_TRUE(std::isnan(y[0])) << test.name;
        ASSERT_EQ(y[1], static_cast<float>(test.exact(static_cast<double>(kInfinity)))) << test.name;
    }
    EXPECT_EQ(run({FloatFunction::kExp, 0.0F}, {-kInfinity})[0], 0.0F);
    EXPECT_EQ(run({FloatFunction::kSigmoid}, {-kInfinity})[0], 0.0F);
    EXPECT_EQ(run({FloatFunction::kTanh}, {-kInfinity})[0], -1.0F);
    EXPECT_NEAR(run({FloatFunction::kSwish}, {-kInfinity})[0], 0.0F, 1e-36F);
    EXPECT_EQ(run({FloatFunction::kGelu}, {-kInfinity})[0], 0.0F);
    EXPECT_EQ(run({FloatFunction::kRoot34}, {0.0F})[0], kInfinity);
    EXPECT_TRUE(std::isnan(run({FloatFunction::kRoot34}, {-1.0F})[0]));
}

TEST_P(FunctionSweep, HasTheBitsOfTheScalarLevelForEveryLengthAndInPlace) {
    const FunctionKernel* scalar = find_function_kernel(Isa::kScalar);
    std::mt19937 rng(5);
    std::uniform_real_distribution<float> value(-8.0F, 8.0F);
    for (const Case& test : kCases) {
        for (const int64_t count : {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100}) {
            const auto n = static_cast<size_t>(count);
            GuardedBuffer in(n * sizeof(float));
            GuardedBuffer out(n * sizeof(float));
            std::vector<float> want(n + 1);  // not null where n is 0
            for (size_t i = 0; i < n; ++i) {
                const float x = value(rng);
                in.data<float>()[i] = test.lowest > 0.0F ? std::fabs(x) + 0.01F : x;
            }
            scalar->apply(test.args, in.data<float>(), count, want.data());
            kernel_->apply(test.args, in.data<float>(), count, out.data<float>());
            kernel_->apply(test.args, in.data<float>(), count, in.data<float>());
            ASSERT_EQ(std::memcmp(out.data<float>(), want.data(), n * sizeof(float)), 0) << test.name << " of " << n;
            ASSERT_EQ(std::memcmp(in.data<float>(), want.data(), n * sizeof(float)), 0) << test.name << " in place";
        }
    }
}

TEST_P(FunctionSweep, HasTheBitsOfTheScalarLevelWhereFunctionsBendAndBeyond) {
    const FunctionKernel* scalar = find_function_kernel(Isa::kScalar);
    std::vector<float> x = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::denorm_min()};
    for (const float around : {0.0F, 1e-38F, 0.7F, 20.0F, 86.0F, 86.6F, 88.0F, 88.7228F, 100.0F, 1e30F, kInfinity}) {
        for (const float sign : {1.0F, -1.0F}) {
            x.insert(x.end(), {sign * around, sign * std::nextafter(around, kInfinity),
                               sign * std::nextafter(around, -kInfinity)});
        }
    }
    for (const Case& test : kCases) {
        std::vector<float> want(x.size());
        scalar->apply(test.args, x.data(), static_cast<int64_t>(x.size()), want.data());
        const std::vector<float> got = run(test.args, x);
        for (size_t i = 0; i < x.size(); ++i) {
            if (std::isnan(want[i])) {
                ASSERT_TRUE(std::isnan(got[i])) << test.name << " of " << x[i];
            } else {
                ASSERT_EQ(std::memcmp(&got[i], &want[i], sizeof(float)), 0)
                    << test.name << " of " << x[i] << ": " << got[i] << ", expected " << want[i];
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, FunctionSweep,
                         testing::ValuesIn(function_kernels().begin(), function_kernels().end()),
                         kernel_test_name<FunctionKernel>);

}  // namespace fw::test
