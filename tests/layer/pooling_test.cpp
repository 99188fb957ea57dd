#include <gtest/gtest.h>

#include <cfloat>
#include <random>

#include "quant/quant.h"
#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

struct PoolCase {
    int kernel_w, kernel_h, stride_w, stride_h, left, right, top, bottom, mode;
    bool include_pad;
};

ParamDict params_of(const PoolCase& p, bool average) {
    ParamDict dict;
    dict.set(0, average ? 1 : 0);
    dict.set(1, p.kernel_w);
    dict.set(11, p.kernel_h);
    dict.set(2, p.stride_w);
    dict.set(12, p.stride_h);
    dict.set(3, p.left);
    dict.set(14, p.right);
    dict.set(13, p.top);
    dict.set(15, p.bottom);
    dict.set(5, p.mode);
    dict.set(6, p.include_pad ? 1 : 0);
    return dict;
}

std::vector<int8_t> random_bytes(size_t count, int low, unsigned seed) {
    std::mt19937 rng(seed);
    std::vector<int8_t> values(count);
    for (int8_t& v : values) {
        v = static_cast<int8_t>(low + static_cast<int>(rng() % static_cast<unsigned>(128 - low)));
    }
    return values;
}

// Cells of window `i` on one axis and what a whole kernel has, written from the definitions of the four modes.
struct Window {
    int begin, end;
};
std::vector<Window> windows(int in, int kernel, int stride, int before, int after, int mode) {
    if (mode >= 2) {
        const int total = std::max(0, kernel + (in - 1) / stride * stride - in);
        before = mode == 2 ? total / 2 : total - total / 2;
        after = total - before;
    }
    int padded = in + before + after;
    if (mode == 0 && (padded - kernel) % stride != 0) {
        padded += stride - (padded - kernel) % stride;
    }
    std::vector<Window> result;
    for (int start = 0; start + kernel <= padded; start += stride) {
        result.push_back({std::max(start - before, 0), std::min(std::max(start - before + kernel, 0), in)});
    }
    return result;
}

// The contract's formulas, straight.
std::vector<int8_t> reference(const std::vector<int8_t>& in, const Shape& shape, const PoolCase& p, bool average,
                              const QuantParams& qi, const QuantParams& qo) {
    std::vector<int8_t> out;
    const auto xs = windows(shape.w(), p.kernel_w, p.stride_w, p.left, p.right, p.mode);
    const auto ys = windows(shape.h(), p.kernel_h, p.stride_h, p.top, p.bottom, p.mode);
    for (int c = 0; c < shape.c(); ++c) {
        for (const Window& y : ys) {
            for (const Window& x : xs) {
                int best = -128;
                int sum = 0;
                int cells = 0;
                for (int i = y.begin; i < y.end; ++i) {
                    for (int j = x.begin; j < x.end; ++j) {
                        const int q = in[static_cast<size_t>((c * shape.h() + i) * shape.w() + j)];
                        best = std::max(best, q);
                        sum += q - qi.zero_point;
                        ++cells;
                    }
                }
                if (!average) {
                    out.push_back(static_cast<int8_t>(best));
                    continue;
                }
                const int count = p.include_pad || p.mode >= 2 ? p.kernel_w * p.kernel_h : cells;
                const auto m = static_cast<float>(static_cast<double>(qo.scale) /
                                                  (static_cast<double>(qi.scale) * static_cast<double>(count)));
                const float v = static_cast<float>(sum) * m;
                const double q = std::nearbyint(static_cast<double>(v)) + qo.zero_point;
                out.push_back(static_cast<int8_t>(std::min(std::max(q, static_cast<double>(quant_min(qo))), 127.0)));
            }
        }
    }
    return out;
}

const PoolCase kCases[] = {
    {3, 3, 2, 2, 0, 0, 0, 0, 0, false}, {3, 3, 2, 2, 1, 1, 1, 1, 0, false}, {2, 3, 2, 1, 0, 1, 1, 0, 1, false},
    {3, 3, 2, 2, 0, 0, 0, 0, 2, false}, {4, 3, 3, 2, 0, 0, 0, 0, 3, false}, {3, 3, 1, 1, 1, 1, 1, 1, 0, true},
    {3, 3, 2, 2, 1, 1, 1, 1, 0, true},  {1, 1, 2, 2, 0, 0, 0, 0, 0, false}, {5, 5, 3, 3, 2, 2, 2, 2, 1, false},
};

