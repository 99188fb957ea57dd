#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

ParamDict sized(int type, int h, int w, bool align) {
    ParamDict dict;
    dict.set(0, type);
    dict.set(3, h);
    dict.set(4, w);
    dict.set(6, align ? 1 : 0);
    return dict;
}

double kernel(int type, double x) {
    x = std::fabs(x);
    if (type == 2) {
        return x < 1 ? 1 - x : 0;
    }
    const double a = -0.75;
    if (x <= 1) {
        return (a + 2) * x * x * x - (a + 3) * x * x + 1;
    }
    return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

double place(int i, int in, int out, bool align) {
    if (align) {
        return out > 1 ? i * (in - 1.0) / (out - 1.0) : 0.0;
    }
    return (i + 0.5) * in / out - 0.5;
}

// Weighs every cell around the sampling place by the kernel; cells beyond the border are those on it.
std::vector<float> reference(const std::vector<float>& x, const Shape& shape, int type, int oh, int ow, bool align) {
    std::vector<float> out;
    for (int c = 0; c < shape.c(); ++c) {
        for (int i = 0; i < oh; ++i) {
            for (int j = 0; j < ow; ++j) {
                const double py = place(i, shape.h(), oh, align);
                const double px = place(j, shape.w(), ow, align);
                double sum = 0;
                for (int y = static_cast<int>(std::floor(py)) - 1; y <= std::floor(py) + 2; ++y) {
                    for (int k = static_cast<int>(std::floor(px)) - 1; k <= std::floor(px) + 2; ++k) {
                        const int cy = std::min(std::max(y, 0), shape.h() - 1);
                        const int ck = std::min(std::max(k, 0), shape.w() - 1);
                        sum += kernel(type, py - y) * kernel(type, px - k) *
                               static_cast<double>(x[static_cast<size_t>((c * shape.h() + cy) * shape.w() + ck)]);
                    }
                }
                out.push_back(static_cast<float>(sum));
            }
        }
    }
    return out;
}

TEST(Interp, LinearAndCubicMatchTheirKernels) {
    std::mt19937 rng(3);
    for (const Shape& shape : {Shape(3, 5, 7), Shape(16, 4, 4), Shape(2, 1, 1), Shape(1, 1, 9), Shape(5, 2, 3)}) {
        std::vector<float> values(static_cast<size_t>(shape.count()));
        for (float& v : values) {
            v = static_cast<float>(rng() % 2001) / 1000.0F - 1.0F;
        }
        for (const int type : {2, 3}) {
            for (const bool align : {false, true}) {
                for (const auto& [h, w] : {std::pair{10, 14}, std::pair{3, 2}, std::pair{1, 1}, std::pair{5, 8}}) {
                    const auto expected = reference(values, shape, type, h, w, align);
                    for (const Strides strides : {Strides::kDense, Strides::kPlain, Strides::kLoose}) {
                        RunOptions options;
                        options.strides = strides;
                        options.threads = 2;
                        const auto result = test::run_layer("Interp", sized(type, h, w, align), {},
                                                            {HostTensor::floats(shape, values, strides)}, 1, options);
                        ASSERT_TRUE(result.ok()) << result.status().message();
                        ASSERT_EQ((*result)[0].tensor().shape, Shape(shape.c(), h, w));
                        const auto got = (*result)[0].values();
                        for (size_t i = 0; i < got.size(); ++i) {
                            ASSERT_NEAR(got[i], expected[i], 1e-5) << type << align << shape.str() << h << w;
                        }
                    }
                }
            }
        }
    }
}

// docs/int8-contract.md: cell and weight of an output index.
struct FixedSample {
    int cell;
    int64_t weight;
};
FixedSample fixed_sample(int i, int in, int out, bool align, float factor) {
    double step = factor > 0 ? 1.0 / static_cast<double>(factor) : static_cast<double>(in) / out;
    if (align) {
        step = out > 1 ? (in - 1.0) / (out - 1.0) : 0.0;
    }
    const auto at = static_cast<float>(align ? i * step : (i + 0.5) * step - 0.5);
    const float cell = std::floor(at);
    return {static_cast<int>(cell), static_cast<int64_t>(std::nearbyint(256.0 * static_cast<double>(at - cell)))};
}

std::vector<int8_t> fixed_reference(const std::vector<int8_t>& q, const Shape& shape, int oh, int ow, bool align,
                                    float factor) {
    std::vector<int8_t> out;
    for (int c = 0; c < shape.c(); ++c) {
        for (int i = 0; i < oh; ++i) {
            for (int j = 0; j < ow; ++j) {
                const FixedSample y = fixed_sample(i, shape.h(), oh, align, factor);
                const FixedSample x = fixed_sample(j, shape.w(), ow, align, factor);
                int64_t sum = 0;
                for (const int dy : {0, 1}) {
                    for (const int dx : {0, 1}) {
                        const int cy = std::min(std::max(y.cell + dy, 0), shape.h() - 1);
                        const int cx = std::min(std::max(x.cell + dx, 0), shape.w() - 1);
                        sum += (dy == 1 ? y.weight : 256 - y.weight) * (dx == 1 ? x.weight : 256 - x.weight) *
                               q[static_cast<size_t>((c * shape.h() + cy) * shape.w() + cx)];
                    }
                }
                out.push_back(static_cast<int8_t>(std::floor(static_cast<double>(sum + 32768) / 65536.0)));
            }
        }
    }
    return out;
}

TEST(Interp, Int8BilinearIsExact) {
    const QuantParams quant{21.0F, -77};
    std::mt19937 rng(11);
    for (const Shape& shape :
         {Shape(3, 5, 7), Shape(16, 4, 4), Shape(1, 1, 1), Shape(33, 1, 9), Shape(65, 2, 3), Shape(5, 23, 31)}) {
        std::vector<int8_t> values(static_cast<size_t>(shape.count()));
        for (int8_t& v : values) {
            // Mostly the ends of the range: the largest sums.
            v = static_cast<int8_t>(rng() % 4 == 0 ? static_cast<int>(rng() % 256) - 128
                                                   : (rng() % 2 == 0 ? 127 : -128));
        }
        for (const bool align : {false, true}) {
            for (const auto& [h, w] : {std::pair{10, 14}, std::pair{3, 2}, std::pair{1, 1}, std::pair{5, 8}}) {
                const auto expected = fixed_reference(values, shape, h, w, align, 0.0F);
                for (const Strides strides : {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose}) {
                    RunOptions options;
                    options.strides = strides;
                    options.threads = 2;
                    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, quant});
                    const auto result = test::run_layer("Interp", sized(2, h, w, align), {},
                                                        {HostTensor::int8(shape, quant, values, strides)}, 1, options);
                    ASSERT_TRUE(result.ok()) << result.status().message();
                    ASSERT_EQ((*result)[0].tensor().shape, Shape(shape.c(), h, w));
                    ASSERT_EQ((*result)[0].values<int8_t>(), expected)
                        << align << " " << shape.str() << " " << h << " " << w << " " << test::name(strides);
                }
            }
        }
        const float factor = 1.6F;
        ParamDict by_factor;
        by_factor.set(0, 2);
        by_factor.set(1, factor);
        by_factor.set(2, factor);
        const auto h = static_cast<int>(static_cast<float>(shape.h()) * factor);
        const auto w = static_cast<int>(static_cast<float>(shape.w()) * factor);
        RunOptions options;
        options.outputs.assign(1, TensorDesc{{}, DType::kInt8, quant});
        const auto result =
            test::run_layer("Interp", by_factor, {}, {HostTensor::int8(shape, quant, values)}, 1, options);
        ASSERT_TRUE(result.ok()) << result.status().message();
        if (shape.h() != h || shape.w() != w) {
            EXPECT_EQ((*result)[0].values<int8_t>(), fixed_reference(values, shape, h, w, false, factor));
        }
    }
}

