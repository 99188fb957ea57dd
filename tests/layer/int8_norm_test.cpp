// int8 of the normalisation layers against docs/int8-contract.md, written here once more in the plainest form.
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

double wide(float x) {
    return static_cast<double>(x);
}

// A multiplier of either sign as a float, finite and normal.
float bounded(double m) {
    if (!(std::fabs(m) >= wide(FLT_MIN))) {
        return 0.0F;
    }
    return static_cast<float>(std::min(std::max(m, -wide(FLT_MAX)), wide(FLT_MAX)));
}

std::vector<int8_t> random_bytes(int64_t count, const QuantParams& q, unsigned seed) {
    std::mt19937 rng(seed);
    std::uniform_int_distribution<int> any(q.zero_point == 0 ? -127 : -128, 127);
    std::vector<int8_t> values(static_cast<size_t>(count));
    for (int8_t& v : values) {
        v = static_cast<int8_t>(any(rng));
    }
    return values;
}

std::vector<float> random_floats(int count, unsigned seed) {
    std::mt19937 rng(seed);
    std::uniform_real_distribution<float> any(-1.5F, 1.5F);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& v : values) {
        v = any(rng);
    }
    return values;
}

struct Rule {
    bool centred = true;
    bool scaled = true;
    bool eps_outside = false;
    double eps = 0.0;
};

// Elements of one part share part_of(row-major index); parameter_of() is their index into gamma and beta.
template <class PartOf, class ParameterOf>
std::vector<int8_t> reference(const std::vector<int8_t>& q, const QuantParams& in, const QuantParams& out,
                              const Rule& rule, const std::vector<float>& gamma, const std::vector<float>& beta,
                              PartOf&& part_of, ParameterOf&& parameter_of) {
    std::vector<int8_t> result(q.size());
    for (size_t i = 0; i < q.size(); ++i) {
        int64_t n = 0;
        int64_t sum = 0;
        int64_t square_sum = 0;
        for (size_t k = 0; k < q.size(); ++k) {
            if (part_of(k) == part_of(i)) {
                const int64_t d = q[k] - in.zero_point;
                ++n;
                sum += d;
                square_sum += d * d;
            }
        }
        const double mean = rule.centred ? static_cast<double>(sum) / static_cast<double>(n) : 0.0;
        const double square = static_cast<double>(square_sum) / static_cast<double>(n) - mean * mean;
        const double v = std::max(square, 0.0) / wide(in.scale) / wide(in.scale);
        double d = rule.eps_outside ? std::sqrt(v) + rule.eps : std::sqrt(v + rule.eps);
        d = rule.scaled ? d : 1.0;
        const double f = d > 0.0 ? wide(out.scale) / wide(in.scale) / d : 0.0;
        const double g = gamma.empty() ? f : wide(gamma[parameter_of(i)]) * f;
        const double shift = beta.empty() ? 0.0 : wide(beta[parameter_of(i)]) * wide(out.scale);
        const float product = static_cast<float>(q[i] - in.zero_point) * bounded(g);
        const double y = std::nearbyint(wide(product + bounded(shift - g * mean))) + out.zero_point;
        const double lowest = out.zero_point == 0 ? -127 : -128;
        result[i] = static_cast<int8_t>(std::min(std::max(y, lowest), 127.0));
    }
    return result;
}

void expect_exact(const std::string& type, const ParamDict& params, const std::vector<std::vector<float>>& weights,
                  const Shape& shape, const QuantParams& in, const QuantParams& out, const std::vector<int8_t>& levels,
                  const std::vector<int8_t>& want) {
    std::vector<Weight> blobs;
    for (const std::vector<float>& w : weights) {
        blobs.push_back(Weight::from_floats(w));
    }
    for (const Strides strides : kAllStrides) {
        for (const bool in_place : {false, true}) {
            RunOptions options;
            options.strides = strides;
            options.threads = in_place ? 3 : 1;
            options.in_place = in_place;
            options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
            auto result =
                test::run_layer(type, params, blobs, {HostTensor::int8(shape, in, levels, strides)}, 1, options);
            ASSERT_TRUE(result.ok()) << result.status().message();
            ASSERT_EQ((*result)[0].values<int8_t>(), want)
                << type << " " << shape.str() << " " << test::name(strides) << " " << in.scale << " " << out.scale;
        }
    }
}