TEST(Pooling, Int8MatchesTheContractBitForBit) {
    const QuantParams pairs[][2] = {{{20.0F, 0}, {23.5F, 0}}, {{31.0F, -128}, {35.7F, -128}}, {{3.0F, 5}, {40.0F, -7}}};
    unsigned seed = 1;
    for (const auto& pair : pairs) {
        for (const PoolCase& p : kCases) {
            for (const int channels : {1, 3, 64, 70, 131}) {
                const Shape shape(channels, 9, 11);
                const auto values = random_bytes(static_cast<size_t>(shape.count()), quant_min(pair[0]), seed++);
                for (const bool average : {false, true}) {
                    const QuantParams out = average ? pair[1] : pair[0];
                    const auto expected = reference(values, shape, p, average, pair[0], out);
                    for (const Strides strides : kAllStrides) {
                        RunOptions options;
                        options.strides = strides;
                        options.threads = strides == Strides::kAdjacent ? 3 : 1;
                        options.outputs = {TensorDesc{{}, DType::kInt8, out}};
                        const auto result =
                            test::run_layer("Pooling", params_of(p, average), {},
                                            {HostTensor::int8(shape, pair[0], values, strides)}, 1, options);
                        ASSERT_TRUE(result.ok()) << result.status().message();
                        ASSERT_EQ((*result)[0].values<int8_t>(), expected)
                            << "average " << average << " mode " << p.mode << " c " << channels << " "
                            << test::name(strides);
                    }
                }
            }
        }
    }
}

TEST(Pooling, GlobalInt8OfManyCells) {
    const QuantParams in{2.0F, -128};
    const QuantParams out{9.25F, 3};
    const Shape shape(67, 31, 300);  // rows longer than a 16-bit sum may be
    const auto values = random_bytes(static_cast<size_t>(shape.count()), 100, 5);
    std::vector<int8_t> expected;
    for (int c = 0; c < shape.c(); ++c) {
        int sum = 0;
        for (int i = 0; i < 31 * 300; ++i) {
            sum += values[static_cast<size_t>(c * 31 * 300 + i)] + 128;
        }
        const auto m = static_cast<float>(9.25 / (2.0 * (31 * 300)));
        const double q = std::nearbyint(static_cast<double>(static_cast<float>(sum) * m)) + 3;
        expected.push_back(static_cast<int8_t>(std::min(std::max(q, -128.0), 127.0)));
    }
    ParamDict dict;
    dict.set(0, 1);
    dict.set(4, 1);
    for (const Strides strides : kAllStrides) {
        RunOptions options;
        options.threads = 2;
        options.strides = strides;
        options.outputs = {TensorDesc{{}, DType::kInt8, out}};
        const auto result =
            test::run_layer("Pooling", dict, {}, {HostTensor::int8(shape, in, values, strides)}, 1, options);
        ASSERT_TRUE(result.ok()) << result.status().message();
        EXPECT_EQ((*result)[0].tensor().shape, Shape(67));
        EXPECT_EQ((*result)[0].values<int8_t>(), expected);
    }
}

TEST(Pooling, AWindowBeyondTheImageHasTheLeastValue) {
    ParamDict dict;
    dict.set(1, 2);
    dict.set(2, 2);
    dict.set(3, 1);
    const auto floats =
        test::run_layer("Pooling", dict, {}, {HostTensor::floats(Shape(1, 3, 3), std::vector<float>(9, 5.0F))});
    ASSERT_TRUE(floats.ok()) << floats.status().message();
    EXPECT_EQ((*floats)[0].values(),
              std::vector<float>({5, 5, -FLT_MAX, 5, 5, -FLT_MAX, -FLT_MAX, -FLT_MAX, -FLT_MAX}));
    for (const int zero_point : {0, -128}) {
        const QuantParams quant{1.0F, zero_point};
        RunOptions options;
        options.outputs = {TensorDesc{{}, DType::kInt8, quant}};
        const auto bytes = test::run_layer(
            "Pooling", dict, {}, {HostTensor::int8(Shape(1, 3, 3), quant, std::vector<int8_t>(9, 5))}, 1, options);
        ASSERT_TRUE(bytes.ok());
        EXPECT_EQ((*bytes)[0].values<int8_t>()[8], quant_min(quant));
    }
}