TEST(Interp, Int8RefusesOtherScalesAndBicubic) {
    const QuantParams quant{21.0F, -77};
    const HostTensor x = HostTensor::int8(Shape(2, 2, 2), quant, std::vector<int8_t>(8, 3));
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, quant});
    EXPECT_EQ(test::run_layer("Interp", sized(3, 4, 4, false), {}, {x}, 1, options).status().code(),
              Code::kUnsupported);
    options.outputs[0].quant.scale = 20.0F;
    EXPECT_EQ(test::run_layer("Interp", sized(2, 4, 4, false), {}, {x}, 1, options).status().code(),
              Code::kUnsupported);
}

// 3 * 1.5 is 4: the places go in steps of 1 / 1.5, not of 3 / 4.
TEST(Interp, AScaleGivesTheSteps) {
    ParamDict dict;
    dict.set(0, 2);
    dict.set(1, 1.0F);
    dict.set(2, 1.5F);
    const auto result = test::run_layer("Interp", dict, {}, {HostTensor::floats(Shape(1, 1, 3), {0, 6, 12})});
    ASSERT_TRUE(result.ok()) << result.status().message();
    const std::vector<float> expected{0, 3, 7, 11};
    ASSERT_EQ((*result)[0].tensor().shape, Shape(1, 1, 4));
    for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR((*result)[0].values()[i], expected[i], 1e-5);
    }
}

