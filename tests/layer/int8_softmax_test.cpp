// Softmax from int8 against docs/int8-contract.md, written here once more in the plainest form.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quant/math.h"
#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

std::vector<int8_t> random_bytes(int64_t count, const QuantParams& q, unsigned seed) {
    std::mt19937 rng(seed);
    std::uniform_int_distribution<int> any(q.zero_point == 0 ? -127 : -128, 127);
    std::vector<int8_t> values(static_cast<size_t>(count));
    for (int8_t& v : values) {
        v = static_cast<int8_t>(any(rng));
    }
    return values;
}

double exp_of(int d, const QuantParams& in) {
    return math::exp(-static_cast<double>(d) / static_cast<double>(in.scale));
}

// Of a vector: with out == nullptr the float values, else the levels.
std::vector<float> reference(const std::vector<int8_t>& q, const QuantParams& in, const QuantParams* out) {
    int largest = -128;
    for (const int8_t v : q) {
        largest = std::max<int>(largest, v);
    }
    int64_t sum = 0;
    for (const int8_t v : q) {
        sum += static_cast<int64_t>(std::nearbyint(exp_of(largest - v, in) * 1073741824.0));
    }
    const double s_out = out != nullptr ? static_cast<double>(out->scale) : 1.0;
    const auto factor = static_cast<float>(s_out * 1073741824.0 / static_cast<double>(sum));
    std::vector<float> values;
    for (const int8_t v : q) {
        const double e = exp_of(largest - v, in);
        const float x = (e < std::ldexp(1.0, -64) ? 0.0F : static_cast<float>(e)) * factor;
        const double level = std::nearbyint(static_cast<double>(x));
        values.push_back(out == nullptr
                             ? x
                             : static_cast<float>(std::min(
                                   std::max(level + out->zero_point, out->zero_point == 0 ? -127.0 : -128.0), 127.0)));
    }
    return values;
}

// Row-major indices of the vector along `axis` that begins at each place where that axis is 0.
std::vector<std::vector<int64_t>> vectors_along(const Shape& shape, int axis) {
    int64_t step = 1;
    for (int i = axis + 1; i < shape.rank; ++i) {
        step *= shape[i];
    }
    std::vector<std::vector<int64_t>> all;
    for (int64_t i = 0; i < shape.count(); ++i) {
        if (i / step % shape[axis] == 0) {
            all.emplace_back();
            for (int k = 0; k < shape[axis]; ++k) {
                all.back().push_back(i + k * step);
            }
        }
    }
    return all;
}

TEST(Int8Softmax, IsExactAlongEveryAxis) {
    const Shape shapes[] = {Shape(1), Shape(1000), Shape(5, 17), Shape(21, 5, 7), Shape(33, 3, 1), Shape(2, 3, 4, 5)};
    // Steep, flat, and one whose far levels underflow.
    const QuantParams inputs[] = {{12.0F, 0}, {400.0F, -128}, {1.5F, 60}, {0.05F, 3}};
    const QuantParams outputs[] = {{127.0F, 0}, {255.0F, -128}, {3000.0F, -128}, {40.0F, -3}};
    unsigned seed = 0;
    for (const Shape& shape : shapes) {
        for (int axis = 0; axis < shape.rank; ++axis) {
            for (size_t i = 0; i < 4; ++i) {
                const QuantParams& in = inputs[i];
                const std::vector<int8_t> q = random_bytes(shape.count(), in, ++seed);
                ParamDict params;
                params.set(0, axis);
                params.set(1, 1);
                const auto strides = static_cast<Strides>(seed % 4);
                for (const bool to_int8 : {false, true}) {
                    SCOPED_TRACE(shape.str() + " axis " + std::to_string(axis) + " quant " + std::to_string(i));
                    RunOptions options;
                    options.strides = strides;
                    options.threads = 1 + static_cast<int>(seed % 3);
                    options.in_place = seed % 2 == 0;
                    if (to_int8) {
                        options.outputs = {TensorDesc{{}, DType::kInt8, outputs[i]}};
                    }
                    auto got =
                        test::run_layer("Softmax", params, {}, {HostTensor::int8(shape, in, q, strides)}, 1, options);
                    ASSERT_TRUE(got.ok()) << got.status().message();
                    std::vector<float> values;
                    if (to_int8) {
                        const std::vector<int8_t> levels = (*got)[0].values<int8_t>();
                        values.assign(levels.begin(), levels.end());
                    } else {
                        values = (*got)[0].values();
                    }
                    for (const auto& places : vectors_along(shape, axis)) {
                        std::vector<int8_t> part;
                        for (const int64_t place : places) {
                            part.push_back(q[static_cast<size_t>(place)]);
                        }
                        const std::vector<float> want = reference(part, in, to_int8 ? &outputs[i] : nullptr);
                        for (size_t k = 0; k < places.size(); ++k) {
                            ASSERT_EQ(values[static_cast<size_t>(places[k])], want[k]) << places[k];
                        }
                    }
                }
            }
        }
    }
}

TEST(Int8Softmax, IsTheSoftmaxOfWhatTheLevelsStandFor) {
    const QuantParams in{9.0F, -20};
    const std::vector<int8_t> q = random_bytes(300, in, 7);
    auto got = test::run_layer("Softmax", {}, {}, {HostTensor::int8(Shape(300), in, q)});
    ASSERT_TRUE(got.ok()) << got.status().message();
    double sum = 0.0;
    for (const int8_t v : q) {
        sum += std::exp((v - in.zero_point) / 9.0);
    }
    const std::vector<float> values = (*got)[0].values();
    for (size_t i = 0; i < q.size(); ++i) {
        const double want = std::exp((q[i] - in.zero_point) / 9.0) / sum;
        EXPECT_NEAR(static_cast<double>(values[i]), want, 4e-7 * want) << i;
    }
}

TEST(Int8Softmax, RefusesWhatItCannotDo) {
    auto layer = test::load_layer("Softmax", {});
    ASSERT_TRUE(layer.ok());
    const TensorDesc known{Shape(4), DType::kInt8, {2.0F, 0}};
    const TensorDesc unknown{Shape(4), DType::kInt8, {}};
    const TensorDesc real{Shape(4), DType::kFloat32, {}};
    const std::pair<TensorDesc, TensorDesc> bad[] = {{unknown, real}, {known, unknown}, {real, known}};
    for (const auto& [in, out] : bad) {
        EXPECT_EQ((*layer)->prepare(PrepareContext{{&in, 1}, {&out, 1}, {}}).code(), Code::kUnsupported);
    }
}

}  // namespace
}  // namespace fw
