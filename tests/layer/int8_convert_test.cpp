// Eltwise sum, Quantize, Dequantize, Requantize and the layers that pass bytes on: bit for bit by the contract.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

std::vector<int8_t> random_levels(size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> level(-128, 127);
    std::vector<int8_t> values(count);
    for (int8_t& v : values) {
        v = static_cast<int8_t>(level(random));
    }
    return values;
}

// The contract's text, in 64-bit integers; shift searched upwards.
std::vector<int8_t> reference_sum(const std::vector<std::vector<int8_t>>& inputs,
                                  const std::vector<QuantParams>& quants, const std::vector<float>& coefficients,
                                  const QuantParams& out) {
    const auto multipliers = [&](int shift) {
        std::vector<int64_t> k;
        for (size_t i = 0; i < quants.size(); ++i) {
            const double c = coefficients.empty() ? 1.0 : static_cast<double>(coefficients[i]);
            const double ratio = c * static_cast<double>(out.scale) / static_cast<double>(quants[i].scale);
            k.push_back(
                static_cast<int64_t>(std::clamp(std::nearbyint(ratio * std::pow(2.0, shift)), -0x1p40, 0x1p40)));
        }
        return k;
    };
    int best = 0;
    for (int shift = 1; shift <= 30; ++shift) {
        int64_t total = 0;
        bool fits = true;
        for (const int64_t k : multipliers(shift)) {
            const int64_t magnitude = k < 0 ? -k : k;
            fits = fits && magnitude <= (1 << 20);
            total += magnitude;
        }
        best = fits && total * 255 < (int64_t{1} << 30) ? shift : best;
    }
    const std::vector<int64_t> k = multipliers(best);
    std::vector<int8_t> result;
    for (size_t j = 0; j < inputs[0].size(); ++j) {
        int64_t sum = int64_t{1} << (best - 1);
        for (size_t i = 0; i < inputs.size(); ++i) {
            sum += (inputs[i][j] - quants[i].zero_point) * k[i];
        }
        int64_t q = sum / (int64_t{1} << best);
        if (q * (int64_t{1} << best) > sum) {
            --q;  // towards minus infinity
        }
        q += out.zero_point;
        const int lo = out.zero_point == 0 ? -127 : -128;
        result.push_back(static_cast<int8_t>(q < lo ? lo : (q > 127 ? 127 : q)));
    }
    return result;
}

TEST(Int8Eltwise, SumMatchesTheContract) {
    const Shape shape(7, 5, 9);
    const auto count = static_cast<size_t>(shape.count());
    const QuantParams quants[] = {{20.0F, 0}, {33.3F, -128}, {7.7F, 12}, {90.0F, 0}, {15.0F, 127}};
    const QuantParams outs[] = {{18.0F, 0}, {25.0F, -128}, {11.0F, 40}};
    for (size_t n = 2; n <= 5; ++n) {
        for (const QuantParams& out : outs) {
            for (const bool weighted : {false, true}) {
                std::vector<std::vector<int8_t>> values;
                std::vector<QuantParams> in(quants, quants + n);
                std::vector<float> coefficients;
                for (size_t i = 0; i < n; ++i) {
                    values.push_back(random_levels(count, static_cast<unsigned>(i + 10 * n)));
                    if (weighted) {
                        coefficients.push_back(i % 2 == 0 ? 0.75F : -1.3F);
                    }
                }
                ParamDict params;
                params.set(0, 1);
                if (weighted) {
                    params.set(1, coefficients);
                }
                const std::vector<int8_t> want = reference_sum(values, in, coefficients, out);
                for (const Strides strides : kAllStrides) {
                    std::vector<HostTensor> inputs;
                    for (size_t i = 0; i < n; ++i) {
                        // inputs of other strides than the output
                        inputs.push_back(
                            HostTensor::int8(shape, in[i], values[i], i % 2 == 0 ? strides : Strides::kPlain));
                    }
                    RunOptions options;
                    options.strides = strides;
                    options.threads = 2;
                    options.outputs = {TensorDesc{{}, DType::kInt8, out}};
                    auto result = run_layer("Eltwise", params, {}, inputs, 1, options);
                    ASSERT_TRUE(result.ok()) << result.status().message();
                    ASSERT_EQ((*result)[0].values<int8_t>(), want) << n << " inputs, " << test::name(strides);
                    options.in_place = true;
                    result = run_layer("Eltwise", params, {}, inputs, 1, options);
                    ASSERT_TRUE(result.ok()) << result.status().message();
                    ASSERT_EQ((*result)[0].values<int8_t>(), want) << "in place";
                }
            }
        }
    }
}

TEST(Int8Eltwise, RefusesWhatItCannotDo) {
    const auto run = [](int op, float scale) {
        ParamDict params;
        params.set(0, op);
        RunOptions options;
        options.outputs = {TensorDesc{{}, DType::kInt8, {10.0F, 0}}};
        const HostTensor a = HostTensor::int8(Shape(2), {10.0F, 0}, {1, 2});
        const HostTensor b = HostTensor::int8(Shape(2), {scale, 0}, {1, 2});
        return run_layer("Eltwise", params, {}, {a, b}, 1, options).status().code();
    };
    EXPECT_EQ(run(1, 10.0F), Code::kOk);
    EXPECT_EQ(run(1, 1e-6F), Code::kUnsupported);
    EXPECT_EQ(run(3, 10.0F), Code::kInvalidArgument);
}

