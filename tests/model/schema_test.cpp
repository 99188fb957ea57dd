// The schema tables: sound in themselves, blob lists against hand-typed ones, ids and defaults against the format's
// facts.
#include "model/schema.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "model_test_util.h"
#include "support/data_dir.h"

namespace fw::test {

namespace {

TEST(Schema, TablesAreSound) {
    std::string last;
    for (const LayerSchema* s : all_schemas()) {
        SCOPED_TRACE(s->type);
        EXPECT_LT(last, s->type) << "sorted, each type once";
        last = s->type;
        EXPECT_EQ(find_schema(s->type), s);
        EXPECT_STRNE(s->doc, "");
        EXPECT_TRUE(s->max_inputs < 0 || s->min_inputs <= s->max_inputs);
        EXPECT_TRUE(s->max_outputs < 0 || s->min_outputs <= s->max_outputs);
        EXPECT_GE(s->min_outputs, 1);
        std::set<int> ids;
        for (const ParamSpec& p : s->params) {
            EXPECT_TRUE(ids.insert(p.id).second) << p.id;
            EXPECT_TRUE(p.id >= 0 && p.id <= 31 && p.id != 30 && p.id != 31)
                << p.id << " is free for shape hints and masks";
            EXPECT_STRNE(p.key, "");
            EXPECT_STRNE(p.doc, "") << p.key;
            if (p.default_id >= 0) {
                ASSERT_NE(find_param(*s, p.default_id), nullptr) << p.key;
                EXPECT_EQ(find_param(*s, p.default_id)->kind, p.kind);
            }
        }
    }
    EXPECT_EQ(find_schema("NoSuchLayer"), nullptr);
    EXPECT_EQ(find_schema(""), nullptr);
}

TEST(Schema, HasEveryTypeOfTheClassicSet) {
    for (const char* type : {"Input",
                             "Convolution",
                             "ConvolutionDepthWise",
                             "Deconvolution",
                             "DeconvolutionDepthWise",
                             "InnerProduct",
                             "Pooling",
                             "ReLU",
                             "PReLU",
                             "Clip",
                             "ELU",
                             "CELU",
                             "SELU",
                             "Sigmoid",
                             "TanH",
                             "HardSigmoid",
                             "HardSwish",
                             "Swish",
                             "Mish",
                             "GELU",
                             "AbsVal",
                             "BNLL",
                             "Softplus",
                             "Threshold",
                             "Erf",
                             "BatchNorm",
                             "Scale",
                             "Bias",
                             "Power",
                             "Exp",
                             "Log",
                             "LRN",
                             "MVN",
                             "Normalize",
                             "LayerNorm",
                             "InstanceNorm",
                             "GroupNorm",
                             "RMSNorm",
                             "Eltwise",
                             "BinaryOp",
                             "UnaryOp",
                             "Concat",
                             "Split",
                             "Slice",
                             "Crop",
                             "Padding",
                             "Reshape",
                             "Flatten",
                             "Squeeze",
                             "ExpandDims",
                             "Permute",
                             "ShuffleChannel",
                             "PixelShuffle",
                             "Reorg",
                             "Interp",
                             "Reduction",
                             "Softmax",
                             "ArgMax",
                             "Tile",
                             "Dropout",
                             "Noop",
                             "DeepCopy",
                             "MemoryData",
                             "Gemm",
                             "MatMul",
                             "PriorBox",
                             "DetectionOutput",
                             "Yolov3DetectionOutput",
                             "YoloDetectionOutput",
                             "Quantize",
                             "Dequantize",
                             "Requantize",
                             "Cast",
                             "Embed",
                             "LSTM",
                             "Proposal"}) {
        EXPECT_NE(find_schema(type), nullptr) << type;
    }
}

/// "name:count[*]" of each blob, * = flagged; or the error.
std::string blobs_of(const char* type, std::initializer_list<std::pair<int, int>> values) {
    ParamDict dict;
    for (const auto& [id, value] : values) {
        dict.set(id, value);
    }
    const LayerSchema* schema = find_schema(type);
    std::vector<BlobSpec> specs;
    if (schema->blobs != nullptr) {
        const Status status = schema->blobs(Params(*schema, dict), &specs);
        if (!status.ok()) {
            return std::string("error: ") + status.message();
        }
    }
    std::string out;
    for (const BlobSpec& spec : specs) {
        out += (out.empty() ? "" : " ") + std::string(spec.name) + ":" + std::to_string(spec.count) +
               (spec.flagged ? "*" : "");
    }
    return out;
}

TEST(Schema, ConvolutionBlobs) {
    EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 3}, {6, 108}}), "weight_data:108*");
    EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 3}, {5, 1}, {6, 108}}), "weight_data:108* bias_data:4");
    for (const int term : {1, 2, 100}) {
        EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 3}, {5, 1}, {6, 108}, {8, term}}),
                  "weight_data:108* bias_data:4 weight_data_int8_scales:4 bottom_blob_int8_scales:1");
    }
    for (const int term : {101, 102}) {
        EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 3}, {6, 108}, {8, term}}),
                  "weight_data:108* weight_data_int8_scales:4 bottom_blob_int8_scales:1 top_blob_int8_scales:1");
    }
    EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 3}, {6, 108}, {19, 1}}), "");
    EXPECT_EQ(blobs_of("Convolution", {{0, 0}, {1, 3}, {6, 108}}), "error: num_output (0) is 0, expected at least 1");
    EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 3}, {6, 107}}),
              "error: weight_data_size (6) is 107, not a multiple of num_output 4 x kernel 3x3");
    EXPECT_EQ(blobs_of("Convolution", {{0, 2147483647}, {1, 2147483647}, {6, 2147483647}}),
              "error: weight_data_size (6) is 2147483647, not a multiple of num_output 2147483647 x kernel "
              "2147483647x2147483647");
    EXPECT_EQ(blobs_of("Convolution", {{0, 4}, {1, 1}, {6, -4}}),
              "error: weight_data_size (6) is -4, expected at least 1");
}

