// Layer::macs against the definition of each layer, counted by hand.
#include <gtest/gtest.h>

#include "support/layer_runner.h"

namespace fw::test {
namespace {

struct MacsCase {
    const char* type;
    std::map<int, int> params;
    std::vector<int64_t> weights;  ///< elements of each blob
    std::vector<Shape> inputs;
    int64_t macs;
};

class Macs : public testing::TestWithParam<MacsCase> {};

INSTANTIATE_TEST_SUITE_P(
    All, Macs,
    testing::Values(
        // 3x3 kernel, stride 2, padding 1: 5x7 becomes 3x4 pixels of 6 channels from 4.
        MacsCase{"Convolution",
                 {{0, 6}, {1, 3}, {3, 2}, {4, 1}, {5, 1}, {6, 216}},
                 {216, 6},
                 {Shape(4, 5, 7)},
                 int64_t{3} * 4 * 6 * 4 * 9},
        MacsCase{"Convolution", {{0, 6}, {1, 1}, {6, 48}}, {48}, {Shape(8)}, 48},
        // Weights as an input.
        MacsCase{"Convolution", {{0, 6}, {1, 1}, {19, 1}}, {}, {Shape(8, 3, 3), Shape(6, 8, 1, 1)}, int64_t{9} * 6 * 8},
        MacsCase{"ConvolutionDepthWise",
                 {{0, 8}, {1, 3}, {4, 1}, {6, 72}, {7, 8}},
                 {72},
                 {Shape(8, 4, 5)},
                 int64_t{20} * 8 * 9},
        MacsCase{
            "ConvolutionDepthWise", {{0, 8}, {1, 1}, {6, 32}, {7, 2}}, {32}, {Shape(8, 4, 5)}, int64_t{20} * 8 * 4},
        // Every input pixel stamps the kernel.
        MacsCase{
            "Deconvolution", {{0, 6}, {1, 4}, {3, 2}, {6, 384}}, {384}, {Shape(4, 5, 7)}, int64_t{5} * 7 * 4 * 16 * 6},
        MacsCase{"DeconvolutionDepthWise",
                 {{0, 4}, {1, 2}, {3, 2}, {6, 16}, {7, 4}},
                 {16},
                 {Shape(4, 5, 7)},
                 int64_t{5} * 7 * 4 * 4},
        MacsCase{"InnerProduct", {{0, 10}, {2, 240}}, {240}, {Shape(4, 2, 3)}, 240},
        MacsCase{"InnerProduct", {{0, 10}, {2, 60}}, {60}, {Shape(5, 6)}, 300},
        MacsCase{"MatMul", {}, {}, {Shape(3, 4, 5), Shape(3, 5, 6)}, int64_t{3} * 4 * 5 * 6},
        MacsCase{"MatMul", {{0, 1}}, {}, {Shape(3, 4, 5), Shape(6, 5)}, int64_t{3} * 4 * 5 * 6},
        MacsCase{"Gemm", {}, {}, {Shape(4, 5), Shape(5, 6)}, int64_t{4} * 5 * 6},
        MacsCase{"Pooling", {{0, 1}, {4, 1}}, {}, {Shape(4, 5, 7)}, 0}));

TEST_P(Macs, AreThoseOfTheDefinition) {
    const MacsCase& c = GetParam();
    ParamDict dict;
    for (const auto& [id, value] : c.params) {
        dict.set(id, value);
    }
    const std::unique_ptr<Layer> layer = create_layer(c.type);
    ASSERT_NE(layer, nullptr);
    std::vector<Weight> weights;
    for (const int64_t count : c.weights) {
        weights.push_back(Weight::from_floats(std::vector<float>(static_cast<size_t>(count), 1.0F)));
    }
    const Status loaded = layer->load(Params(*find_schema(c.type), dict), weights);
    ASSERT_TRUE(loaded.ok()) << loaded.message();
    std::vector<TensorDesc> in;
    for (const Shape& shape : c.inputs) {
        in.push_back(TensorDesc{shape, DType::kFloat32, {}});
    }
    std::vector<TensorDesc> out(1);
    const Status inferred = layer->infer(in, out);
    ASSERT_TRUE(inferred.ok()) << inferred.message();
    EXPECT_EQ(layer->macs(in, out), c.macs);
}

}  // namespace
}  // namespace fw::test
