// Removes changes of shape that a later one overwrites, and a Permute that keeps the order.
//
//   x -> Reshape -> Flatten -> y         x -> Flatten -> y
//   x -> Flatten -> Reshape(w=10) -> y   x -> Reshape(w=10) -> y
//   x -> Permute(0) -> y                 x -> y
//
// All of them keep the row-major order of the elements, so only the last one's shape counts, unless it copies an extent
// (0) of its input.
#include "graph/pass.h"

namespace fw {

namespace {

bool changes_shape_only(const Node& node) {
    if (node.inputs.size() != 1 || node.outputs.size() != 1) {
        return false;
    }
    // Old Reshape layers permute (id 3), new ones compute their shape from an expression (id 6).
    return node.type == "Flatten" || (node.type == "Reshape" && node.params.get(3, 0) == 0 && !node.params.has(6));
}

bool sets_whole_shape(const Node& node) {
    if (node.type == "Flatten") {
        return true;
    }
    for (const int id : {0, 1, 11, 2}) {
        if (node.params.get(id, -233) == 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

Status pass_simplify_reshape(Graph* graph, const PassContext& /*context*/) {
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        if (node.type == "Permute" && node.params.get(0, 0) == 0 && node.inputs.size() == 1) {
            const ValueId input = node.inputs[0];
            const bool renames = graph->value(node.outputs[0]).output;
            if (!renames ||
                (!graph->value(input).output && graph->node(graph->value(input).producer).type != "Input")) {
                graph->replace_value(node.outputs[0], input);
                graph->remove_node(id);
            }
            continue;
        }
        if (!changes_shape_only(node) || !sets_whole_shape(node)) {
            continue;
        }
        const NodeId before = graph->value(node.inputs[0]).producer;
        if (changes_shape_only(graph->node(before)) && graph->sole_consumer(node.inputs[0]) == id) {
            graph->set_input(id, 0, graph->node(before).inputs[0]);
            graph->remove_node(before);
        }
    }
    return {};
}

}  // namespace fw
