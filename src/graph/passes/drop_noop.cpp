// Removes layers that hand their input on: Noop, Split, Dropout at inference.
//
//   conv -> Split -> a -> relu          conv -> relu
//                 -> b -> pool    =>         -> pool
//
// A copy stays where its output is wanted under its own name and the input cannot take that name (it is a network input
// or an output itself).
#include <algorithm>

#include "graph/pass.h"

namespace fw {

Status pass_drop_noop(Graph* graph, const PassContext& /*context*/) {
    for (const NodeId id : graph->order()) {
        const Node& node = graph->node(id);
        const bool copies =
            node.type == "Noop" || node.type == "Split" || (node.type == "Dropout" && node.params.get(0, 1.0F) == 1.0F);
        if (!copies || node.inputs.size() != 1) {
            continue;
        }
        const ValueId input = node.inputs[0];
        const std::string& source = graph->node(graph->value(input).producer).type;
        std::vector<ValueId> kept;
        for (const ValueId output : std::vector<ValueId>(node.outputs)) {
            const bool renames = graph->value(output).output;
            if (renames && (graph->value(input).output || source == "Input")) {
                kept.push_back(output);
            } else {
                graph->replace_value(output, input);
                graph->value(output).producer = kNone;
            }
        }
        if (kept.empty()) {
            graph->remove_node(id);
        } else {
            graph->node(id).outputs = kept;
        }
    }
    return {};
}

}  // namespace fw
