// Parameters, weights and shapes that do not fit: an error that names the value, never a crash.
#include <gtest/gtest.h>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;

struct BadCase {
    const char* name;
    const char* type;
    std::vector<std::pair<int, ParamDict::Value>> params;
    std::vector<int> weight_sizes;
    std::vector<Shape> inputs;
    const char* message;  ///< part of it
};

void PrintTo(const BadCase& c, std::ostream* os) {  // NOLINT(readability-identifier-naming)
    *os << c.name;
}

const BadCase kBad[] = {
    {"batchnorm_channels", "BatchNorm", {{0, 4}}, {4, 4, 4, 4}, {Shape(3, 2, 2)}, "[3x2x2]"},
    {"batchnorm_zero", "BatchNorm", {{0, 0}}, {0, 0, 0, 0}, {Shape(3)}, "channels is 0"},
    {"batchnorm_negative", "BatchNorm", {{0, -5}}, {}, {Shape(3)}, "channels is -5"},
    {"batchnorm_weights", "BatchNorm", {{0, 4}}, {4, 4, 3, 4}, {Shape(4)}, "var_data has 3"},
    {"batchnorm_no_weights", "BatchNorm", {{0, 4}}, {}, {Shape(4)}, "slope_data is missing"},
    {"scale_channels", "Scale", {{0, 4}}, {4}, {Shape(5, 2)}, "[5x2]"},
    {"scale_inputs", "Scale", {{0, -233}}, {}, {Shape(5, 2)}, "1 inputs, expected 2"},
    {"scale_second_input", "Scale", {{0, -233}}, {}, {Shape(5, 2), Shape(4)}, "[5x2]"},
    {"scale_second_matrix", "Scale", {{0, -233}}, {}, {Shape(6, 2), Shape(2, 3)}, "[2x3]"},
    {"scale_huge", "Scale", {{0, 2147483647}}, {4}, {Shape(4)}, "scale_data has 4"},
    {"bias_channels", "Bias", {{0, 4}}, {4}, {Shape(5, 2)}, "[5x2]"},
    {"prelu_channels", "PReLU", {{0, 4}}, {4}, {Shape(5, 2)}, "[5x2]"},
    {"prelu_zero", "PReLU", {{0, 0}}, {0}, {Shape(5, 2)}, "num_slope is 0"},
    {"clip_order", "Clip", {{0, 2.0F}, {1, 1.0F}}, {}, {Shape(2)}, "min is 2"},
    {"celu_zero", "CELU", {{0, 0.0F}}, {}, {Shape(2)}, "alpha is 0"},
    {"unaryop", "UnaryOp", {{0, 20}}, {}, {Shape(2)}, "op_type is 20"},
    {"unaryop_negative", "UnaryOp", {{0, -1}}, {}, {Shape(2)}, "op_type is -1"},
    {"binaryop", "BinaryOp", {{0, 12}}, {}, {Shape(2), Shape(2)}, "op_type is 12"},
    {"binaryop_inputs", "BinaryOp", {{0, 0}}, {}, {Shape(2)}, "1 inputs, expected 2"},
    {"binaryop_scalar_inputs", "BinaryOp", {{1, 1}}, {}, {Shape(2), Shape(2)}, "2 inputs, expected 1"},
    {"binaryop_shapes", "BinaryOp", {{0, 0}}, {}, {Shape(2, 3), Shape(4, 3)}, "[4x3]"},
    {"binaryop_ranks", "BinaryOp", {{0, 0}}, {}, {Shape(5), Shape(4, 3, 2)}, "[4x3x2]"},
    {"eltwise", "Eltwise", {{0, 3}}, {}, {Shape(2), Shape(2)}, "op_type is 3"},
    {"eltwise_one", "Eltwise", {{0, 1}}, {}, {Shape(2)}, "1 inputs"},
    {"eltwise_shapes", "Eltwise", {{0, 1}}, {}, {Shape(2), Shape(3)}, "[3]"},
    {"eltwise_coeffs", "Eltwise", {{0, 1}, {1, std::vector<float>{1, 2, 3}}}, {}, {Shape(2), Shape(2)}, "3 coeffs"},
    {"softmax_axis", "Softmax", {{0, 3}, {1, 1}}, {}, {Shape(2, 3, 4)}, "axis is 3"},
    {"softmax_old", "Softmax", {{0, 1}}, {}, {Shape(2, 3, 4)}, "fixbug0"},
    {"reduction_operation", "Reduction", {{0, 11}}, {}, {Shape(2)}, "operation is 11"},
    {"reduction_axis", "Reduction", {{1, 0}, {3, std::vector<int>{-4}}, {5, 1}}, {}, {Shape(2, 3, 4)}, "axis is -4"},
    {"reduction_old", "Reduction", {{1, 0}, {3, std::vector<int>{1}}}, {}, {Shape(2, 3, 4)}, "fixbug0"},
    {"argmax_topk", "ArgMax", {{1, 7}}, {}, {Shape(2, 3)}, "topk is 7"},
    {"argmax_zero", "ArgMax", {{1, 0}}, {}, {Shape(2, 3)}, "topk is 0"},
    {"roialign_version", "ROIAlign", {{0, 2}, {1, 2}}, {}, {Shape(3, 4, 4), Shape(1, 4)}, "version is 0, expected 1"},
    {"roialign_ratio", "ROIAlign", {{0, 2}, {1, 2}, {3, -1}, {5, 1}}, {}, {Shape(3, 4, 4), Shape(4)}, "ratio is -1"},
    {"roialign_regions", "ROIAlign", {{0, 2}, {1, 2}, {5, 1}}, {}, {Shape(3, 4, 4), Shape(2, 3)}, "[2x3]"},
    {"lrn_even", "LRN", {{1, 4}}, {}, {Shape(3, 2, 2)}, "local_size is 4"},
    {"lrn_huge", "LRN", {{1, 2147483647}}, {}, {Shape(3, 2, 2)}, "local_size"},
    {"lrn_region", "LRN", {{0, 2}}, {}, {Shape(3, 2, 2)}, "region_type is 2"},
    {"lrn_rank", "LRN", {}, {}, {Shape(3, 2)}, "[3x2]"},
    {"layernorm_size", "LayerNorm", {{0, 5}, {2, 0}}, {}, {Shape(3, 2)}, "affine_size 5"},
    {"layernorm_weights", "LayerNorm", {{0, 2}}, {2, 3}, {Shape(3, 2)}, "beta_data has 3"},
    {"rmsnorm_zero", "RMSNorm", {{0, 0}}, {0}, {Shape(3, 2)}, "affine_size is 0"},
    {"groupnorm_group", "GroupNorm", {{0, 4}, {1, 6}, {3, 0}}, {}, {Shape(6, 2)}, "4 groups"},
    {"groupnorm_zero", "GroupNorm", {{0, 0}, {1, 6}, {3, 0}}, {}, {Shape(6, 2)}, "group is 0"},
    {"instancenorm_channels", "InstanceNorm", {{0, 4}}, {4, 4}, {Shape(5, 2, 2)}, "[5x2x2]"},
    {"normalize_nothing", "Normalize", {{0, 0}, {4, 0}, {3, 1}}, {1}, {Shape(5, 2, 2)}, "across"},
    {"normalize_mode", "Normalize", {{9, 3}, {3, 1}}, {1}, {Shape(5, 2, 2)}, "eps_mode is 3"},
    {"normalize_channels", "Normalize", {{3, 4}}, {4}, {Shape(5, 2, 2)}, "[5x2x2]"},
    {"exp_base", "Exp", {{0, -2.0F}}, {}, {Shape(2)}, "base is -2"},
    {"cast_type", "Cast", {{1, 9}}, {}, {Shape(2)}, "type_to is 9"},
    {"quantize_count", "Quantize", {{0, 3}}, {2}, {Shape(3, 2)}, "scale_data has 2"},
    {"quantize_channels", "Quantize", {{0, 3}}, {3}, {Shape(4, 2)}, "[4x2]"},
    {"quantize_no_scale", "Quantize", {}, {}, {Shape(4, 2)}, "no scale"},
    {"requantize_activation", "Requantize", {{3, 9}}, {1, 1}, {Shape(4, 2)}, "9"},
    {"attention_heads", "MultiHeadAttention", {{0, 8}, {1, 3}}, {}, {Shape(2, 8)}, "num_heads is 3"},
    {"attention_no_weights_kdim", "MultiHeadAttention", {{0, 8}, {3, 4}}, {}, {Shape(2, 8)}, "kdim (3) is 4"},
    {"attention_no_weights_vdim", "MultiHeadAttention", {{0, 8}, {4, 16}}, {}, {Shape(2, 8)}, "vdim (4) 16"},
    {"attention_no_weights_rows", "MultiHeadAttention", {{0, 8}, {1, 2}}, {}, {Shape(2, 8), Shape(3, 6)}, "[3x6]"},
    {"attention_no_weights_rank", "MultiHeadAttention", {{0, 8}, {1, 2}}, {}, {Shape(8)}, "[8]"},
    {"attention_no_weights_values",
     "MultiHeadAttention",
     {{0, 8}, {1, 2}},
     {},
     {Shape(2, 8), Shape(3, 8), Shape(4, 8)},
     "3 keys and 4 values"},
    {"attention_no_weights_mask",
     "MultiHeadAttention",
     {{0, 8}, {1, 2}, {5, 1}},
     {},
     {Shape(2, 8), Shape(3, 2)},
     "the mask is [3x2]"},
    {"input_negative", "Input", {{0, -3}}, {}, {}, "w is -3"},
    {"input_huge", "Input", {{0, 2000000000}, {1, 2000000000}, {2, 3}}, {}, {}, "too large"},
};

