#include "fwopt/bake_int8.h"

#include <algorithm>

#include "graph/int8_plan.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw::opt {

namespace {

constexpr int kGroup = 7;
constexpr int kInt8ScaleTerm = 8;

// ncnn's values of int8_scale_term: what its own ncnn2int8 writes. Above 100 the scale of the output follows.
int scale_term(const Node& node, bool with_top) {
    return (node.type == "ConvolutionDepthWise" ? 1 : 2) + (with_top ? 100 : 0);
}

// One scale a group: the smallest of its channels, which clips none of them. 0 where all are dead.
std::vector<float> per_group(const std::vector<float>& scales, size_t groups) {
    std::vector<float> out(groups, 0.0F);
    for (size_t i = 0; i < scales.size(); ++i) {
        float& scale = out[i * groups / scales.size()];
        if (scales[i] > 0.0F && (scale == 0.0F || scales[i] < scale)) {
            scale = scales[i];
        }
    }
    return out;
}

void bake(Node* node, const QuantParams& input, const QuantParams& top, const ScaleTable& table, BakeResult* result) {
    const std::vector<float> scales = used_weight_scales(*node, table, input);
    std::vector<float> stored = scales;
    std::vector<float> used = scales;
    if (node->type == "ConvolutionDepthWise") {
        stored = per_group(scales, static_cast<size_t>(node->params.get(kGroup, 1)));
        const size_t repeat = scales.size() / stored.size();
        bool same = true;
        for (size_t i = 0; i < used.size(); ++i) {
            used[i] = scales[i] > 0.0F ? stored[i / repeat] : 0.0F;  // a dead channel's weights stay zeros
            same = same && used[i] == scales[i];
        }
        if (!same) {
            result->notes.push_back("layer '" + node->name +
                                    "': the file holds one weight scale a group, the smallest of its channels is used");
        }
    }
    std::vector<float> storage;
    std::vector<int8_t> bytes;
    quantize_weights(node->weights[0].floats(&storage), used, &bytes);
    node->weights[0] = Weight::from_int8(std::move(bytes));
    node->weights.push_back(Weight::from_floats(std::move(stored)));
    node->weights.push_back(Weight::from_floats({input.scale}));
    if (top.known()) {
        node->weights.push_back(Weight::from_floats({top.scale}));
    }
    node->params.set(kInt8ScaleTerm, scale_term(*node, top.known()));
    ++result->layers;
}

}  // namespace

void make_symmetric(ScaleTable* table, BakeResult* result) {
    int changed = 0;
    const auto change = [&](QuantParams* q) {
        if (q->known() && q->zero_point != 0) {
            *q = covering(*q, QuantParams{q->scale, 0});
            ++changed;
        }
    };
    for (auto& [name, entry] : table->layers) {
        change(&entry.input);
    }
    for (auto& [name, quant] : table->blobs) {
        change(&quant);
    }
    if (changed != 0) {
        result->notes.push_back(
            "scales with a zero point, which the file cannot hold, replaced by the symmetric ones of the same range: " +
            std::to_string(changed));
    }
}

void bake_int8(Graph* graph, const PassContext& context, const std::set<std::string>& with_top, BakeResult* result) {
    const ScaleTable& table = *context.table;
    Int8Plan plan = start_int8_plan(*graph, context);
    infer_scales(*graph, table, &plan);
    find_possible(*graph, &plan);
    for (const NodeId id : plan.order) {
        const auto n = static_cast<size_t>(id);
        Node& node = graph->node(id);
        if (!is_weighted(node)) {
            continue;
        }
        const auto entry = table.layers.find(node.name);
        const bool asked = entry != table.layers.end() && entry->second.precision != ScaleTable::LayerPrecision::kFloat;
        std::string reason = plan.reason[n];
        if (plan.int8[n] && node.type.compare(0, 6, "Deconv") == 0) {
            reason = "ncnn has no int8 form of " + node.type;
        } else if (plan.int8[n] && plan.scale[static_cast<size_t>(node.inputs[0])].zero_point != 0) {
            reason = "its input is a constant with a zero point";
        } else if (plan.int8[n]) {
            const QuantParams& output = plan.scale[static_cast<size_t>(node.outputs[0])];
            const bool top = with_top.count(node.name) != 0 && output.zero_point == 0;
            bake(&node, plan.scale[static_cast<size_t>(node.inputs[0])], top ? output : QuantParams(), table, result);
            continue;
        }
        if (asked || plan.int8[n]) {
            result->notes.push_back("layer '" + node.name + "' stays float: " + reason);
        }
    }
}

}  // namespace fw::opt
