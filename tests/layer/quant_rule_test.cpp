// What a schema promises of int8, the layer keeps: prepare accepts int8 inputs and outputs where the rule says so.
#include <gtest/gtest.h>

#include <map>

#include "layer/layer.h"

namespace fw::test {

namespace {

struct Case {
    std::string name;
    ParamDict params;
    std::vector<Weight> weights = {};
};

ParamDict dict(std::initializer_list<std::pair<int, ParamDict::Value>> values) {
    ParamDict out;
    for (const auto& [id, value] : values) {
        out.set(id, value);
    }
    return out;
}

/// Every operation of two blobs, and with a number.
std::vector<Case> binary_ops() {
    std::vector<Case> cases;
    for (int op = 0; op <= 11; ++op) {
        cases.push_back({"of two " + std::to_string(op), dict({{0, op}})});
        cases.push_back({"with a number " + std::to_string(op), dict({{0, op}, {1, 1}, {2, 1.5F}})});
    }
    return cases;
}

Weight one_value(float value) {
    return Weight::from_floats({value});
}

/// Parameters for the types that cannot do with their defaults, and for rules that depend on them.
std::vector<Case> cases_of(const std::string& type) {
    const std::map<std::string, std::vector<Case>> special = {
        {"Pooling", {{"max", dict({{1, 2}})}, {"average", dict({{0, 1}, {1, 2}})}, {"global", dict({{0, 1}, {4, 1}})}}},
        {"ReLU", {{"plain", {}}, {"leaky", dict({{0, 0.1F}})}}},
        {"Clip", {{"relu6", dict({{0, 0.0F}, {1, 6.0F}})}}},
        {"Eltwise",
         {{"sum", dict({{0, 1}})},
          {"weighted sum", dict({{0, 1}, {1, std::vector<float>{1, -1}}})},
          {"product", dict({{0, 0}})},
          {"maximum", dict({{0, 2}})}}},
        {"BinaryOp", binary_ops()},
        {"PReLU", {{"a slope", dict({{0, 1}}), {Weight::from_floats({0.25F})}}}},
        {"Scale", {{"and bias", dict({{0, 1}, {1, 1}}), {one_value(2.0F), one_value(-1.0F)}}}},
        {"Bias", {{"a channel", dict({{0, 1}}), {one_value(2.0F)}}}},
        {"BatchNorm",
         {{"a channel", dict({{0, 1}}), {one_value(2.0F), one_value(0.5F), one_value(1.0F), one_value(0.0F)}}}},
        {"MemoryData", {{"a number", dict({{0, 1}}), {one_value(2.0F)}}}},
        {"Reduction", {{"sum", {}}, {"mean", dict({{0, 3}})}, {"maximum", dict({{0, 4}})}}},
        {"Dropout", {{"nothing", {}}, {"scale", dict({{0, 0.5F}})}}},
        {"Interp",
         {{"nearest", dict({{0, 1}, {1, 2.0F}, {2, 2.0F}})},
          {"bilinear", dict({{0, 2}, {1, 2.0F}, {2, 2.0F}})},
          {"bicubic", dict({{0, 3}, {1, 2.0F}, {2, 2.0F}})}}},
        {"Slice", {{"halves", dict({{0, std::vector<int>{-233, -233}}})}}},
        {"Reshape", {{"flat", dict({{0, -1}})}}},
        {"ExpandDims", {{"front", dict({{3, std::vector<int>{0}}})}}},
        {"Squeeze", {{"axes", dict({{3, std::vector<int>{0}}})}}},
        {"Permute", {{"hwc", dict({{0, 3}})}}},
        {"PixelShuffle", {{"2", dict({{0, 2}})}}},
        {"Reorg", {{"2", dict({{0, 2}})}}},
        {"Padding", {{"constant", dict({{0, 1}, {2, 1}})}, {"reflect", dict({{0, 1}, {4, 2}})}}},
        {"LayerNorm", {{"plain", dict({{0, 4}, {2, 0}})}}},
        {"RMSNorm", {{"plain", dict({{0, 4}, {2, 0}})}}},
        {"InstanceNorm", {{"plain", dict({{0, 4}, {2, 0}})}}},
        {"GroupNorm", {{"plain", dict({{0, 2}, {1, 4}, {3, 0}})}}},
    };
    const auto found = special.find(type);
    return found != special.end() ? found->second : std::vector<Case>{{"defaults", {}}};
}

TEST(QuantRule, LayersKeepWhatSchemasPromise) {
    int checked = 0;
    for (const LayerSchema* schema : all_schemas()) {
        for (const Case& c : cases_of(schema->type)) {
            const Params params(*schema, c.params);
            const QuantRule rule = schema->rule(params);
            if (rule == QuantRule::kFloat || rule == QuantRule::kWeighted) {
                continue;
            }
            SCOPED_TRACE(std::string(schema->type) + " " + c.name + ": " + name(rule));
            const std::unique_ptr<Layer> layer = create_layer(schema->type);
            ASSERT_NE(layer, nullptr);
            Status status = layer->load(params, c.weights);
            ASSERT_TRUE(status.ok()) << status.message();
            const QuantParams in{20.0F, 0};
            const bool keeps = rule == QuantRule::kMove || rule == QuantRule::kClamp;
            const QuantParams out = keeps ? in : QuantParams{35.0F, -128};
            // Scale's second input would be the scale, which is a weight here.
            const bool one = schema->max_inputs == 1 || rule == QuantRule::kPointwise || !c.weights.empty();
            const size_t input_count = one ? 1 : 2;
            const size_t output_count = schema->max_outputs == 1 ? 1 : 2;
            const std::vector<TensorDesc> inputs(input_count, TensorDesc{Shape(), DType::kInt8, in});
            const std::vector<TensorDesc> outputs(output_count, TensorDesc{Shape(), DType::kInt8, out});
            PrepareContext context;
            context.inputs = inputs;
            context.outputs = outputs;
            status = layer->prepare(context);
            EXPECT_TRUE(status.ok()) << status.message();
            if (rule == QuantRule::kReader) {
                const TensorDesc real{Shape(), DType::kFloat32, {}};
                context.outputs = {&real, 1};
                status = layer->prepare(context);
                EXPECT_TRUE(status.ok()) << status.message();
            }
            ++checked;
        }
    }
    EXPECT_GT(checked, 30);
}

}  // namespace

}  // namespace fw::test