struct Quants {
    QuantParams in, out;
};
const Quants kQuants[] = {
    {{20.0F, 0}, {40.0F, 0}},       {{21.7F, -128}, {33.1F, 11}}, {{17.3F, 5}, {300.0F, -77}},  // saturates
    {{1e-30F, 100}, {1e30F, -128}},  // constants beyond float
    {{1e30F, -3}, {1e-30F, 0}},      // constants below it
};
const Shape kShapes[] = {Shape(1, 1, 1), Shape(3, 5, 7), Shape(66, 2, 3), Shape(130, 1, 1), Shape(6, 9), Shape(12)};

size_t pixels_of(const Shape& shape) {
    return static_cast<size_t>(shape.count() / shape[0]);
}

TEST(Int8InstanceNorm, IsExact) {
    for (const Shape& shape : kShapes) {
        for (const Quants& q : kQuants) {
            for (const bool affine : {false, true}) {
                ParamDict params;
                params.set(0, shape[0]);
                params.set(1, 0.002F);
                params.set(2, affine ? 1 : 0);
                const std::vector<float> gamma = affine ? random_floats(shape[0], 1) : std::vector<float>();
                const std::vector<float> beta = affine ? random_floats(shape[0], 2) : std::vector<float>();
                const std::vector<int8_t> levels = random_bytes(shape.count(), q.in, 3);
                Rule rule;
                rule.eps = wide(0.002F);
                const auto channel = [&](size_t i) { return i / pixels_of(shape); };
                const std::vector<int8_t> want = reference(levels, q.in, q.out, rule, gamma, beta, channel, channel);
                expect_exact("InstanceNorm", params,
                             affine ? std::vector{gamma, beta} : std::vector<std::vector<float>>(), shape, q.in, q.out,
                             levels, want);
            }
        }
    }
}

TEST(Int8GroupNorm, IsExact) {
    const std::pair<Shape, int> cases[] = {
        {Shape(6, 5, 7), 3}, {Shape(6, 5, 7), 1}, {Shape(132, 2, 3), 2}, {Shape(4, 3), 2}, {Shape(8), 4}};
    for (const auto& [shape, groups] : cases) {
        for (const Quants& q : kQuants) {
            ParamDict params;
            params.set(0, groups);
            params.set(1, shape[0]);
            params.set(2, 1e-5F);
            const std::vector<float> gamma = random_floats(shape[0], 1);
            const std::vector<float> beta = random_floats(shape[0], 2);
            const std::vector<int8_t> levels = random_bytes(shape.count(), q.in, 3);
            Rule rule;
            rule.eps = wide(1e-5F);
            const size_t pixels = pixels_of(shape);
            const size_t size = static_cast<size_t>(shape[0] / groups);
            const std::vector<int8_t> want = reference(
                levels, q.in, q.out, rule, gamma, beta, [&](size_t i) { return i / pixels / size; },
                [&](size_t i) { return i / pixels; });
            expect_exact("GroupNorm", params, {gamma, beta}, shape, q.in, q.out, levels, want);
        }
    }
}

TEST(Int8Mvn, IsExact) {
    for (const Shape& shape : kShapes) {
        for (const Quants& q : kQuants) {
            for (const int mode : {0, 1, 2, 3}) {
                ParamDict params;
                params.set(0, mode & 1);
                params.set(1, mode >> 1);
                params.set(2, 0.01F);
                Rule rule;
                rule.scaled = (mode & 1) != 0;
                rule.eps_outside = true;
                rule.eps = wide(0.01F);
                const std::vector<int8_t> levels = random_bytes(shape.count(), q.in, 3);
                const auto part = [&](size_t i) { return (mode >> 1) != 0 ? 0 : i / pixels_of(shape); };
                const std::vector<int8_t> want = reference(levels, q.in, q.out, rule, {}, {}, part, part);
                expect_exact("MVN", params, {}, shape, q.in, q.out, levels, want);
            }
        }
    }
}