class BadParameters : public testing::TestWithParam<BadCase> {};

TEST_P(BadParameters, IsAnError) {
    const BadCase& c = GetParam();
    ParamDict params;
    for (const auto& [id, value] : c.params) {
        params.set(id, value);
    }
    std::vector<Weight> weights;
    for (const int size : c.weight_sizes) {
        weights.push_back(Weight::from_floats(std::vector<float>(static_cast<size_t>(size), 1.0F)));
    }
    std::vector<HostTensor> inputs;
    for (const Shape& shape : c.inputs) {
        inputs.push_back(HostTensor::floats(shape, std::vector<float>(static_cast<size_t>(shape.count()), 1.0F)));
    }
    const auto result = test::run_layer(c.type, params, weights, inputs);
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.status().code(), Code::kInternal);
    EXPECT_NE(std::string(result.status().message()).find(c.message), std::string::npos) << result.status().message();
}

INSTANTIATE_TEST_SUITE_P(All, BadParameters, testing::ValuesIn(kBad),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(InputLayer, DeclaredShape) {
    ParamDict params;
    params.set(0, 5);
    params.set(1, 4);
    params.set(2, 3);
    auto layer = test::load_layer("Input", params);
    ASSERT_TRUE(layer.ok());
    TensorDesc out[1];
    ASSERT_TRUE((*layer)->infer({}, out).ok());
    EXPECT_EQ(out[0].shape.str(), "[3x4x5]");
    auto free = test::load_layer("Input", {});
    ASSERT_TRUE(free.ok()) << free.status().message();
    ASSERT_TRUE((*free)->infer({}, out).ok());
    EXPECT_EQ(out[0].shape.rank, 0);
}

}  // namespace
}  // namespace fw