// The same input twice, in place.
TEST(Eltwise, DuplicateInputsInPlace) {
    ParamDict params;
    params.set(0, 1);
    auto layer = test::load_layer("Eltwise", params);
    ASSERT_TRUE(layer.ok());
    HostTensor x = HostTensor::floats(Shape(5), {1, 2, 3, 4, 5});
    const Tensor in[] = {x.tensor(), x.tensor(), x.tensor()};
    const TensorDesc desc[] = {x.tensor().desc(), x.tensor().desc(), x.tensor().desc()};
    ASSERT_TRUE((*layer)->prepare({desc, Span<const TensorDesc>(desc, 1), {}}).ok());
    Tensor out[] = {x.tensor()};
    ASSERT_TRUE((*layer)->forward(in, out, {}).ok());
    EXPECT_EQ(x.values(), (std::vector<float>{3, 6, 9, 12, 15}));
}

TEST(Int8Quantize, MatchesTheContract) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-8, 8);
    const Shape shapes[] = {Shape(600), Shape(11, 60), Shape(3, 17, 40), Shape(33, 5, 6), Shape(2, 3, 4, 5)};
    for (const Shape& shape : shapes) {
        for (const QuantParams q : {QuantParams{20.5F, 0}, {31.0F, -128}, {16.0F, 7}}) {
            std::vector<float> x(static_cast<size_t>(shape.count()));
            std::vector<int8_t> want;
            for (float& v : x) {
                v = uniform(random);
                const volatile float scaled = v * q.scale;
                const double level = std::nearbyint(static_cast<double>(scaled)) + q.zero_point;
                want.push_back(
                    static_cast<int8_t>(std::min(std::max(level, q.zero_point == 0 ? -127.0 : -128.0), 127.0)));
            }
            for (const Strides from : kAllStrides) {
                for (const Strides to : kAllStrides) {
                    RunOptions options;
                    options.strides = to;
                    options.threads = 2;
                    options.outputs = {TensorDesc{{}, DType::kInt8, q}};
                    auto result = run_layer("Quantize", {}, {}, {HostTensor::floats(shape, x, from)}, 1, options);
                    ASSERT_TRUE(result.ok()) << result.status().message();
                    ASSERT_EQ((*result)[0].values<int8_t>(), want) << test::name(from) << " to " << test::name(to);

                    options.outputs.clear();
                    auto back = run_layer("Dequantize", {}, {}, {HostTensor::int8(shape, q, want, from)}, 1, options);
                    ASSERT_TRUE(back.ok()) << back.status().message();
                    const std::vector<float> reals = (*back)[0].values();
                    for (size_t i = 0; i < want.size(); ++i) {
                        ASSERT_EQ(reals[i], static_cast<float>(want[i] - q.zero_point) *
                                                static_cast<float>(1.0 / static_cast<double>(q.scale)));
                    }
                }
            }
        }
    }
}

// ncnn's Requantize from an accumulator: act(acc * scale_in + bias) * scale_out.
TEST(Int8Requantize, FromInt32) {
    ParamDict params;
    params.set(0, 2);
    params.set(1, 1);
    params.set(2, 2);
    params.set(3, 1);
    const std::vector<Weight> weights = {Weight::from_floats({0.01F, 0.1F}), Weight::from_floats({10.0F}),
                                         Weight::from_floats({0.5F, -1.0F})};
    const HostTensor x = HostTensor::from<int32_t>(TensorDesc{Shape(2, 1, 2), DType::kInt32, {}},
                                                   {100, -1000, 33, 100000}, Strides::kLoose);
    RunOptions options;
    options.outputs = {TensorDesc{{}, DType::kInt8, {10.0F, 0}}};
    auto result = run_layer("Requantize", params, weights, {x}, 1, options);
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].values<int8_t>(), (std::vector<int8_t>{15, 0, 23, 127}));
}

TEST(Int8Passthrough, KeepsBytes) {
    const std::vector<int8_t> values = random_levels(2 * 3 * 4, 3);
    const QuantParams q{12.0F, -7};
    for (const char* type : {"Split", "Noop", "DeepCopy", "Dropout"}) {
        for (const bool view : {false, true}) {
            for (const Strides strides : kAllStrides) {
                RunOptions options;
                options.strides = strides;
                options.use_view = view;
                options.outputs.assign(2, TensorDesc{{}, DType::kInt8, q});
                const size_t outputs = std::string(type) == "Split" ? 2 : 1;
                auto result = run_layer(type, {}, {}, {HostTensor::int8(Shape(2, 3, 4), q, values, Strides::kLoose)},
                                        outputs, options);
                ASSERT_TRUE(result.ok()) << type << ": " << result.status().message();
                for (const HostTensor& out : *result) {
                    EXPECT_EQ(out.values<int8_t>(), values) << type;
                }
            }
        }
    }
}

TEST(Cast, RoundsToTheType) {
    const auto cast = [](int to, const std::vector<float>& x) {
        ParamDict params;
        params.set(0, 1);
        params.set(1, to);
        auto result = test::run_layer("Cast", params, {}, {HostTensor::floats(Shape(static_cast<int>(x.size())), x)});
        return result.ok() ? (*result)[0].values() : std::vector<float>{};
    };
    EXPECT_EQ(cast(1, {1.1F, -3e38F}), (std::vector<float>{1.1F, -3e38F}));
    EXPECT_EQ(cast(2, {1.0F + 0x1p-11F, 1.0F + 3 * 0x1p-11F, 65504.0F, 0x1p-25F}),
              (std::vector<float>{1.0F, 1.0F + 0x1p-9F, 65504.0F, 0.0F}));
    EXPECT_EQ(cast(4, {1.0F + 0x1p-8F, 1.0F + 3 * 0x1p-8F, -2.5F}), (std::vector<float>{1.0F, 1.0F + 0x1p-6F, -2.5F}));
    EXPECT_EQ(cast(3, {0.5F, 1.5F, -300.0F}), (std::vector<float>{0.0F, 2.0F, -127.0F}));
}

}  // namespace
}  // namespace fw
