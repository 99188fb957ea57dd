// Slice, Crop, Padding, Reshape, Flatten, Squeeze, ExpandDims, Permute, ShuffleChannel, PixelShuffle, Reorg, Tile and
// nearest Interp: float and int8 move alike, views agree with forward(), bad parameters are refused.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

ParamDict dict_of(std::initializer_list<std::pair<int, ParamDict::Value>> values) {
    ParamDict dict;
    for (const auto& [id, value] : values) {
        dict.set(id, value);
    }
    return dict;
}

using Ints = std::vector<int>;

struct MoveCase {
    const char* type;
    ParamDict params;
    Shape shape;
    size_t outputs = 1;
};

std::vector<MoveCase> move_cases() {
    return {
        {"Slice", dict_of({{0, Ints{2, -233}}}), Shape(6, 3, 5), 2},
        {"Slice", dict_of({{2, Ints{1, -2}}, {1, -1}}), Shape(6, 3, 5), 3},
        {"Crop", dict_of({{9, Ints{1, -2}}, {10, Ints{5, -233}}, {11, Ints{0, 2}}}), Shape(6, 3, 5)},
        {"Crop", dict_of({{0, 1}, {1, 1}, {3, 3}, {4, -233}}), Shape(6, 3, 5)},
        {"Padding", dict_of({{0, 1}, {1, 2}, {2, 3}, {3, 1}, {4, 1}}), Shape(6, 3, 5)},
        {"Padding", dict_of({{0, 1}, {1, 2}, {2, 3}, {3, 1}, {4, 2}}), Shape(6, 3, 5)},
        {"Padding", dict_of({{0, 1}, {7, 2}, {8, 1}, {4, 2}}), Shape(6, 3, 5)},
        {"Reshape", dict_of({{0, -1}, {1, 6}}), Shape(6, 3, 5)},
        {"Reshape", dict_of({{0, 5}, {1, 2}, {2, -1}}), Shape(6, 3, 5)},
        {"Reshape", dict_of({{0, 9}, {1, 5}, {2, 2}}), Shape(6, 3, 5)},
        {"Flatten", {}, Shape(6, 3, 5)},
        {"Flatten", {}, Shape(2, 6, 3, 5)},
        {"Squeeze", dict_of({{0, 1}, {1, 1}, {2, 1}}), Shape(6, 1, 5)},
        {"ExpandDims", dict_of({{3, Ints{0}}}), Shape(6, 3, 5)},
        {"Permute", dict_of({{0, 3}}), Shape(6, 3, 5)},
        {"Permute", dict_of({{0, 5}}), Shape(40, 3, 35)},
        {"Permute", dict_of({{0, 17}}), Shape(2, 3, 4, 5)},
        {"ShuffleChannel", dict_of({{0, 3}}), Shape(6, 3, 5)},
        {"ShuffleChannel", dict_of({{0, 3}, {1, 1}}), Shape(6, 3, 5)},
        {"PixelShuffle", dict_of({{0, 2}}), Shape(8, 3, 5)},
        {"PixelShuffle", dict_of({{0, 2}, {1, 1}}), Shape(8, 3, 5)},
        {"Reorg", dict_of({{0, 2}}), Shape(3, 4, 6)},
        {"Tile", dict_of({{2, Ints{2, 1, 3}}}), Shape(6, 3, 5)},
        {"Interp", dict_of({{0, 1}, {3, 7}, {4, 3}}), Shape(6, 3, 5)},
        {"Interp", dict_of({{0, 1}, {1, 2.0F}, {2, 2.0F}}), Shape(6, 3, 5)},
        {"Split", {}, Shape(6, 3, 5), 3},
    };
}