TEST(Schema, ConvolutionDepthWiseBlobs) {
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {5, 1}, {6, 72}, {7, 8}, {8, 1}}),
              "weight_data:72* bias_data:8 weight_data_int8_scales:8 bottom_blob_int8_scales:1");
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {6, 72}, {7, 8}, {8, 101}}),
              "weight_data:72* weight_data_int8_scales:8 bottom_blob_int8_scales:1 top_blob_int8_scales:1");
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {6, 144}, {7, 4}, {8, 2}}),
              "weight_data:144* weight_data_int8_scales:1 bottom_blob_int8_scales:1");
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {6, 144}, {7, 4}, {8, 102}}),
              "weight_data:144* weight_data_int8_scales:1 bottom_blob_int8_scales:1 top_blob_int8_scales:1");
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {6, 72}, {7, 3}}),
              "error: group (7) is 3, which does not divide num_output 8");
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {6, 72}, {7, 0}}),
              "error: group (7) is 0, expected at least 1");
    EXPECT_EQ(blobs_of("ConvolutionDepthWise", {{0, 8}, {1, 3}, {6, 72}, {7, 8}, {8, 3}}),
              "error: int8_scale_term (8) is 3, expected 0, 1, 2, 101 or 102");
}

TEST(Schema, OtherWeightedBlobs) {
    EXPECT_EQ(blobs_of("Deconvolution", {{0, 2}, {1, 2}, {11, 3}, {5, 1}, {6, 36}}), "weight_data:36* bias_data:2");
    EXPECT_EQ(blobs_of("Deconvolution", {{0, 2}, {1, 2}, {6, 36}, {28, 1}}), "");
    EXPECT_EQ(blobs_of("DeconvolutionDepthWise", {{0, 2}, {1, 2}, {6, 8}, {7, 2}}), "weight_data:8*");
    EXPECT_EQ(blobs_of("InnerProduct", {{0, 10}, {1, 1}, {2, 50}, {8, 2}}),
              "weight_data:50* bias_data:10 weight_data_int8_scales:10 bottom_blob_int8_scales:1");
    EXPECT_EQ(blobs_of("InnerProduct", {{0, 10}, {2, 51}}),
              "error: weight_data_size (2) is 51, not a multiple of num_output 10");
    EXPECT_EQ(blobs_of("Embed", {{0, 3}, {1, 5}, {2, 1}, {3, 15}, {18, 1}}),
              "weight_data:15* bias_data:3 weight_data_int8_scale:1");
    EXPECT_EQ(blobs_of("LSTM", {{0, 3}, {1, 80}, {3, 5}}),
              "weight_xc_data:80* bias_c_data:20* weight_hc_data:60* weight_hr_data:15*");
    EXPECT_EQ(blobs_of("GRU", {{0, 3}, {1, 36}, {2, 2}}), "weight_xc_data:36* bias_c_data:24* weight_hc_data:54*");
    EXPECT_EQ(blobs_of("RNN", {{0, 3}, {1, 7}}),
              "error: weight_data_size (1) is 7, not a multiple of 3 (gates x units x directions)");
    EXPECT_EQ(blobs_of("Embed", {{0, 3}, {1, 5}, {3, 16}}),
              "error: weight_data_size (3) is 16, expected input_dim x num_output = 15");
}

