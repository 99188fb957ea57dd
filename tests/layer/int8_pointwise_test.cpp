// int8 of point-wise layers: every input level, against the contract's formula in long double with the platform's
// functions.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;
using Real = long double;

struct PointwiseCase {
    const char* name;
    const char* type;
    std::vector<std::pair<int, ParamDict::Value>> params;
    std::function<Real(Real)> fn;
};

void PrintTo(const PointwiseCase& c, std::ostream* os) {  // NOLINT(readability-identifier-naming)
    *os << c.name;
}

Real real(float x) {
    return static_cast<Real>(x);
}
Real clip(Real x, Real lo, Real hi) {
    return std::min(std::max(x, lo), hi);
}
Real softplus(Real x) {
    return std::log(1.0L + std::exp(x));
}

std::vector<PointwiseCase> all_cases() {
    return {
        {"ReLU", "ReLU", {}, [](Real x) { return std::max(x, 0.0L); }},
        {"ReLU_slope", "ReLU", {{0, 0.1F}}, [](Real x) { return x < 0 ? x * real(0.1F) : x; }},
        {"Clip", "Clip", {{0, -1.5F}, {1, 2.25F}}, [](Real x) { return clip(x, -1.5L, 2.25L); }},
        {"Clip6", "Clip", {{0, 0.0F}, {1, 6.0F}}, [](Real x) { return clip(x, 0, 6); }},
        {"Sigmoid", "Sigmoid", {}, [](Real x) { return 1 / (1 + std::exp(-x)); }},
        {"TanH", "TanH", {}, [](Real x) { return std::tanh(x); }},
        {"Swish", "Swish", {}, [](Real x) { return x / (1 + std::exp(-x)); }},
        {"Mish", "Mish", {}, [](Real x) { return x * std::tanh(softplus(x)); }},
        {"Softplus", "Softplus", {}, softplus},
        {"BNLL", "BNLL", {}, softplus},
        {"HardSigmoid", "HardSigmoid", {}, [](Real x) { return clip(real(0.2F) * x + 0.5L, 0, 1); }},
        {"HardSwish",
         "HardSwish",
         {{0, 1.0F / 6}, {1, 0.5F}},
         [](Real x) { return x * clip(real(1.0F / 6) * x + 0.5L, 0, 1); }},
        {"GELU", "GELU", {}, [](Real x) { return x * std::erfc(-x / std::sqrt(2.0L)) / 2; }},
        {"GELU_fast",
         "GELU",
         {{0, 1}},
         [](Real x) {
             return x / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846264L) * (x + 0.044715L * x * x * x)));
         }},
        {"ELU", "ELU", {}, [](Real x) { return x < 0 ? real(0.1F) * std::expm1(x) : x; }},
        {"CELU",
         "CELU",
         {{0, 0.5F}},
         [](Real x) { return std::max(x, 0.0L) + std::min(0.0L, 0.5L * std::expm1(x / 0.5L)); }},
        {"SELU",
         "SELU",
         {},
         [](Real x) { return real(1.050700987F) * (x < 0 ? real(1.67326324F) * std::expm1(x) : x); }},
        {"AbsVal", "AbsVal", {}, [](Real x) { return std::fabs(x); }},
        {"Erf", "Erf", {}, [](Real x) { return std::erf(x); }},
        {"Exp", "Exp", {{0, 2.0F}, {1, 0.5F}, {2, 0.25F}}, [](Real x) { return std::pow(2.0L, 0.25L + 0.5L * x); }},
        {"Log", "Log", {{1, 1.0F}, {2, 20.0F}}, [](Real x) { return std::log(20 + x); }},
        {"Power", "Power", {{0, 2.0F}, {1, 0.5F}, {2, 1.0F}}, [](Real x) { return (1 + 0.5L * x) * (1 + 0.5L * x); }},
        {"Threshold", "Threshold", {{0, 0.5F}}, [](Real x) { return x > 0.5L ? 1.0L : 0.0L; }},
        {"Shrink",
         "Shrink",
         {{0, 0.25F}, {1, 0.5F}},
         [](Real x) { return x < -0.5L ? x + 0.25L : (x > 0.5L ? x - 0.25L : 0); }},
        {"Dropout_scale", "Dropout", {{0, 0.5F}}, [](Real x) { return x * 0.5L; }},
        {"UnaryOp_square", "UnaryOp", {{0, 4}}, [](Real x) { return x * x; }},
        {"UnaryOp_sqrt", "UnaryOp", {{0, 5}}, [](Real x) { return std::sqrt(x); }},
        {"UnaryOp_sin", "UnaryOp", {{0, 9}}, [](Real x) { return std::sin(x); }},
        {"UnaryOp_reciprocal", "UnaryOp", {{0, 15}}, [](Real x) { return 1 / x; }},
        {"BinaryOp_add", "BinaryOp", {{0, 0}, {1, 1}, {2, 1.25F}}, [](Real x) { return x + 1.25L; }},
        {"BinaryOp_mul", "BinaryOp", {{0, 2}, {1, 1}, {2, -0.3F}}, [](Real x) { return x * real(-0.3F); }},
        {"BinaryOp_div", "BinaryOp", {{0, 3}, {1, 1}, {2, 6.0F}}, [](Real x) { return x / 6; }},
        {"BinaryOp_min", "BinaryOp", {{0, 5}, {1, 1}, {2, 2.0F}}, [](Real x) { return std::min(x, 2.0L); }},
        {"BinaryOp_rsub", "BinaryOp", {{0, 7}, {1, 1}, {2, 1.0F}}, [](Real x) { return 1 - x; }},
        {"BinaryOp_rdiv", "BinaryOp", {{0, 8}, {1, 1}, {2, 1.0F}}, [](Real x) { return 1 / x; }},
        {"BinaryOp_rpow", "BinaryOp", {{0, 9}, {1, 1}, {2, 2.0F}}, [](Real x) { return std::pow(2.0L, x); }},
        {"BinaryOp_atan2", "BinaryOp", {{0, 10}, {1, 1}, {2, 1.0F}}, [](Real x) { return std::atan2(x, 1.0L); }},
        {"Rescale", "Quantize", {}, [](Real x) { return x; }},
        {"Requantize", "Requantize", {}, [](Real x) { return x; }},
    };
}

