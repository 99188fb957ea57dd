// Takes the scales that a graph carries as pairs of conversions: what training with quantization in the loop leaves.
//
//   x -> Quantize(s) -> q -> Dequantize(1 / s) -> y -> reader     =>     x -> reader, table: blob x has scale s
//
// One scale for the whole blob, and q read by such Dequantize layers only. The user's table goes first where it names
// the blob. Without a table in the context (float precision) the pairs are dropped all the same: they only round.
#include <cmath>

#include "graph/pass.h"

namespace fw {

namespace {

// The scale of a Quantize, or the factor of a Dequantize without bias; 0 for anything else.
float single_scale(const Node& node, const char* type) {
    if (node.type != type || node.is_conversion || node.inputs.size() != 1 || node.weights.size() != 1 ||
        node.weights[0].count() != 1) {
        return 0.0F;
    }
    const float scale = node.weights[0].to_floats()[0];
    return std::isnormal(scale) && scale > 0.0F ? scale : 0.0F;
}

bool inverse(float scale, float factor) {
    // Written as 1 / s by whatever made the file: equal but for the rounding of decimal digits.
    return factor > 0.0F && std::fabs(static_cast<double>(scale) * static_cast<double>(factor) - 1.0) < 1e-5;
}

}  // namespace

Status pass_import_fake_quant(Graph* graph, const PassContext& context) {
    for (const NodeId id : graph->order()) {
        const float scale = single_scale(graph->node(id), "Quantize");
        if (scale == 0.0F) {
            continue;
        }
        const ValueId x = graph->node(id).inputs[0];
        const ValueId q = graph->node(id).outputs[0];
        const std::vector<NodeId> readers = graph->consumers(q);
        bool pair = !readers.empty() && !graph->value(q).output;
        for (const NodeId reader : readers) {
            // A wanted blob keeps its layer where its name would pass to x, which has one.
            pair = pair && inverse(scale, single_scale(graph->node(reader), "Dequantize")) &&
                   !graph->value(graph->node(reader).outputs[0]).output;
        }
        if (!pair) {
            continue;
        }
        if (context.table != nullptr) {
            context.table->blobs.emplace(graph->value(x).name, QuantParams{scale, 0});
        }
        for (const NodeId reader : readers) {
            graph->replace_value(graph->node(reader).outputs[0], x);
            graph->remove_node(reader);
        }
        graph->remove_node(id);
    }
    return {};
}

}  // namespace fw