// The golden vectors fix what float32 gives; here all other types and strides must give the same elements.
TEST(MoveLayers, EveryTypeAndStrideMovesAlike) {
    const QuantParams quant{4.0F, 3};
    for (const MoveCase& c : move_cases()) {
        if (create_layer(c.type) == nullptr) {
            continue;
        }
        std::vector<int8_t> bytes(static_cast<size_t>(c.shape.count()));
        std::mt19937 rng(7);
        for (int8_t& b : bytes) {
            b = static_cast<int8_t>(rng());
        }
        const std::vector<float> floats(bytes.begin(), bytes.end());
        const auto expected = test::run_layer(c.type, c.params, {}, {HostTensor::floats(c.shape, floats)}, c.outputs);
        ASSERT_TRUE(expected.ok()) << c.type << expected.status().message();
        for (const Strides strides : kAllStrides) {
            for (const bool use_view : {false, true}) {
                RunOptions options;
                options.strides = strides;
                options.use_view = use_view;
                options.threads = use_view ? 1 : 3;
                const auto same = test::run_layer(c.type, c.params, {}, {HostTensor::floats(c.shape, floats, strides)},
                                                  c.outputs, options);
                ASSERT_TRUE(same.ok()) << c.type << same.status().message();
                options.outputs.assign(c.outputs, TensorDesc{{}, DType::kInt8, quant});
                const auto moved = test::run_layer(
                    c.type, c.params, {}, {HostTensor::int8(c.shape, quant, bytes, strides)}, c.outputs, options);
                ASSERT_TRUE(moved.ok()) << c.type << moved.status().message();
                for (size_t k = 0; k < c.outputs; ++k) {
                    const auto want = (*expected)[k].values();
                    const auto got = (*moved)[k].values<int8_t>();
                    ASSERT_EQ((*same)[k].values(), want) << c.type << " " << test::name(strides) << use_view;
                    ASSERT_EQ(std::vector<float>(got.begin(), got.end()), want)
                        << c.type << " int8 " << test::name(strides) << use_view;
                }
            }
        }
    }
}

TEST(MoveLayers, Int8PaddingQuantizesItsValue) {
    const QuantParams quant{10.0F, -128};
    RunOptions options;
    options.outputs = {TensorDesc{{}, DType::kInt8, quant}};
    for (const auto& [value, byte] : {std::pair{0.0F, -128}, std::pair{1.25F, -116}, std::pair{1e9F, 127}}) {
        const auto result = test::run_layer("Padding", dict_of({{2, 1}, {3, 1}, {5, value}}), {},
                                            {HostTensor::int8(Shape(1, 1, 1), quant, {42})}, 1, options);
        ASSERT_TRUE(result.ok()) << result.status().message();
        const auto b = static_cast<int8_t>(byte);
        EXPECT_EQ((*result)[0].values<int8_t>(), std::vector<int8_t>({b, 42, b})) << value;
    }
}

TEST(MoveLayers, Int8PaddingByChannel) {
    const QuantParams quant{2.0F, 0};
    RunOptions options;
    options.outputs = {TensorDesc{{}, DType::kInt8, quant}};
    const auto result = test::run_layer("Padding", dict_of({{3, 1}, {6, 2}}), {Weight::from_floats({1.5F, -3.0F})},
                                        {HostTensor::int8(Shape(2, 1, 1), quant, {7, 8})}, 1, options);
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].values<int8_t>(), std::vector<int8_t>({7, 3, 8, -6}));
}

TEST(MoveLayers, AScaleCannotChange) {
    RunOptions options;
    options.outputs = {TensorDesc{{}, DType::kInt8, {2.0F, 0}}};
    const HostTensor in = HostTensor::int8(Shape(2, 2, 2), {4.0F, 0}, std::vector<int8_t>(8, 1));
    EXPECT_EQ(test::run_layer("Permute", {}, {}, {in}, 1, options).status().code(), Code::kUnsupported);
    options.outputs = {TensorDesc{{}, DType::kFloat32, {}}};
    EXPECT_EQ(test::run_layer("Flatten", {}, {}, {in}, 1, options).status().code(), Code::kUnsupported);
    EXPECT_EQ(test::run_layer("Interp", dict_of({{0, 2}, {3, 4}, {4, 4}}), {}, {in}, 1, options).status().code(),
              Code::kUnsupported);
}

TEST(MoveLayers, CropReadsOnlyTheShapeOfItsReference) {
    std::vector<float> values(24);
    std::iota(values.begin(), values.end(), 0.0F);
    const HostTensor x = HostTensor::floats(Shape(2, 3, 4), values);
    const HostTensor reference = HostTensor::int8(Shape(9, 2, 1), {3.0F, 0}, std::vector<int8_t>(18, 1));
    // -233 keeps the channels, as Caffe's Crop with axis 2 has it.
    const auto result = test::run_layer("Crop", dict_of({{0, 2}, {1, 1}, {5, -233}}), {}, {x, reference});
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].tensor().shape, Shape(2, 2, 1));
    EXPECT_EQ((*result)[0].values(), std::vector<float>({6, 10, 18, 22}));
    EXPECT_EQ(test::run_layer("Crop", {}, {}, {x, reference}).status().code(), Code::kInvalidArgument);
}

