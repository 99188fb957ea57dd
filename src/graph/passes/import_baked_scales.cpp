// Turns an int8 model of ncnn into a float model with a table, so that one path leads to int8.
//
//   Convolution(int8_scale_term 102, weights int8,      Convolution(weights float = q / scale)
//               scales w, bottom, top)              =>  + table: weight scales, input scale, scale of the output blob
//
// The user's table goes first where it says something about the layer. Without one, layers that the model stores as
// float stay float. Without a table in the context (float precision) the scales are dropped.
#include <algorithm>
#include <cmath>

#include "graph/pass.h"
#include "graph/weighted.h"

namespace fw {

namespace {

constexpr int kInt8ScaleTerm = 8;

Status check_scales(const std::vector<float>& scales, const char* what, bool zero_allowed) {
    for (const float scale : scales) {
        // Subnormal: its inverse would be infinite.
        if (!(scale > 0.0F && std::isnormal(scale)) && !(scale == 0.0F && zero_allowed)) {
            return Status::error(Code::kParseError, "%s scale %g is not a finite number from 1.18e-38", what,
                                 static_cast<double>(scale));
        }
    }
    return {};
}

// One scale a channel from one a channel, one a group or one in all.
std::vector<float> per_channel(const std::vector<float>& scales, int channels) {
    std::vector<float> out(static_cast<size_t>(channels));
    for (size_t i = 0; i < out.size(); ++i) {
        out[i] = scales[i * scales.size() / out.size()];
    }
    return out;
}

Status import(Graph* graph, Node* node, ScaleTable* table) {
    const int term = node->params.get(kInt8ScaleTerm, 0);
    FW_RETURN_IF_ERROR(check_weights(*node));
    const size_t first = node->params.get(node->type == "InnerProduct" ? 1 : 5, 0) != 0 ? 2 : 1;
    const bool has_top = term > 100 && node->type != "InnerProduct";
    if (node->weights.size() != first + (has_top ? 3 : 2)) {
        return Status::error(Code::kParseError, "int8_scale_term %d needs %d blobs of scales, the layer has %d", term,
                             has_top ? 3 : 2,
                             static_cast<int>(node->weights.size() - std::min(first, node->weights.size())));
    }
    const int channels = num_output(*node);
    const std::vector<float> stored = node->weights[first].to_floats();
    if (stored.empty() || channels % static_cast<int64_t>(stored.size()) != 0) {
        return Status::error(Code::kParseError, "%zu weight scales do not divide %d channels", stored.size(), channels);
    }
    const std::vector<float> scales = per_channel(stored, channels);
    const std::vector<float> input = node->weights[first + 1].to_floats();
    const std::vector<float> top = has_top ? node->weights[first + 2].to_floats() : std::vector<float>();
    FW_RETURN_IF_ERROR(check_scales(scales, "weight", true));
    FW_RETURN_IF_ERROR(check_scales(input, "input", false));
    FW_RETURN_IF_ERROR(check_scales(top, "output", false));

    if (node->weights[0].storage() == WeightStorage::kInt8) {
        node->weights[0] = node->weights[0].with_scales(scales);
    }
    node->weights.resize(first);
    node->params.erase(kInt8ScaleTerm);
    if (table == nullptr || input.empty()) {
        return {};
    }
    if (table->layers.count(node->name) == 0) {
        ScaleTable::LayerEntry entry;
        entry.weight_scales = scales;
        entry.input.scale = input[0];
        table->layers.emplace(node->name, entry);
        node->weight_scales = scales;  // tells fold_batchnorm to keep its hands off
    }
    if (!top.empty()) {
        table->blobs.emplace(graph->value(node->outputs[0]).name, QuantParams{top[0], 0});
    }
    return {};
}

}  // namespace

Status pass_import_baked_scales(Graph* graph, const PassContext& context) {
    const bool own_scales = context.table != nullptr && context.table->empty();
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        if (!has_constant_weights(node) || node.params.get(kInt8ScaleTerm, 0) == 0) {
            continue;
        }
        const Status status = import(graph, &node, context.table);
        if (!status.ok()) {
            return status.with_prefix("%s:%d: layer '%s'", graph->source().c_str(), node.line, node.name.c_str());
        }
    }
    if (own_scales && !context.table->empty()) {
        for (const Node& node : graph->nodes()) {
            if (!node.removed && is_weighted(node) && context.table->layers.count(node.name) == 0) {
                context.table->layers[node.name].precision = ScaleTable::LayerPrecision::kFloat;
            }
        }
    }
    return {};
}

}  // namespace fw