TEST(Schema, GemmBlobs) {
    EXPECT_EQ(blobs_of("Gemm", {}), "");
    EXPECT_EQ(blobs_of("Gemm", {{4, 1}, {7, 2}, {9, 5}}), "A_data:10*");
    EXPECT_EQ(blobs_of("Gemm", {{5, 1}, {6, 1}, {8, 3}, {9, 5}, {10, 4}}), "B_data:15* C_data:3*");
    EXPECT_EQ(blobs_of("Gemm", {{6, 1}, {10, 0}}), "C_data:1*");
    EXPECT_EQ(blobs_of("Gemm", {{6, 1}, {7, 2}, {10, 1}}), "C_data:2*");
    EXPECT_EQ(blobs_of("Gemm", {{6, 1}, {7, 2}, {10, 2}}), "C_data:2*");
    EXPECT_EQ(blobs_of("Gemm", {{6, 1}, {7, 2}, {8, 3}, {10, 3}}), "C_data:6*");
    EXPECT_EQ(blobs_of("Gemm", {{6, 1}, {10, -1}}), "");
    EXPECT_EQ(blobs_of("Gemm", {{4, 1}, {5, 1}, {7, 2}, {8, 3}, {9, 5}, {18, 1}}),
              "A_data:10* B_data:15* A_data_int8_scales:2 B_data_int8_scale:1");
    EXPECT_EQ(blobs_of("Gemm", {{4, 1}, {9, 5}}), "error: constantM (7) is 0, expected at least 1");
    EXPECT_EQ(blobs_of("Gemm", {{6, 1}, {10, 5}}), "error: constant_broadcast_type_C (10) is 5, expected -1 to 4");
    EXPECT_EQ(blobs_of("Gemm", {{18, 402}}), "error: quantize_term (18) is 402: block-quantized Gemm is not supported");
}