class Int8Pointwise : public testing::TestWithParam<PointwiseCase> {};

TEST_P(Int8Pointwise, EveryLevel) {
    const PointwiseCase& c = GetParam();
    ParamDict params;
    for (const auto& [id, value] : c.params) {
        params.set(id, value);
    }
    const std::pair<QuantParams, QuantParams> quants[] = {
        {{20.0F, 0}, {20.0F, 0}},       {{20.0F, 0}, {100.0F, 0}},  {{21.7F, -128}, {21.7F, -128}},
        {{21.7F, -128}, {55.5F, -128}}, {{17.3F, 5}, {31.1F, -13}}, {{40.0F, 127}, {13.0F, 0}},
    };
    for (const auto& [in, out] : quants) {
        // All levels in a shape with several channels; -128 too, which no symmetric blob holds but no kernel may choke
        // on.
        std::vector<int8_t> levels;
        for (int q = in.zero_point == 0 ? -127 : -128; q <= 127; ++q) {
            levels.push_back(static_cast<int8_t>(q));
        }
        while (levels.size() < 5 * 4 * 13) {
            levels.push_back(static_cast<int8_t>(levels.size() % 100));
        }
        std::vector<int8_t> want;
        std::vector<bool> near_tie;
        const int lowest = out.zero_point == 0 ? -127 : -128;
        for (const int8_t q : levels) {
            const Real y = c.fn(static_cast<Real>(q - in.zero_point) / real(in.scale)) * real(out.scale);
            if (std::isnan(y)) {
                want.push_back(static_cast<int8_t>(lowest));
                near_tie.push_back(false);
                continue;
            }
            const Real bounded = clip(y, -100000, 100000);
            const Real rounded = std::nearbyint(bounded);
            want.push_back(static_cast<int8_t>(clip(rounded + out.zero_point, lowest, 127)));
            near_tie.push_back(std::fabs(std::fabs(bounded - std::floor(bounded)) - 0.5L) < 1e-9L);
        }
        for (const Strides strides : {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose}) {
            for (const bool in_place : {false, true}) {
                RunOptions options;
                options.strides = strides;
                options.in_place = in_place;
                options.threads = 2;
                options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
                auto result =
                    run_layer(c.type, params, {}, {HostTensor::int8(Shape(5, 4, 13), in, levels, strides)}, 1, options);
                ASSERT_TRUE(result.ok()) << result.status().message();
                const std::vector<int8_t> got = (*result)[0].values<int8_t>();
                for (size_t i = 0; i < want.size(); ++i) {
                    // A real value that is a tie (to 1e-9) may be so only up to the rounding of f.
                    ASSERT_LE(std::abs(got[i] - want[i]), near_tie[i] ? 1 : 0)
                        << "q = " << int{levels[i]} << " scales " << in.scale << " " << out.scale << " "
                        << test::name(strides);
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Int8Pointwise, testing::ValuesIn(all_cases()),
                         [](const auto& param_info) { return param_info.param.name; });

// ReLU and Clip in their input's scale clamp: exact by the bounds' formula, also where a table would round twice.
TEST(Int8Clamp, KeepsTheScale) {
    ParamDict params;
    params.set(0, -0.33F);
    params.set(1, 1.77F);
    const QuantParams q{31.4F, -9};
    std::vector<int8_t> levels;
    for (int v = -128; v <= 127; ++v) {
        levels.push_back(static_cast<int8_t>(v));
    }
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, q});
    auto clip_result = run_layer("Clip", params, {}, {HostTensor::int8(Shape(256), q, levels)}, 1, options);
    ASSERT_TRUE(clip_result.ok()) << clip_result.status().message();
    auto relu_result = run_layer("ReLU", {}, {}, {HostTensor::int8(Shape(256), q, levels)}, 1, options);
    ASSERT_TRUE(relu_result.ok()) << relu_result.status().message();
    const int lo = static_cast<int>(std::nearbyint(static_cast<double>(-0.33F) * static_cast<double>(31.4F))) - 9;
    const int hi = static_cast<int>(std::nearbyint(static_cast<double>(1.77F) * static_cast<double>(31.4F))) - 9;
    for (int v = -128; v <= 127; ++v) {
        const auto i = static_cast<size_t>(v + 128);
        EXPECT_EQ((*clip_result)[0].values<int8_t>()[i], std::min(std::max(v, lo), hi));
        EXPECT_EQ((*relu_result)[0].values<int8_t>()[i], std::max(v, -9));
    }
}

TEST(Int8Prelu, TableAChannel) {
    const std::vector<float> slopes = {0.25F, -0.5F, 1.5F};
    const QuantParams in{25.0F, 3};
    const QuantParams out{40.0F, -128};
    std::vector<int8_t> levels;
    for (int i = 0; i < 3 * 16 * 16; ++i) {
        levels.push_back(static_cast<int8_t>(i % 256 - 128));
    }
    for (const bool shared : {false, true}) {
        ParamDict params;
        params.set(0, shared ? 1 : 3);
        const std::vector<Weight> weights = {Weight::from_floats(shared ? std::vector<float>{0.25F} : slopes)};
        for (const Strides strides : {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose}) {
            RunOptions options;
            options.strides = strides;
            options.in_place = true;
            options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
            auto result = run_layer("PReLU", params, weights, {HostTensor::int8(Shape(3, 16, 16), in, levels, strides)},
                                    1, options);
            ASSERT_TRUE(result.ok()) << result.status().message();
            const std::vector<int8_t> got = (*result)[0].values<int8_t>();
            for (size_t i = 0; i < levels.size(); ++i) {
                const Real x = static_cast<Real>(levels[i] - 3) / 25.0L;
                const Real y = (x < 0 ? x * real(slopes[shared ? 0 : i / 256]) : x) * 40.0L;
                ASSERT_EQ(int{got[i]}, static_cast<int>(clip(std::nearbyint(y) - 128, -128, 127))) << i;
            }
        }
    }
}

TEST(Int8Pointwise, MixedTypesAreRefused) {
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, {10.0F, 0}});
    auto from_float = test::run_layer("Sigmoid", {}, {}, {HostTensor::floats(Shape(2), {1, 2})}, 1, options);
    EXPECT_EQ(from_float.status().code(), Code::kUnsupported);
    auto to_float = test::run_layer("Sigmoid", {}, {}, {HostTensor::int8(Shape(2), {1.0F, 0}, {1, 2})}, 1);
    EXPECT_EQ(to_float.status().code(), Code::kUnsupported);
    auto no_scale = test::run_layer("Sigmoid", {}, {}, {HostTensor::int8(Shape(2), {0.0F, 0}, {1, 2})}, 1, options);
    EXPECT_EQ(no_scale.status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace fw
