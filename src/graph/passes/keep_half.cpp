// Keeps blobs between layers that compute in float16 in float16.
//
//   data -> conv1 (fp16) -> pool -> conv2 (fp16) -> softmax
//        =>  data -> conv1 -> pool -> conv2, where only data and what softmax reads are float32
//
// Layers that multiply in float16 convert on their way in and out for nothing; those between them take float16 on all
// sides or on none. No conversion is inserted.
#include <algorithm>

#include "graph/int8_plan.h"
#include "graph/pass.h"

namespace fw {

namespace {

// Values that `node` needs in one type, as far as it looks at their elements.
std::vector<ValueId> values_of(const Node& node) {
    std::vector<ValueId> values = node.outputs;
    for (size_t slot = 0; slot < node.inputs.size(); ++slot) {
        if (!reads_only_shape(node, slot)) {
            values.push_back(node.inputs[slot]);
        }
    }
    return values;
}

}  // namespace

Status pass_keep_half(Graph* graph, const PassContext& context) {
    if (!kHasHalfBlobs || !context.half_use || context.for_file) {
        return {};
    }
    const std::vector<NodeId> order = graph->order();
    // Float16 begins and ends at a layer that multiplies in it.
    if (std::none_of(order.begin(), order.end(), [&](NodeId id) { return graph->node(id).fp16_arithmetic; })) {
        return {};
    }
    std::vector<bool> half(graph->values().size(), false);
    std::vector<HalfUse> use(graph->nodes().size(), HalfUse::kNone);
    for (const NodeId id : order) {
        use[static_cast<size_t>(id)] = context.half_use(*graph, id);
        for (const ValueId value : graph->node(id).outputs) {
            half[static_cast<size_t>(value)] =
                graph->value(value).dtype == DType::kFloat32 && !graph->value(value).output;
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (const NodeId id : order) {
            const std::vector<ValueId> values = values_of(graph->node(id));
            const auto is_half = [&](ValueId value) { return half[static_cast<size_t>(value)]; };
            const HalfUse can = use[static_cast<size_t>(id)];
            if (can == HalfUse::kEach ||
                (can == HalfUse::kSame && std::all_of(values.begin(), values.end(), is_half))) {
                continue;
            }
            for (const ValueId value : values) {
                changed = changed || half[static_cast<size_t>(value)];
                half[static_cast<size_t>(value)] = false;
            }
        }
    }
    for (size_t v = 0; v < half.size(); ++v) {
        if (half[v]) {
            graph->values()[v].dtype = DType::kFloat16;
        }
    }
    return {};
}

}  // namespace fw