TEST(MoveLayers, RefuseBadParameters) {
    const auto load = [](const char* type, const ParamDict& dict) {
        return test::load_layer(type, dict).status().code();
    };
    EXPECT_EQ(load("Slice", dict_of({{0, Ints{0, 2}}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Crop", dict_of({{9, Ints{0, 2}}, {10, Ints{1}}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Crop", dict_of({{19, std::string("sin(0w)")}})), Code::kUnsupported);
    EXPECT_EQ(load("Padding", dict_of({{0, -1}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Padding", dict_of({{4, 3}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Padding", dict_of({{6, 3}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Reshape", dict_of({{0, -2}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Reshape", dict_of({{0, 2}, {2, 2}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Reshape", {}), Code::kInvalidArgument);
    EXPECT_EQ(load("Permute", dict_of({{0, 24}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Permute", dict_of({{0, -1}})), Code::kInvalidArgument);
    EXPECT_EQ(load("ShuffleChannel", dict_of({{0, 0}})), Code::kInvalidArgument);
    EXPECT_EQ(load("PixelShuffle", dict_of({{0, 65536}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Reorg", dict_of({{0, 2}, {1, 2}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Tile", dict_of({{1, 0}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Tile", dict_of({{2, Ints{1, 1, 1, 1, 1}}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Interp", {}), Code::kInvalidArgument);
    EXPECT_EQ(load("Interp", dict_of({{0, 1}, {1, -2.0F}})), Code::kInvalidArgument);
    EXPECT_EQ(load("Interp", dict_of({{0, 1}, {3, -2}})), Code::kInvalidArgument);
}

TEST(MoveLayers, RefuseShapesThatDoNotFit) {
    const auto infer = [](const char* type, const ParamDict& dict, const Shape& shape, size_t outputs = 1) {
        auto layer = test::load_layer(type, dict);
        EXPECT_TRUE(layer.ok()) << type << layer.status().message();
        const TensorDesc in{shape, DType::kFloat32, {}};
        return test::infer_layer(**layer, Span<const TensorDesc>(&in, 1), outputs).status().code();
    };
    const Shape shape(6, 3, 5);
    EXPECT_EQ(infer("Slice", dict_of({{0, Ints{2, 5}}}), shape, 2), Code::kInvalidArgument);
    EXPECT_EQ(infer("Slice", dict_of({{0, Ints{2, 2}}}), shape, 3), Code::kInvalidArgument);
    EXPECT_EQ(infer("Slice", dict_of({{0, Ints{6, -233}}}), shape, 2), Code::kInvalidArgument);
    EXPECT_EQ(infer("Slice", dict_of({{2, Ints{4, 2}}}), shape, 3), Code::kInvalidArgument);
    EXPECT_EQ(infer("Slice", dict_of({{2, Ints{INT32_MIN}}}), shape, 2), Code::kInvalidArgument);
    EXPECT_EQ(infer("Slice", dict_of({{1, 3}}), shape, 2), Code::kInvalidArgument);
    EXPECT_EQ(infer("Crop", dict_of({{0, 5}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Crop", dict_of({{0, -1}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Crop", dict_of({{0, INT32_MAX}, {6, INT32_MAX}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Crop", dict_of({{9, Ints{2}}, {10, Ints{1}}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Crop", dict_of({{9, Ints{INT32_MIN}}, {10, Ints{INT32_MAX}}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Crop", dict_of({{9, Ints{0, 0, 0, 0}}, {10, Ints{1, 1, 1, 1}}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Padding", dict_of({{0, 3}, {4, 2}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Padding", dict_of({{0, INT32_MAX}, {1, INT32_MAX}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Padding", dict_of({{0, 1}}), Shape(7)), Code::kInvalidArgument);
    EXPECT_EQ(infer("Reshape", dict_of({{0, 7}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Reshape", dict_of({{0, -1}, {1, -1}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Reshape", dict_of({{0, -1}, {1, 7}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Reshape", dict_of({{0, INT32_MAX}, {1, INT32_MAX}, {11, INT32_MAX}, {2, INT32_MAX}}), shape),
              Code::kInvalidArgument);
    EXPECT_EQ(infer("Squeeze", dict_of({{3, Ints{3}}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("ExpandDims", dict_of({{3, Ints{0, 1}}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("ExpandDims", dict_of({{3, Ints{1, -2}}}), Shape(5)), Code::kInvalidArgument);
    EXPECT_EQ(infer("Permute", dict_of({{0, 6}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("ShuffleChannel", dict_of({{0, 4}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("PixelShuffle", dict_of({{0, 2}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Reorg", dict_of({{0, 2}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Tile", dict_of({{1, INT32_MAX}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Interp", dict_of({{0, 1}, {1, 1e30F}, {2, 1.0F}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Interp", dict_of({{0, 1}, {1, 0.01F}, {2, 1.0F}}), shape), Code::kInvalidArgument);
    EXPECT_EQ(infer("Interp", dict_of({{0, 1}, {3, INT32_MAX}, {4, INT32_MAX}}), shape), Code::kInvalidArgument);
}

}  // namespace
}  // namespace fw