TEST(Interp, TakesItsSizeFromASecondInput) {
    const HostTensor x = HostTensor::floats(Shape(1, 2, 2), {1, 2, 3, 4});
    const HostTensor like = HostTensor::int8(Shape(7, 4, 3), {1.0F, 0}, std::vector<int8_t>(84, 0));
    ParamDict dict;
    dict.set(0, 1);
    const auto result = test::run_layer("Interp", dict, {}, {x, like});
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].tensor().shape, Shape(1, 4, 3));
    EXPECT_EQ((*result)[0].values(), std::vector<float>({1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4}));
}

TEST(Interp, SpreadsAVectorOverAMap) {
    const auto result = test::run_layer("Interp", sized(2, 2, 3, false), {}, {HostTensor::floats(Shape(2), {5, -1})});
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].tensor().shape, Shape(2, 2, 3));
    EXPECT_EQ((*result)[0].values(), std::vector<float>({5, 5, 5, 5, 5, 5, -1, -1, -1, -1, -1, -1}));
}

TEST(Interp, StretchesTheRowsOfAMatrix) {
    const auto result =
        test::run_layer("Interp", sized(2, 9, 4, true), {}, {HostTensor::floats(Shape(2, 2), {0, 3, 6, 0})});
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].tensor().shape, Shape(2, 4));
    const std::vector<float> expected{0, 1, 2, 3, 6, 4, 2, 0};
    for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR((*result)[0].values()[i], expected[i], 1e-6);
    }
}

TEST(MemoryData, GivesItsValuesInTheOrderOfTheFile) {
    ParamDict dict;
    dict.set(0, 2);
    dict.set(1, 3);
    dict.set(2, 2);
    const std::vector<float> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    for (const Strides strides : {Strides::kDense, Strides::kPlain, Strides::kLoose}) {
        RunOptions options;
        options.strides = strides;
        const auto result = test::run_layer("MemoryData", dict, {Weight::from_floats(values)}, {}, 1, options);
        ASSERT_TRUE(result.ok()) << result.status().message();
        EXPECT_EQ((*result)[0].tensor().shape, Shape(2, 3, 2));
        EXPECT_EQ((*result)[0].values(), values);
    }
    const Weight few[] = {Weight::from_floats({1.0F})};
    EXPECT_EQ(test::load_layer("MemoryData", dict, few).status().code(), Code::kInvalidArgument);
    dict.set(1, -3);
    EXPECT_EQ(test::load_layer("MemoryData", dict, few).status().code(), Code::kInvalidArgument);
}

TEST(Embed, LooksUpRows) {
    ParamDict dict;
    dict.set(0, 2);
    dict.set(1, 3);
    dict.set(2, 1);
    dict.set(3, 6);
    const std::vector<Weight> weights{Weight::from_floats({1, 2, 3, 4, 5, 6}), Weight::from_floats({10, 20})};
    const std::vector<float> expected{15, 26, 11, 22, 11, 22, 15, 26};
    const HostTensor ints =
        HostTensor::from(TensorDesc{Shape(4), DType::kInt32, {}}, std::vector<int32_t>{2, 0, -7, 99});
    const HostTensor floats = HostTensor::floats(Shape(4), {2.0F, 0.0F, NAN, INFINITY}, Strides::kLoose);
    for (const HostTensor& in : {ints, floats}) {
        const auto result = test::run_layer("Embed", dict, weights, {in});
        ASSERT_TRUE(result.ok()) << result.status().message();
        EXPECT_EQ((*result)[0].tensor().shape, Shape(4, 2));
        EXPECT_EQ((*result)[0].values(), expected);
    }
    dict.set(1, 4);
    EXPECT_EQ(test::load_layer("Embed", dict, weights).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace fw
