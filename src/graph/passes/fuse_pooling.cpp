// Lets a layer with weights that reads a globally pooled int8 blob pool the image itself: the vector of a
// squeeze-excite or of a classifier's head is no blob of its own.
//
//   Pooling (global, int8) -> Convolution 1x1 or InnerProduct (int8)   =>   the latter, which pools its input first
//
// The pooled blob keeps its scale, so the bytes are the same. One that is read twice or wanted stays.
#include "graph/pass.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw {

namespace {

bool is_int8(const Value& value) {
    return value.dtype == DType::kInt8 && value.factors.empty();
}

bool pools_globally(const Graph& graph, NodeId id) {
    constexpr int kGlobal = 4;
    const Node& node = graph.node(id);
    return !node.removed && node.type == "Pooling" && graph.params(id).i(kGlobal) == 1 &&
           is_int8(graph.value(node.inputs[0])) && is_int8(graph.value(node.outputs[0]));
}

// Of a vector, a convolution is 1x1.
bool reads_vectors(const Node& node) {
    return (node.type == "Convolution" || node.type == "InnerProduct") && node.sum == kNone &&
           has_constant_weights(node);
}

}  // namespace

Status pass_fuse_pooling(Graph* graph, const PassContext& context) {
    if (!kFusesNeighbours || context.for_device) {
        return {};
    }
    for (const NodeId id : graph->order()) {
        if (!pools_globally(*graph, id)) {
            continue;
        }
        const NodeId next = graph->sole_consumer(graph->node(id).outputs[0]);
        if (next == kNone || !reads_vectors(graph->node(next))) {
            continue;
        }
        Node& node = graph->node(next);
        node.pooling = id;
        node.reason += "; pools for itself what '" + graph->node(id).name + "' did";
        graph->set_input(next, 0, graph->node(id).inputs[0]);
        graph->remove_node(id);
    }
    return {};
}

}  // namespace fw