TEST(Int8LayerNorm, AndRmsNormAreExact) {
    struct Case {
        Shape shape;
        int size;
    };
    const Case cases[] = {{Shape(5, 7), 7},     {Shape(3, 4, 5), 5}, {Shape(3, 4, 5), 20},
                          {Shape(3, 4, 5), 60}, {Shape(300), 300},   {Shape(2, 600), 600},
                          {Shape(4, 1), 1},     {Shape(5, 64), 64},  {Shape(9, 33), 33}};
    for (const Case& c : cases) {
        for (const Quants& q : kQuants) {
            for (const bool centred : {true, false}) {
                for (const bool affine : {true, false}) {
                    ParamDict params;
                    params.set(0, c.size);
                    params.set(1, 0.001F);
                    params.set(2, affine ? 1 : 0);
                    const std::vector<float> gamma = affine ? random_floats(c.size, 1) : std::vector<float>();
                    const std::vector<float> beta = affine && centred ? random_floats(c.size, 2) : std::vector<float>();
                    std::vector<std::vector<float>> weights;
                    for (const std::vector<float>& w : {gamma, beta}) {
                        if (!w.empty()) {
                            weights.push_back(w);
                        }
                    }
                    Rule rule;
                    rule.centred = centred;
                    rule.eps = wide(0.001F);
                    const std::vector<int8_t> levels = random_bytes(c.shape.count(), q.in, 3);
                    const auto size = static_cast<size_t>(c.size);
                    const std::vector<int8_t> want = reference(
                        levels, q.in, q.out, rule, gamma, beta, [&](size_t i) { return i / size; },
                        [&](size_t i) { return i % size; });
                    expect_exact(centred ? "LayerNorm" : "RMSNorm", params, weights, c.shape, q.in, q.out, levels,
                                 want);
                }
            }
        }
    }
}

// Constant inputs without eps: the deviation is 0, what remains is beta.
TEST(Int8InstanceNorm, OfAConstantIsBeta) {
    const QuantParams out{40.0F, 3};
    ParamDict params;
    params.set(0, 2);
    params.set(1, 0.0F);
    const std::vector<int8_t> levels = {9, 9, 9, -77, -77, -77};
    expect_exact("InstanceNorm", params, {{1.5F, -2.0F}, {0.5F, -1.0F}}, Shape(2, 1, 3), {20.0F, -5}, out, levels,
                 {23, 23, 23, -37, -37, -37});
}

// More elements than an int32 can hold the squares of.
TEST(Int8InstanceNorm, LargeMapsDoNotOverflow) {
    const QuantParams in{20.0F, -128};
    const QuantParams out{40.0F, 0};
    for (const Shape& shape : {Shape(1, 300, 300), Shape(64, 200, 200)}) {
        const auto pixels = pixels_of(shape);
        std::vector<int8_t> levels(static_cast<size_t>(shape.count()), 127);
        for (size_t i = 0; i < levels.size(); i += pixels) {
            levels[i] = -128;
        }
        ParamDict params;
        params.set(0, shape[0]);
        params.set(1, 0.0F);
        params.set(2, 0);
        const auto n = static_cast<double>(pixels);
        const double mean = 255.0 * (n - 1) / n;
        const double deviation = std::sqrt(255.0 * 255.0 * (n - 1) / n - mean * mean);
        std::vector<int8_t> want(levels.size());
        for (size_t i = 0; i < levels.size(); ++i) {
            const double y = std::nearbyint((levels[i] + 128 - mean) / deviation * 40.0);
            want[i] = static_cast<int8_t>(std::max(y, -127.0));
        }
        RunOptions options;
        options.threads = 2;
        options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
        auto result = test::run_layer("InstanceNorm", params, {}, {HostTensor::int8(shape, in, levels)}, 1, options);
        ASSERT_TRUE(result.ok()) << result.status().message();
        EXPECT_EQ((*result)[0].values<int8_t>(), want) << shape.str();
        ParamDict across;
        across.set(0, 1);
        across.set(1, 1);
        auto all = test::run_layer("MVN", across, {}, {HostTensor::int8(shape, in, levels)}, 1, options);
        ASSERT_TRUE(all.ok()) << all.status().message();
        EXPECT_EQ(int{(*all)[0].values<int8_t>()[0]}, -127);
    }
}

TEST(Int8Normalisation, RefusesWhatItCannotDo) {
    const HostTensor x = HostTensor::int8(Shape(2, 1, 3), {20.0F, 0}, std::vector<int8_t>(6, 1));
    ParamDict params;
    params.set(0, 2);
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, {30.0F, 0}});
    const std::vector<Weight> infinite = {Weight::from_floats({INFINITY, 1.0F}), Weight::from_floats({0.0F, 0.0F})};
    EXPECT_EQ(test::run_layer("InstanceNorm", params, infinite, {x}, 1, options).status().code(), Code::kUnsupported);
    options.outputs.clear();
    const std::vector<Weight> ones = {Weight::from_floats({1.0F, 1.0F}), Weight::from_floats({0.0F, 0.0F})};
    EXPECT_EQ(test::run_layer("InstanceNorm", params, ones, {x}, 1, options).status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace fw