TEST(Schema, AffineAndDataBlobs) {
    EXPECT_EQ(blobs_of("BatchNorm", {{0, 3}}), "slope_data:3 mean_data:3 var_data:3 bias_data:3");
    EXPECT_EQ(blobs_of("Scale", {{0, 3}}), "scale_data:3");
    EXPECT_EQ(blobs_of("Scale", {{0, 3}, {1, 1}}), "scale_data:3 bias_data:3");
    EXPECT_EQ(blobs_of("Scale", {{0, -233}, {1, 1}}), "");
    EXPECT_EQ(blobs_of("Scale", {{0, -1}}), "error: scale_data_size (0) is -1, expected at least 1");
    EXPECT_EQ(blobs_of("Bias", {{0, 3}}), "bias_data:3");
    EXPECT_EQ(blobs_of("PReLU", {{0, 3}}), "slope_data:3");
    EXPECT_EQ(blobs_of("Normalize", {{3, 3}}), "scale_data:3");
    EXPECT_EQ(blobs_of("LayerNorm", {{0, 3}}), "gamma_data:3 beta_data:3");
    EXPECT_EQ(blobs_of("LayerNorm", {{0, 3}, {2, 0}}), "");
    EXPECT_EQ(blobs_of("RMSNorm", {{0, 3}}), "gamma_data:3");
    EXPECT_EQ(blobs_of("InstanceNorm", {{0, 3}}), "gamma_data:3 beta_data:3");
    EXPECT_EQ(blobs_of("GroupNorm", {{0, 2}, {1, 4}}), "gamma_data:4 beta_data:4");
    EXPECT_EQ(blobs_of("GroupNorm", {{0, 3}, {1, 4}}), "error: group (0) is 3, which does not divide channels 4");
    EXPECT_EQ(blobs_of("Padding", {{6, 3}}), "per_channel_pad_data:3");
    EXPECT_EQ(blobs_of("Padding", {}), "");
    EXPECT_EQ(blobs_of("MemoryData", {{0, 2}, {1, 3}, {2, 4}}), "data:24");
    EXPECT_EQ(blobs_of("MemoryData", {{0, 2}, {21, 0}}), "data:2*");
    EXPECT_EQ(blobs_of("MemoryData", {{0, 2}, {21, 2}}), "error: load_type (21) is 2, expected 0 or 1");
    EXPECT_EQ(blobs_of("MemoryData", {}), "error: no extent is given (w, h, d, c are all 0)");
    EXPECT_EQ(blobs_of("MemoryData", {{0, 2147483647}, {1, 2147483647}, {11, 2147483647}, {2, 2147483647}}),
              "error: w x h x d x c is over the limit of 2147483647 elements");
    EXPECT_EQ(blobs_of("Quantize", {{0, 3}}), "scale_data:3");
    EXPECT_EQ(blobs_of("Dequantize", {{1, 3}}), "scale_data:1 bias_data:3");
    EXPECT_EQ(blobs_of("Requantize", {{0, 3}, {2, 3}}), "scale_in_data:3 scale_out_data:1 bias_data:3");
}

TEST(Schema, InputPreprocessingIsChecked) {
    EXPECT_EQ(blobs_of("Input", {{24, 2}}), "");
    EXPECT_EQ(blobs_of("Input", {{24, 4}}), "error: pixel (24) is 4, expected 0 to 3");
    ParamDict dict;
    dict.set(24, 1);
    dict.set(25, std::vector<float>{1, 2});
    const LayerSchema* schema = find_schema("Input");
    std::vector<BlobSpec> specs;
    expect_contains(schema->blobs(Params(*schema, dict), &specs).message(), "mean (25) has 2 values, expected 1 or 3");
}

QuantRule rule_of(const char* type, std::initializer_list<std::pair<int, ParamDict::Value>> values) {
    ParamDict dict;
    for (const auto& [id, value] : values) {
        dict.set(id, value);
    }
    const LayerSchema* schema = find_schema(type);
    return schema->rule(Params(*schema, dict));
}

