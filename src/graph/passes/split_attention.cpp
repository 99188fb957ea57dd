// Takes attention apart, so that its projections can run int8; the scores, their softmax and the context stay float.
//
//   x -> MultiHeadAttention m -> y
//
//        x -> InnerProduct m/query -+
//   =>   x -> InnerProduct m/key   -+-> MultiHeadAttention m/context (no projections) -> InnerProduct m/out -> y
//        x -> InnerProduct m/value -+
//
// where the table speaks of one of the parts and does not keep all of them float, or Option::split_attention asks for
// it. In float the whole layer is as fast and takes less memory. The scale of the scores goes into m/query, as the
// layer itself has it.
#include <algorithm>

#include "graph/attention.h"
#include "graph/pass.h"

namespace fw {

namespace {

bool has_node(const Graph& graph, const std::string& name) {
    const std::vector<Node>& nodes = graph.nodes();
    return std::any_of(nodes.begin(), nodes.end(),
                       [&name](const Node& node) { return !node.removed && node.name == name; });
}

// Weights as the parameters have them, which the readers of files see to, as many inputs as the layer takes, and names
// that are free.
bool can_be_split(const Graph& graph, const Node& node, const std::vector<AttentionPart>& parts) {
    const bool masked = node.params.get(5, 0) != 0;
    const size_t rows = node.inputs.size() - (masked ? 1 : 0);
    if (node.weights.size() != 8 || node.outputs.size() != 1 || node.inputs.empty() || rows < 1 || rows > 3) {
        return false;
    }
    size_t weight = 0;
    for (const AttentionPart& part : parts) {
        if (graph.find_value(part.name) != kNone || has_node(graph, part.name)) {
            return false;
        }
        if (part.type == "InnerProduct") {
            if (node.weights[weight].count() != part.params.get(2, 0) ||
                node.weights[weight + 1].count() != part.params.get(0, 0)) {
                return false;
            }
            weight += 2;
        }
    }
    return true;
}

Weight times(float factor, const Weight& weight) {
    std::vector<float> values = weight.to_floats();
    std::transform(values.begin(), values.end(), values.begin(), [factor](float value) { return factor * value; });
    return Weight::from_floats(std::move(values));
}

void split(Graph* graph, NodeId id, const std::vector<AttentionPart>& parts) {
    const Node whole = graph->node(id);
    graph->remove_node(id);
    const auto add = [&](size_t part, std::vector<ValueId> inputs, size_t first_weight) {
        Node node;
        node.type = parts[part].type;
        node.name = parts[part].name;
        node.params = parts[part].params;
        node.line = whole.line;
        node.inputs = std::move(inputs);
        if (part != kContext) {
            node.weights = {whole.weights[first_weight], whole.weights[first_weight + 1]};
        }
        if (part == kQuery) {
            for (Weight& weight : node.weights) {
                weight = times(attention_scale(whole.params), weight);
            }
        }
        const ValueId output = part == kOut ? whole.outputs[0] : graph->add_value(node.name);
        node.outputs = {output};
        graph->add_node(std::move(node));
        return output;
    };
    const bool masked = whole.params.get(5, 0) != 0;
    const size_t rows = whole.inputs.size() - (masked ? 1 : 0);
    std::vector<ValueId> projected;
    for (size_t i = 0; i < 3; ++i) {
        projected.push_back(add(kQuery + i, {whole.inputs[std::min(i, rows - 1)]}, 2 * i));
    }
    if (masked) {
        projected.push_back(whole.inputs.back());
    }
    add(kOut, {add(kContext, std::move(projected), 0)}, 6);
}

}  // namespace

Status pass_split_attention(Graph* graph, const PassContext& context) {
    if (find_schema("InnerProduct") == nullptr) {
        return {};  // FW_LAYERS left it out
    }
    for (const NodeId id : graph->order()) {
        const Node& node = graph->node(id);
        const std::vector<AttentionPart> parts = attention_parts(node.type, node.name, node.params);
        const bool wanted = context.option->split_attention ||
                            (context.table != nullptr && has_scales_of_parts(*context.table, node.name, parts));
        if (!parts.empty() && wanted && can_be_split(*graph, node, parts)) {
            split(graph, id, parts);
        }
    }
    return {};
}

}  // namespace fw
