// Layers on float16 blobs: what they do in float32, rounded once.
#include <gtest/gtest.h>

#include <random>

#include "base/cpu.h"
#include "base/half.h"
#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

struct HalfCase {
    const char* name;
    const char* type;
    std::vector<std::pair<int, ParamDict::Value>> params;
    std::vector<Shape> inputs;
    size_t outputs = 1;
    // What an output may be off; both 0: it has the bits of the rounded float. Sums are in another order than in
    // float32, and short functions are computed in float16 where the level can.
    float relative = 0.0F;
    float absolute = 0.0F;
};

void PrintTo(const HalfCase& c, std::ostream* os) {  // NOLINT(readability-identifier-naming)
    *os << c.name;
}

std::vector<HalfCase> all_cases() {
    const Shape image(19, 7, 9);
    return {
        {"ReLU", "ReLU", {}, {image}},
        {"ReLU_line", "ReLU", {}, {Shape(1003)}},
        {"Clip", "Clip", {{0, -0.5F}, {1, 1.25F}}, {image}},
        {"Sigmoid", "Sigmoid", {}, {image}},
        {"LeakyReLU", "ReLU", {{0, 0.1F}}, {Shape(40, 9, 9)}, 1, 0x1p-10F},
        {"HardSigmoid", "HardSigmoid", {{0, 1.0F / 6}, {1, 0.5F}}, {Shape(40, 9, 9)}, 1, 0.0F, 0x1p-10F},
        {"HardSwish", "HardSwish", {{0, 1.0F / 6}, {1, 0.5F}}, {Shape(40, 9, 9)}, 1, 0x1p-10F, 0x1p-9F},
        {"Add", "BinaryOp", {{0, 0}}, {image, image}},
        {"Times_channel", "BinaryOp", {{0, 2}}, {image, Shape(19)}},
        {"Times_pixel", "BinaryOp", {{0, 2}}, {image, Shape(1, 7, 9)}},
        {"Number", "BinaryOp", {{0, 3}, {1, 1}, {2, 1.75F}}, {image}},
        {"Sum", "Eltwise", {{0, 1}}, {image, image}},
        {"Sum3", "Eltwise", {{0, 1}, {1, std::vector<float>{0.5F, -1.0F, 2.0F}}}, {image, image, image}},
        {"Largest", "Eltwise", {{0, 2}}, {Shape(300), Shape(300)}},
        {"Max", "Pooling", {{0, 0}, {1, 3}, {2, 2}}, {image}},
        {"Max_many", "Pooling", {{0, 0}, {1, 2}, {2, 1}, {3, 1}}, {Shape(131, 4, 5)}},
        {"Average", "Pooling", {{0, 1}, {1, 3}, {2, 2}, {3, 1}}, {image}, 1, 0x1p-10F, 1e-6F},
        {"Global", "Pooling", {{0, 1}, {4, 1}}, {Shape(70, 11, 13)}, 1, 0x1p-10F, 1e-6F},
        {"Concat", "Concat", {}, {image, Shape(5, 7, 9), image}},
        {"Concat_rows", "Concat", {{0, 1}}, {image, Shape(19, 2, 9)}},
        {"Slice", "Slice", {{0, std::vector<int>{6, -233}}}, {image}, 2},
        {"Split", "Split", {}, {image}, 2},
        {"Reshape", "Reshape", {{0, 63}, {1, 19}}, {image}},
        {"Flatten", "Flatten", {}, {image}},
        {"Permute", "Permute", {{0, 3}}, {image}},
        {"Shuffle", "ShuffleChannel", {{0, 3}}, {Shape(18, 7, 9)}},
        {"Crop", "Crop", {{0, 2}, {1, 1}, {3, 4}, {4, 5}, {5, 19}}, {image}},
        {"Padding", "Padding", {{0, 1}, {1, 2}, {2, 3}, {3, 0}, {4, 0}, {5, 1.1F}}, {image}},
        {"Tile", "Tile", {{0, 0}, {1, 2}}, {image}},
        {"Nearest", "Interp", {{0, 1}, {1, 2.0F}, {2, 2.0F}}, {image}},
    };
}

class HalfLayers : public testing::TestWithParam<HalfCase> {};
INSTANTIATE_TEST_SUITE_P(All, HalfLayers, testing::ValuesIn(all_cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

std::vector<HostTensor> run(const HalfCase& c, const std::vector<HostTensor>& inputs, RunOptions options, DType type) {
    ParamDict params;
    for (const auto& [id, value] : c.params) {
        params.set(id, value);
    }
    options.outputs.assign(c.outputs, TensorDesc{Shape(), type, {}});
    auto result = test::run_layer(c.type, params, {}, inputs, c.outputs, options);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *result : std::vector<HostTensor>();
}

TEST_P(HalfLayers, AreTheFloatLayersRounded) {
    const HalfCase& c = GetParam();
    std::mt19937 rng(5);
    std::vector<std::vector<uint16_t>> halves;
    std::vector<HostTensor> floats;
    for (const Shape& shape : c.inputs) {
        std::vector<uint16_t> half(static_cast<size_t>(shape.count()));
        std::vector<float> wide(half.size());
        for (size_t i = 0; i < half.size(); ++i) {
            half[i] = float_to_half(static_cast<float>(rng()) * 0x1p-30F - 2.0F);
            wide[i] = half_to_float(half[i]);
        }
        halves.push_back(half);
        floats.push_back(HostTensor::floats(shape, wide));
    }
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        const std::vector<HostTensor> want = run(c, floats, {}, DType::kFloat32);
        ASSERT_EQ(want.size(), c.outputs);
        for (const Strides strides : kAllStrides) {
            for (const int threads : {1, 3}) {
                RunOptions options;
                options.strides = strides;
                options.threads = threads;
                options.in_place = threads == 3 && strides == Strides::kDense;
                std::vector<HostTensor> inputs;
                for (size_t i = 0; i < halves.size(); ++i) {
                    inputs.push_back(
                        HostTensor::from(TensorDesc{c.inputs[i], DType::kFloat16, {}}, halves[i], strides));
                }
                const std::vector<HostTensor> got = run(c, inputs, options, DType::kFloat16);
                ASSERT_EQ(got.size(), c.outputs);
                for (size_t o = 0; o < c.outputs; ++o) {
                    const std::vector<float> exact = want[o].values();
                    const std::vector<uint16_t> bits = got[o].values<uint16_t>();
                    ASSERT_EQ(bits.size(), exact.size());
                    for (size_t i = 0; i < exact.size(); ++i) {
                        if (c.relative > 0 || c.absolute > 0) {
                            ASSERT_NEAR(half_to_float(bits[i]), exact[i], c.relative * std::fabs(exact[i]) + c.absolute)
                                << name(isa) << " " << i;
                        } else {
                            ASSERT_EQ(bits[i], float_to_half(exact[i]))
                                << name(isa) << " " << test::name(strides) << " " << i << ": " << exact[i];
                        }
                    }
                }
            }
        }
    }
}

// What the pass asks is what prepare() does.
TEST_P(HalfLayers, SayThatTheyTakeFloat16) {
    ParamDict params;
    for (const auto& [id, value] : GetParam().params) {
        params.set(id, value);
    }
    const auto layer = test::load_layer(GetParam().type, params);
    ASSERT_TRUE(layer.ok()) << layer.status().message();
    EXPECT_EQ((*layer)->half_use(false), HalfUse::kSame);
}

}  // namespace
}  // namespace fw