TEST(Schema, QuantRulesFollowTheParameters) {
    EXPECT_EQ(rule_of("Convolution", {}), QuantRule::kWeighted);
    EXPECT_EQ(rule_of("Pooling", {{0, 0}}), QuantRule::kMove);
    EXPECT_EQ(rule_of("Pooling", {{0, 1}}), QuantRule::kArith);
    EXPECT_EQ(rule_of("Eltwise", {{0, 1}}), QuantRule::kArith);
    EXPECT_EQ(rule_of("Eltwise", {{0, 0}}), QuantRule::kArith);
    EXPECT_EQ(rule_of("BinaryOp", {{0, 2}}), QuantRule::kArith);
    EXPECT_EQ(rule_of("BinaryOp", {{0, 6}}), QuantRule::kFloat);
    EXPECT_EQ(rule_of("BinaryOp", {{0, 6}, {1, 1}}), QuantRule::kPointwise);
    EXPECT_EQ(rule_of("Interp", {{0, 1}}), QuantRule::kMove);
    EXPECT_EQ(rule_of("Interp", {{0, 2}}), QuantRule::kMove);
    EXPECT_EQ(rule_of("Interp", {{0, 3}}), QuantRule::kFloat);
    EXPECT_EQ(rule_of("InstanceNorm", {}), QuantRule::kArith);
    EXPECT_EQ(rule_of("LayerNorm", {}), QuantRule::kArith);
    EXPECT_EQ(rule_of("Reduction", {{0, 3}}), QuantRule::kArith);
    EXPECT_EQ(rule_of("Reduction", {{0, 4}}), QuantRule::kFloat);
    EXPECT_EQ(rule_of("Scale", {{0, 5}}), QuantRule::kArith);
    EXPECT_EQ(rule_of("Scale", {{0, -233}}), QuantRule::kFloat);
    EXPECT_EQ(rule_of("MemoryData", {{0, 1}}), QuantRule::kConstant);
    EXPECT_EQ(rule_of("ReLU", {}), QuantRule::kClamp);
    EXPECT_EQ(rule_of("ReLU", {{0, 0.1F}}), QuantRule::kPointwise);
    EXPECT_EQ(rule_of("Dropout", {}), QuantRule::kMove);
    EXPECT_EQ(rule_of("Dropout", {{0, 0.5F}}), QuantRule::kPointwise);
    EXPECT_EQ(rule_of("PReLU", {{0, 1}}), QuantRule::kPointwise);
    EXPECT_EQ(rule_of("Padding", {{6, 3}}), QuantRule::kFloat);
    EXPECT_EQ(rule_of("Concat", {}), QuantRule::kUnify);
    EXPECT_EQ(rule_of("Softmax", {}), QuantRule::kReader);
}

TEST(Params, DefaultsAndChains) {
    const LayerSchema* conv = find_schema("Convolution");
    ParamDict dict;
    dict.set(1, 3);
    dict.set(4, 2);
    dict.set(14, 7);
    dict.set(10, 0.5F);
    const Params p(*conv, dict);
    EXPECT_EQ(p.i(11), 3);  // kernel_h = kernel_w
    EXPECT_EQ(p.i(15), 2);  // pad_right = pad_left
    EXPECT_EQ(p.i(16), 7);  // pad_bottom = pad_top, given
    EXPECT_EQ(p.i(12), 1);  // dilation_h = dilation_w = 1
    EXPECT_EQ(p.f(18), 0.0F);
    EXPECT_EQ(p.floats(10), std::vector<float>{0.5F});
    EXPECT_TRUE(p.ints(99).empty());
    const ParamDict none;
    const Params clip(*find_schema("Clip"), none);
    EXPECT_EQ(clip.f(0), -3.402823466e+38F);
    EXPECT_EQ(clip.f(1), 3.402823466e+38F);
    EXPECT_EQ(Params(*find_schema("ELU"), none).f(0), 0.1F);
}

TEST(ParamDict, NumbersConvert) {
    ParamDict d;
    d.set(0, 7);
    d.set(1, -2.9F);
    d.set(2, 1e30F);
    d.set(3, -1e30F);
    d.set(4, std::nanf(""));
    d.set(5, std::vector<float>{1.5F, 2});
    d.set(6, std::string("text"));
    EXPECT_EQ(d.get(0, 0.0F), 7.0F);
    EXPECT_EQ(d.get(1, 0), -2);
    EXPECT_EQ(d.get(2, 0), 2147483647);
    EXPECT_EQ(d.get(3, 0), -2147483647 - 1);
    EXPECT_EQ(d.get(4, 5), 0);
    EXPECT_EQ(d.get(5, 9), 9);
    EXPECT_EQ(d.get(6, 9), 9);
    EXPECT_EQ(d.get(6, ""), "text");
    EXPECT_EQ(d.get(0, "none"), "none");
    EXPECT_EQ(d.get_ints(5), (std::vector<int>{1, 2}));
    EXPECT_EQ(d.get_floats(0), std::vector<float>{7.0F});
    EXPECT_TRUE(d.get_ints(6).empty());
    EXPECT_TRUE(d.get_ints(20).empty());
}

