// Lets a layer with weights apply the point-wise function that follows it to its int8 outputs, while they are in the
// cache.
//
//   Convolution (int8) -> HardSwish (int8, by table)   =>   Convolution (int8, then the table)
//   Convolution (int8, then a sum) -> ReLU (int8)      =>   Convolution (int8, then the sum, then the table)
//
// The scale of the blob in between stays what it is, and the table is the one that the point-wise layer would have: the
// bytes are the same. A blob that is read twice or wanted stays, and so does PReLU, which has a table a channel.
#include "graph/pass.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw {

namespace {

// A clamp that is left behind a layer without a sum is one that fuse_activation must not take.
bool by_table(const Graph& graph, NodeId id, bool behind_sum) {
    const Node& node = graph.node(id);
    const LayerSchema* schema = find_schema(node.type);
    if (schema == nullptr || node.inputs.size() != 1 || node.outputs.size() != 1 || !node.weights.empty() ||
        node.is_conversion) {
        return false;
    }
    const QuantRule rule = schema->rule(graph.params(id));
    return rule == QuantRule::kPointwise || (rule == QuantRule::kClamp && behind_sum);
}

bool is_int8(const Value& value) {
    return value.dtype == DType::kInt8 && value.factors.empty();
}

}  // namespace

Status pass_fuse_table(Graph* graph, const PassContext& /*context*/) {
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        const bool sums = kFusesNeighbours && node.sum != kNone;
        if (node.removed || !(sums || has_constant_weights(node)) || node.channel_limits.size() > 0 ||
            !is_int8(graph->value(node.inputs[0])) || !is_int8(graph->value(node.outputs[0]))) {
            continue;
        }
        const NodeId next = graph->sole_consumer(node.outputs[0]);
        if (next == kNone || !by_table(*graph, next, sums) || !is_int8(graph->value(graph->node(next).outputs[0]))) {
            continue;
        }
        const ValueId output = graph->node(next).outputs[0];
        node.table = next;
        node.before_table = graph->value(node.outputs[0]).quant;
        node.reason += "; applies '" + graph->node(next).name + "' by table";
        graph->remove_node(next);
        graph->value(node.outputs[0]).producer = kNone;
        node.outputs[0] = output;
        graph->value(output).producer = id;
    }
    return {};
}

}  // namespace fw
