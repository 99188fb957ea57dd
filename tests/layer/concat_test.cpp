#include <gtest/gtest.h>

#include <cmath>

#include "quant/quant.h"
#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

std::vector<int8_t> all_bytes(int low) {
    std::vector<int8_t> values;
    for (int q = low; q < 128; ++q) {
        values.push_back(static_cast<int8_t>(q));
    }
    return values;
}

TEST(Concat, Int8RescalesWhatHasAnotherScale) {
    const QuantParams out{10.0F, 0};
    const QuantParams quants[] = {{10.0F, 0}, {23.7F, 0}, {14.1F, -128}};
    std::vector<HostTensor> inputs;
    std::vector<int8_t> expected;
    for (const QuantParams& quant : quants) {
        const std::vector<int8_t> bytes = all_bytes(quant_min(quant));
        for (const int8_t q : bytes) {
            const double x = (q - quant.zero_point) / static_cast<double>(quant.scale);
            const double r = std::nearbyint(x * static_cast<double>(out.scale)) + out.zero_point;
            expected.push_back(quant == out ? q : static_cast<int8_t>(std::min(std::max(r, -127.0), 127.0)));
        }
        inputs.push_back(HostTensor::int8(Shape(static_cast<int>(bytes.size()), 1, 1), quant, bytes));
    }
    for (const Strides strides : kAllStrides) {
        RunOptions options;
        options.strides = strides;
        options.outputs = {TensorDesc{{}, DType::kInt8, out}};
        const auto result = test::run_layer("Concat", {}, {}, inputs, 1, options);
        ASSERT_TRUE(result.ok()) << result.status().message();
        EXPECT_EQ((*result)[0].values<int8_t>(), expected) << test::name(strides);
    }
}

TEST(Concat, Int8OfOneScaleMovesBytes) {
    const QuantParams quant{3.0F, 7};
    const HostTensor a = HostTensor::int8(Shape(2, 1, 2), quant, {1, 2, 3, 4});
    const HostTensor b = HostTensor::int8(Shape(1, 1, 2), quant, {-5, -128});
    RunOptions options;
    options.outputs = {TensorDesc{{}, DType::kInt8, quant}};
    const auto result = test::run_layer("Concat", {}, {}, {a, b}, 1, options);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ((*result)[0].values<int8_t>(), std::vector<int8_t>({1, 2, 3, 4, -5, -128}));
}

TEST(Concat, LeavesInputsThatAreInPlaceAlone) {
    auto layer = test::load_layer("Concat", {});
    ASSERT_TRUE(layer.ok());
    const HostTensor out(TensorDesc{Shape(4, 1, 3), DType::kFloat32, {}});
    Tensor first = out.tensor();
    first.shape[0] = 2;
    for_each_element(first,
                     [&](int64_t index, int64_t offset) { first.ptr<float>()[offset] = static_cast<float>(index); });
    const HostTensor second = HostTensor::floats(Shape(2, 1, 3), {6, 7, 8, 9, 10, 11});
    const Tensor in[] = {first, second.tensor()};
    const TensorDesc in_desc[] = {first.desc(), second.tensor().desc()};
    const TensorDesc out_desc[] = {out.tensor().desc()};
    ASSERT_TRUE((*layer)->prepare(PrepareContext{in_desc, out_desc, {}}).ok());
    Tensor result[] = {out.tensor()};
    ASSERT_TRUE((*layer)->forward(in, result, RunContext{}).ok());
    EXPECT_EQ(out.values(), std::vector<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(Concat, RefusesWhatDoesNotFit) {
    ParamDict dict;
    dict.set(0, 1);
    auto layer = test::load_layer("Concat", dict);
    ASSERT_TRUE(layer.ok());
    const auto infer = [&](const Shape& a, const Shape& b) {
        const TensorDesc in[] = {{a, DType::kFloat32, {}}, {b, DType::kFloat32, {}}};
        return test::infer_layer(**layer, in, 1).status();
    };
    EXPECT_TRUE(infer(Shape(2, 3, 4), Shape(2, 9, 4)).ok());
    EXPECT_EQ(infer(Shape(2, 3, 4), Shape(3, 3, 4)).code(), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(2, 3, 4), Shape(3, 4)).code(), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(3), Shape(4)).code(), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(1, 2000000000), Shape(1, 2000000000)).code(), Code::kInvalidArgument);
    const std::string message = infer(Shape(2, 3, 4), Shape(2, 3, 5)).message();
    EXPECT_NE(message.find("[2x3x5]"), std::string::npos) << message;

    const HostTensor in = HostTensor::int8(Shape(1, 1), {2.0F, 0}, {1});
    EXPECT_EQ(test::run_layer("Concat", dict, {}, {in, in}).status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace fw