/// The facts of the format, where they are at hand: every id, key and default of every type that we describe.
TEST(Schema, AgreesWithTheFormatsFacts) {
    const std::string path = data_dir() + "/formats/ncnn-layers.txt";
    FW_SKIP_WITHOUT(path);
    std::ifstream file(path);
    std::string line;
    int types = 0;
    while (std::getline(file, line)) {
        const size_t colon = line.find(": ");
        if (line.empty() || line[0] == '#' || colon == std::string::npos ||
            find_schema(line.substr(0, colon)) == nullptr) {
            continue;
        }
        const LayerSchema& schema = *find_schema(line.substr(0, colon));
        SCOPED_TRACE(schema.type);
        ++types;
        std::string list = line.substr(colon + 2);
        list = list.substr(0, list.find(" ;;"));
        std::set<int> ids;
        std::istringstream parts(list == "-" ? "" : list);
        for (std::string part; std::getline(parts, part, '|');) {
            std::istringstream words(part);
            int id = -1;
            std::string rest;
            words >> id >> std::ws;
            std::getline(words, rest);
            while (!rest.empty() && rest.back() == ' ') {
                rest.pop_back();
            }
            const std::string key = rest.substr(0, rest.find('='));
            const std::string value = rest.substr(rest.find('=') + 1);
            const ParamSpec* spec = find_param(schema, id);
            ASSERT_NE(spec, nullptr) << part;
            ids.insert(id);
            EXPECT_EQ(spec->key, key);
            if (value.find('/') != std::string::npos) {
                continue;  // a formula of other parameters, which the layer applies where the value is not given
            }
            char* end = nullptr;
            const double number = std::strtod(value.c_str(), &end);
            if (end != value.c_str()) {
                EXPECT_EQ(spec->default_id, -1) << part;
                EXPECT_EQ(static_cast<float>(spec->default_number), static_cast<float>(number)) << part;
                const bool is_float = value.find('.') != std::string::npos;
                EXPECT_EQ(spec->kind, is_float ? ParamKind::kFloat : ParamKind::kInt) << part;
            } else if (value == "false") {
                EXPECT_EQ(spec->kind, ParamKind::kInt) << part;
                EXPECT_EQ(spec->default_number, 0.0) << part;
            } else if (value == "Mat()") {
                EXPECT_TRUE(spec->kind == ParamKind::kInts || spec->kind == ParamKind::kFloats) << part;
            } else if (value == "\"\"") {
                EXPECT_EQ(spec->kind, ParamKind::kString) << part;
            } else if (value == "-FLT_MAX" || value == "FLT_MAX") {
                EXPECT_EQ(spec->default_number, value[0] == '-' ? -3.4028234663852886e38 : 3.4028234663852886e38)
                    << part;
            } else {  // the value of another parameter
                ASSERT_GE(spec->default_id, 0) << part;
                EXPECT_EQ(find_param(schema, spec->default_id)->key, value) << part;
            }
        }
        for (const ParamSpec& spec : schema.params) {
            const std::string type = schema.type;  // the parameters that ncnn does not have
            const bool own = (type == "Input" && spec.id >= 24) || (type == "Interp" && spec.id >= 20) ||
                             (type == "ArgMax" && spec.id >= 2) || (type == "Proposal" && spec.id >= 6) ||
                             (type == "ROIAlign" && spec.id >= 24) ||
                             ((type == "RNN" || type == "GRU" || type == "LSTM") && spec.id == 4);
            EXPECT_TRUE(own || ids.count(spec.id) == 1) << spec.key << " is not in the list of facts";
        }
    }
    EXPECT_EQ(types, static_cast<int>(all_schemas().size()));
}

}  // namespace

}  // namespace fw::test