TEST(Pooling, AnAverageWithoutCellsIsZero) {
    ParamDict dict;
    dict.set(0, 1);
    dict.set(1, 2);
    dict.set(2, 2);
    dict.set(3, 1);
    const auto result =
        test::run_layer("Pooling", dict, {}, {HostTensor::floats(Shape(1, 3, 3), std::vector<float>(9, 5.0F))});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ((*result)[0].values(), std::vector<float>({5, 5, 0, 5, 5, 0, 0, 0, 0}));
}

TEST(Pooling, LargeFloatAveragesStayAccurate) {
    const Shape shape(2, 512, 512);
    std::vector<float> values(static_cast<size_t>(shape.count()), 0.1F);
    ParamDict dict;
    dict.set(0, 1);
    dict.set(4, 1);
    const auto result = test::run_layer("Pooling", dict, {}, {HostTensor::floats(shape, values)});
    ASSERT_TRUE(result.ok());
    EXPECT_NEAR((*result)[0].values()[1], 0.1F, 1e-6);
}

TEST(Pooling, RefusesBadParametersAndShapes) {
    const auto load = [](std::initializer_list<std::pair<int, int>> values) {
        ParamDict dict;
        for (const auto& [id, value] : values) {
            dict.set(id, value);
        }
        return test::load_layer("Pooling", dict).status().code();
    };
    EXPECT_EQ(load({{0, 2}, {1, 2}}), Code::kInvalidArgument);
    EXPECT_EQ(load({{1, 0}}), Code::kInvalidArgument);
    EXPECT_EQ(load({{1, 2}, {2, 0}}), Code::kInvalidArgument);
    EXPECT_EQ(load({{1, 2}, {3, -1}}), Code::kInvalidArgument);
    EXPECT_EQ(load({{1, 2}, {5, 4}}), Code::kInvalidArgument);
    EXPECT_EQ(load({{7, 1}, {8, 0}}), Code::kInvalidArgument);

    const auto infer = [](std::initializer_list<std::pair<int, int>> values, const Shape& shape) {
        ParamDict dict;
        for (const auto& [id, value] : values) {
            dict.set(id, value);
        }
        auto layer = test::load_layer("Pooling", dict);
        EXPECT_TRUE(layer.ok()) << layer.status().message();
        const TensorDesc in{shape, DType::kFloat32, {}};
        return test::infer_layer(**layer, Span<const TensorDesc>(&in, 1), 1).status().code();
    };
    EXPECT_EQ(infer({{1, 2}}, Shape(4, 4)), Code::kInvalidArgument);
    EXPECT_EQ(infer({{1, 5}, {5, 1}}, Shape(1, 4, 4)), Code::kInvalidArgument);
    EXPECT_EQ(infer({{7, 1}, {8, INT32_MAX}, {18, INT32_MAX}}, Shape(1, 4, 4)), Code::kInvalidArgument);
    EXPECT_EQ(infer({{1, 1}, {3, INT32_MAX}}, Shape(1, 4, 4)), Code::kInvalidArgument);
}

TEST(Pooling, RefusesDtypesAndScalesItCannotDo) {
    ParamDict max;
    max.set(1, 2);
    const HostTensor in = HostTensor::int8(Shape(1, 2, 2), {2.0F, 0}, {1, 2, 3, 4});
    RunOptions options;
    options.outputs = {TensorDesc{{}, DType::kInt8, {3.0F, 0}}};
    EXPECT_EQ(test::run_layer("Pooling", max, {}, {in}, 1, options).status().code(), Code::kUnsupported);
    options.outputs = {TensorDesc{{}, DType::kFloat32, {}}};
    EXPECT_EQ(test::run_layer("Pooling", max, {}, {in}, 1, options).status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace fw
