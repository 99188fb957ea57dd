// int8 of Scale, Bias, BatchNorm, Reduction and MemoryData against docs/int8-contract.md, written
// here once more in the plainest form.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

int clamped(double q, const QuantParams& out) {
    const double lowest = out.zero_point == 0 ? -127 : -128;
    return static_cast<int>(std::min(std::max(q, lowest), 127.0));
}
int requantized(float x, const QuantParams& out) {
    return clamped(std::nearbyint(static_cast<double>(x)) + out.zero_point, out);
}
double wide(float x) {
    return static_cast<double>(x);
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

TEST(Int8ChannelAffine, ScaleBiasAndBatchNorm) {
    const QuantParams in{17.3F, 5};
    const QuantParams out{31.1F, -40};
    const Shape shape(37, 3, 5);
    std::vector<float> scale;
    std::vector<float> shift;
    for (int c = 0; c < shape[0]; ++c) {
        scale.push_back(c % 9 == 0 ? 0.0F : 0.11F * static_cast<float>(c - 14));
        shift.push_back(0.3F * static_cast<float>(c % 7) - 1.0F);
    }
    const std::vector<float> ones(scale.size(), 1.0F);
    const std::vector<float> zeros(scale.size(), 0.0F);
    const int channels = shape[0];
    struct Case {
        const char* type;
        std::vector<std::pair<int, int>> params;
        std::vector<std::vector<float>> weights;
        std::vector<float> a, b;
    };
    const Case cases[] = {{"Scale", {{0, channels}, {1, 1}}, {scale, shift}, scale, shift},
                          {"Scale", {{0, channels}}, {scale}, scale, zeros},
                          {"Bias", {{0, channels}}, {shift}, ones, shift},
                          {"BatchNorm", {{0, channels}}, {scale, zeros, ones, shift}, scale, shift}};
    const std::vector<int8_t> levels = random_bytes(shape.count(), in, 5);
    for (const Case& c : cases) {
        SCOPED_TRACE(c.type);
        ParamDict params;
        for (const auto& [id, value] : c.params) {
            params.set(id, value);
        }
        std::vector<Weight> weights;
        for (const std::vector<float>& values : c.weights) {
            weights.push_back(Weight::from_floats(values));
        }
        for (const Strides strides : kAllStrides) {
            RunOptions options;
            options.strides = strides;
            options.in_place = true;
            options.threads = 2;
            options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
            auto result =
                test::run_layer(c.type, params, weights, {HostTensor::int8(shape, in, levels, strides)}, 1, options);
            ASSERT_TRUE(result.ok()) << result.status().message();
            const std::vector<int8_t> got = (*result)[0].values<int8_t>();
            for (size_t i = 0; i < got.size(); ++i) {
                const size_t channel = i / static_cast<size_t>(shape[1] * shape[2]);
                const auto a = static_cast<float>(wide(c.a[channel]) * wide(out.scale) / wide(in.scale));
                const auto b = static_cast<float>(wide(c.b[channel]) * wide(out.scale));
                const float product = static_cast<float>(levels[i] - in.zero_point) * a;
                ASSERT_EQ(int{got[i]}, requantized(product + b, out)) << "element " << i << " " << test::name(strides);
            }
        }
    }
}

TEST(Int8Reduction, SumAndMean) {
    const QuantParams in{17.3F, 5};
    const Shape shape(37, 3, 5);
    const std::vector<int8_t> levels = random_bytes(shape.count(), in, 6);
    for (const bool mean : {false, true}) {
        const QuantParams out{mean ? 55.0F : 2.5F, -13};
        for (const Strides strides : kAllStrides) {
            ParamDict params;
            params.set(0, mean ? 3 : 0);
            params.set(1, 0);
            params.set(2, 0.5F);
            params.set(3, std::vector<int>{1, 2});
            params.set(4, 1);
            params.set(5, 1);
            RunOptions options;
            options.strides = strides;
            options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
            auto result =
                test::run_layer("Reduction", params, {}, {HostTensor::int8(shape, in, levels, strides)}, 1, options);
            ASSERT_TRUE(result.ok()) << result.status().message();
            const std::vector<int8_t> got = (*result)[0].values<int8_t>();
            ASSERT_EQ(got.size(), 37U);
            for (size_t c = 0; c < 37; ++c) {
                int sum = 0;
                for (size_t i = 0; i < 15; ++i) {
                    sum += levels[c * 15 + i] - in.zero_point;
                }
                const auto m = static_cast<float>(wide(out.scale) / (wide(in.scale) * ((mean ? 15.0 : 1.0) / 0.5)));
                ASSERT_EQ(int{got[c]}, requantized(static_cast<float>(sum) * m, out)) << c;
            }
        }
    }
}

TEST(Int8MemoryData, IsQuantizedAtLoad) {
    const QuantParams out{10.0F, -7};
    ParamDict params;
    params.set(0, 2);
    params.set(1, 1);
    params.set(2, 3);
    const std::vector<float> values = {0.0F, 0.25F, -100.0F, 100.0F, 1.15F, -3.0F};
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
    auto result = test::run_layer("MemoryData", params, {Weight::from_floats(values)}, {}, 1, options);
    ASSERT_TRUE(result.ok()) << result.status().message();
    for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(int{(*result)[0].values<int8_t>()[i]}, requantized(values[i] * 10.0F, out)) << values[i];
    }
}

}  // namespace
}  // namespace fw
