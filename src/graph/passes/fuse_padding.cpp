// Lets a convolution pad for itself.
//
//   Padding(1, 1, 1, 1, value 0) -> Convolution(pad 0)   =>   Convolution(pad 1)
#include "graph/pass.h"

namespace fw {

namespace {

// Parameters of a convolution's padding: left, right, top, bottom.
struct Pads {
    int side[4] = {0, 0, 0, 0};
};

// false where the padding depends on the input's size (SAME), or fills with something else than 0.
bool pads_of_convolution(const Node& node, Pads* pads) {
    const ParamDict& params = node.params;
    const int left = params.get(4, 0);
    const int top = params.get(14, left);
    *pads = Pads{{left, params.get(15, left), top, params.get(16, top)}};
    for (const int side : pads->side) {
        if (side < 0 || (side > 0 && params.get(18, 0.0F) != 0.0F)) {
            return false;
        }
    }
    return params.get(18, 0.0F) == 0.0F;
}

bool is_zero_padding(const Node& node) {
    const ParamDict& params = node.params;
    return node.type == "Padding" && node.inputs.size() == 1 && params.get(4, 0) == 0 && params.get(5, 0.0F) == 0.0F &&
           params.get(6, 0) == 0 && params.get(7, 0) == 0 && params.get(8, 0) == 0;
}

}  // namespace

Status pass_fuse_padding(Graph* graph, const PassContext& /*context*/) {
    constexpr int kSensible = 1 << 16;  // keeps the sums far from overflow
    for (const NodeId id : graph->order()) {
        const Node& padding = graph->node(id);
        if (!is_zero_padding(padding)) {
            continue;
        }
        const NodeId next = graph->sole_consumer(padding.outputs[0]);
        if (next == kNone) {
            continue;
        }
        Node& convolution = graph->node(next);
        Pads pads;
        if ((convolution.type != "Convolution" && convolution.type != "ConvolutionDepthWise") ||
            convolution.inputs.size() != 1 || !pads_of_convolution(convolution, &pads)) {
            continue;
        }
        const int ids_of_padding[4] = {2, 3, 0, 1};
        const int ids_of_convolution[4] = {4, 15, 14, 16};
        bool fits = true;
        for (int i = 0; i < 4; ++i) {
            const int extra = padding.params.get(ids_of_padding[i], 0);
            fits = fits && extra >= 0 && extra < kSensible && pads.side[i] < kSensible;
            pads.side[i] += fits ? extra : 0;
        }
        if (!fits) {
            continue;
        }
        for (int i = 0; i < 4; ++i) {
            convolution.params.set(ids_of_convolution[i], pads.side[i]);
        }
        graph->set_input(next, 0, padding.inputs[0]);
        graph->remove_node(id);
    }
    return {};
}

}  // namespace fw
