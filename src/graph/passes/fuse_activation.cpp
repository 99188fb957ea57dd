// Lets a layer with weights apply the activation that follows it.
//
//   Convolution -> ReLU   =>   Convolution(activation_type 1)
//
// ReLU (with slope), Clip, Sigmoid, Mish, HardSwish. A layer that is to run int8 takes what a clamp can carry, ReLU and
// Clip; and ReLU with slope and HardSwish where the table has no scale for the blob between, which would be float: the
// layer then gives the same bytes without it.
#include "graph/pass.h"
#include "graph/weighted.h"

namespace fw {

namespace {

// activation_type and its parameters for a layer of its own; kActNone = cannot be fused.
int activation_of(const Node& node, std::vector<float>* params) {
    const ParamDict& dict = node.params;
    if (node.inputs.size() != 1 || node.outputs.size() != 1) {
        return kActNone;
    }
    if (node.type == "ReLU") {
        const float slope = dict.get(0, 0.0F);
        if (slope != 0.0F) {
            params->push_back(slope);
            return kActLeakyRelu;
        }
        return kActRelu;
    }
    if (node.type == "Clip") {
        *params = {dict.get(0, -3.402823466e+38F), dict.get(1, 3.402823466e+38F)};
        return kActClip;
    }
    if (node.type == "Sigmoid") {
        return kActSigmoid;
    }
    if (node.type == "Mish") {
        return kActMish;
    }
    if (node.type == "HardSwish") {
        *params = {dict.get(0, 0.2F), dict.get(1, 0.5F)};
        return kActHardSwish;
    }
    return kActNone;
}

// 3x3 at stride 1 may go by Winograd's way, which is worth more than a step less and cannot end in another function.
bool suits_winograd(const Graph& graph, NodeId id) {
    if (graph.node(id).type != "Convolution") {
        return false;
    }
    const Params p = graph.params(id);
    return p.i(1) == 3 && p.i(11) == 3 && p.i(2) == 1 && p.i(12) == 1 && p.i(3) == 1 && p.i(13) == 1;
}

}  // namespace

Status pass_fuse_activation(Graph* graph, const PassContext& context) {
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        if (!is_weighted(node) || node.params.get(kActivationType, 0) != kActNone) {
            continue;
        }
        const NodeId next = graph->sole_consumer(node.outputs[0]);
        if (next == kNone) {
            continue;
        }
        std::vector<float> params;
        const int activation = activation_of(graph->node(next), &params);
        const bool clamps = activation == kActRelu || activation == kActClip;
        const bool through_float = (activation == kActLeakyRelu || activation == kActHardSwish) &&
                                   context.table != nullptr &&
                                   context.table->blobs.count(graph->value(node.outputs[0]).name) == 0 &&
                                   !(context.option->winograd && suits_winograd(*graph, id));
        if (activation == kActNone || (!clamps && !through_float && wants_int8(*graph, node, context.table))) {
            continue;
        }
        node.params.set(kActivationType, activation);
        if (!params.empty()) {
            node.params.set(kActivationParams, params);
        }
        const ValueId output = graph->node(next).outputs[0];
        graph->remove_node(next);
        graph->value(node.outputs[0]).producer = kNone;
        node.outputs[0] = output;
        graph->value(output).producer = id;
    }
    return {};
}

}  // namespace fw
