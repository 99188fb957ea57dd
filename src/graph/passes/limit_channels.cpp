// Puts back the bounds of channels that equalize_channels took out of a fused Clip, where int8 does not imply them.
//
//   conv (int8 out, saturates at or below every bound)   stays
//   conv (float out) -> readers                          =>   conv -> BinaryOp min(., bounds) -> readers
//
// An int8 output that can hold more than a bound is an error: the table contradicts itself.
#include "graph/pass.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw {

namespace {

// The first channel whose bound is below the largest value of `quant`; the number of channels if none is.
size_t first_unbound(const std::vector<float>& limits, const QuantParams& quant) {
    for (size_t i = 0; i < limits.size(); ++i) {
        if (quantize(limits[i], quant) != kQuantMax) {
            return i;
        }
    }
    return limits.size();
}

bool only_saturating_readers(const Graph& graph, ValueId value, const std::vector<float>& limits) {
    if (graph.value(value).output) {
        return false;
    }
    for (const NodeId reader : graph.consumers(value)) {
        const Node& node = graph.node(reader);
        if (node.type != "Quantize" || !node.is_conversion ||
            first_unbound(limits, graph.value(node.outputs[0]).quant) != limits.size()) {
            return false;
        }
    }
    return true;
}

void insert_minimum(Graph* graph, NodeId id, ScaleTable* table) {
    const ValueId from = graph->node(id).outputs[0];
    const std::vector<float> limits = graph->node(id).channel_limits;
    const std::string name = graph->value(from).name;
    const std::vector<NodeId> readers = graph->consumers(from);
    const ValueId bounds = graph->add_value(name + " bounds");
    const ValueId limited = graph->add_value(name + " limited");
    const auto stated = table->blobs.find(name);
    if (stated != table->blobs.end()) {
        const QuantParams quant = stated->second;
        table->blobs[name + " limited"] = quant;  // for precisions that are chosen after this pass (for_file)
    }
    Node constant;
    constant.type = "MemoryData";
    constant.name = graph->value(bounds).name;
    const auto channels = static_cast<int>(limits.size());
    if (graph->node(id).type == "InnerProduct") {
        constant.params.set(0, channels);
    } else {
        constant.params.set(0, 1);
        constant.params.set(1, 1);
        constant.params.set(2, channels);
    }
    constant.weights.push_back(Weight::from_floats(limits));
    constant.outputs = {bounds};
    graph->add_node(std::move(constant));
    Node minimum;
    minimum.type = "BinaryOp";
    minimum.name = graph->value(limited).name;
    minimum.params.set(0, 5);
    minimum.inputs = {from, bounds};
    minimum.outputs = {limited};
    minimum.reason = "bounds of equalized channels";
    graph->add_node(std::move(minimum));
    for (const NodeId reader : readers) {
        for (size_t slot = 0; slot < graph->node(reader).inputs.size(); ++slot) {
            if (graph->node(reader).inputs[slot] == from) {
                graph->set_input(reader, slot, limited);
            }
        }
    }
}

}  // namespace

Status pass_limit_channels(Graph* graph, const PassContext& context) {
    for (const NodeId id : graph->order()) {
        const std::vector<float>& limits = graph->node(id).channel_limits;
        if (limits.empty()) {
            continue;
        }
        const Value& value = graph->value(graph->node(id).outputs[0]);
        if (value.dtype != DType::kInt8) {
            if (!only_saturating_readers(*graph, graph->node(id).outputs[0], limits)) {
                insert_minimum(graph, id, context.table);
            }
            continue;
        }
        const size_t channel = first_unbound(limits, value.quant);
        if (channel != limits.size()) {
            return Status::error(Code::kInvalidArgument,
                                 "%s: layer '%s': channel %zu is clipped at %g after equalization, but the scale %g of "
                                 "its blob holds larger values",
                                 context.table->source.c_str(), graph->node(id).name.c_str(), channel,
                                 static_cast<double>(limits[channel]), static_cast<double>(value.quant.scale));
        }
    }
    return {};
}

}  // namespace fw
