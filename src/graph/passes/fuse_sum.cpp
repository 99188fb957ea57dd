// Lets a convolution add a residual to its int8 outputs while they are in the cache.
//
//   Convolution (int8) -> Eltwise (int8 sum with another blob)   =>   Convolution (int8, then the sum)
//
// The scale of the blob in between stays what it is and the sum has the constants that it has by itself: the bytes are
// the same. A blob that is read twice or wanted stays. Where both operands are convolutions, the one that runs later
// takes the sum, so that the other's output is there.
#include "graph/pass.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw {

namespace {

bool is_int8(const Value& value) {
    return value.dtype == DType::kInt8 && value.factors.empty();
}

bool is_convolution(const Graph& graph, const Node& node) {
    return !node.removed && (node.type == "Convolution" || node.type == "ConvolutionDepthWise") &&
           has_constant_weights(node) && node.channel_limits.empty() && is_int8(graph.value(node.inputs[0])) &&
           is_int8(graph.value(node.outputs[0]));
}

bool is_sum_of_two(const Graph& graph, NodeId id) {
    constexpr int kSum = 1;
    const Node& node = graph.node(id);
    const size_t coefficients = node.type == "Eltwise" ? graph.params(id).floats(1).size() : 1;
    return (coefficients == 0 || coefficients == 2) && graph.params(id).i(0) == kSum && node.inputs.size() == 2 &&
           node.inputs[0] != node.inputs[1] && is_int8(graph.value(node.inputs[0])) &&
           is_int8(graph.value(node.inputs[1])) && is_int8(graph.value(node.outputs[0]));
}

}  // namespace

Status pass_fuse_sum(Graph* graph, const PassContext& context) {
    if (!kFusesNeighbours || context.for_device) {
        return {};
    }
    const std::vector<NodeId> order = graph->order();
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
        Node& node = graph->node(*id);
        if (!is_convolution(*graph, node)) {
            continue;
        }
        const NodeId next = graph->sole_consumer(node.outputs[0]);
        if (next == kNone || !is_sum_of_two(*graph, next)) {
            continue;
        }
        const std::vector<ValueId> operands = graph->node(next).inputs;
        const ValueId output = graph->node(next).outputs[0];
        node.sum = next;
        node.sum_slot = operands[0] == node.outputs[0] ? 0 : 1;
        node.before_sum = graph->value(node.outputs[0]).quant;
        node.reason += "; adds '" + graph->node(next).name + "'";
        graph->remove_node(next);
        graph->value(node.outputs[0]).producer = kNone;
        node.outputs[0] = output;
        graph->value(output).producer = *id;
        graph->add_input(*id, operands[1 - node.sum_slot]);
    }
    return {};
}

}  // namespace fw
