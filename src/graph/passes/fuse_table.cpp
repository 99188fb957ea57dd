// Lets a layer with weights apply the point-wise function that follows it to its int8 outputs, while they are in the
// cache.
//
//   Convolution (int8) -> HardSwish (int8, by table)   =>   Convolution (int8, then the table)
//
// The scale of the blob in between stays what it is, and the table is the one that the point-wise layer would have: the
// bytes are the same. A blob that is read twice or wanted stays, and so does PReLU, which has a table a channel.
#include "graph/pass.h"
#include "graph/weighted.h"

namespace fw {

namespace {

bool by_table(const Graph& graph, NodeId id) {
    const Node& node = graph.node(id);
    const LayerSchema* schema = find_schema(node.type);
    return schema != nullptr && schema->rule(graph.params(id)) == QuantRule::kPointwise && node.inputs.size() == 1 &&
           node.outputs.size() == 1 && node.weights.empty() && !node.is_conversion;
}

bool is_int8(const Value& value) {
    return value.dtype == DType::kInt8 && value.factors.empty();
}

}  // namespace

Status pass_fuse_table(Graph* graph, const PassContext& /*context*/) {
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        if (node.removed || !has_constant_weights(node) || node.channel_limits.size() > 0 ||
            !is_int8(graph->value(node.inputs[0])) || !is_int8(graph->value(node.outputs[0]))) {
            continue;
        }
        const NodeId next = graph->sole_consumer(node.outputs[0]);
        if (next == kNone || !by_table(*graph, next) || !is_int8(graph->value(graph->node(next).outputs[0]))) {
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
