// Gives every value a type and a scale, and puts conversions where int8 and float meet.
//
//   data -> conv1 -> pool -> conv2 -> softmax
//        =>  data -> Quantize -> conv1 (int8) -> pool (int8) -> conv2 (int8 in, float out) -> softmax
//
// What a layer type can do is its schema's QuantRule; int8_plan.h holds the reasoning. A value has one int8 form: one
// Quantize (or Dequantize) node serves all its readers.
#include <algorithm>

#include "graph/int8_plan.h"
#include "graph/precision_cut.h"
#include "graph/weighted.h"

namespace fw {

namespace {

void set_int8(Value* value, const QuantParams& quant) {
    value->dtype = DType::kInt8;
    value->quant = quant;
}

const char* reason_of(QuantRule rule) {
    switch (rule) {
        case QuantRule::kWeighted: return "the table has its scales";
        case QuantRule::kMove:
        case QuantRule::kClamp: return "keeps its input's scale";
        case QuantRule::kReader: return "its input is int8";
        default: return "the scales of its blobs are known";
    }
}

// Puts a node behind `from` that makes its other form, and lets `slots` of the readers read that.
void insert_conversion(Graph* graph, ValueId from, bool to_int8, const QuantParams& quant,
                       const std::vector<std::pair<NodeId, size_t>>& slots) {
    const std::string name = graph->value(from).name + (to_int8 ? " int8" : " float");
    const ValueId to = graph->add_value(name);
    if (to_int8) {
        set_int8(&graph->value(to), quant);
    }
    Node node;
    node.type = to_int8 ? "Quantize" : "Dequantize";
    node.name = name;
    node.inputs = {from};
    node.outputs = {to};
    node.is_conversion = true;
    node.weights.push_back(Weight::from_floats({quant.scale}));
    node.reason = to_int8 ? "int8 layers read it" : "float layers read it";
    graph->add_node(std::move(node));
    for (const auto& [reader, slot] : slots) {
        graph->set_input(reader, slot, to);
    }
}

// Layers that an earlier choice names follow it; others (the ReLU that is fused there) run as what they read.
void follow(const Graph& graph, const std::map<std::string, bool>& decided, Int8Plan* plan) {
    for (const NodeId id : plan->order) {
        const auto n = static_cast<size_t>(id);
        if (!plan->int8[n]) {
            continue;
        }
        const Node& node = graph.node(id);
        const auto found = decided.find(node.name);
        const bool as_input =
            node.inputs.empty() || plan->int8[static_cast<size_t>(graph.value(node.inputs[0]).producer)];
        plan->int8[n] = found != decided.end() ? found->second : as_input;
        if (!plan->int8[n]) {
            plan->reason[n] = "the whole network has it in float";
        }
    }
}

void choose(const Graph& graph, const PassContext& context, Int8Plan* plan) {
    if (context.decided != nullptr) {
        follow(graph, *context.decided, plan);
        return;
    }
    PrecisionCosts costs;
    if (context.option->precision == Precision::kInt8 || !context.costs || !context.costs(graph, &costs)) {
        drop_needless(graph, plan);
        return;
    }
    if (context.option->fp16 && !costs.in_fp16.empty()) {
        std::transform(costs.in_float.begin(), costs.in_float.end(), costs.in_fp16.begin(), costs.in_float.begin(),
                       [](int64_t in_float, int64_t in_fp16) { return std::min(in_float, in_fp16); });
    }
    std::vector<bool> wished(graph.nodes().size(), false);
    for (const NodeId id : plan->order) {
        const auto entry = context.table->layers.find(graph.node(id).name);
        wished[static_cast<size_t>(id)] = entry != context.table->layers.end() && plan->int8[static_cast<size_t>(id)] &&
                                          entry->second.precision == ScaleTable::LayerPrecision::kInt8;
    }
    choose_by_cost(graph, costs, wished, plan);
}

}  // namespace

Status pass_propagate_int8(Graph* graph, const PassContext& context) {
    for (Node& node : graph->nodes()) {
        node.weight_scales.clear();
    }
    if (context.table == nullptr || context.table->empty() || context.for_file) {
        return {};
    }
    Int8Plan plan = start_int8_plan(*graph, context);
    infer_scales(*graph, *context.table, &plan);
    find_possible(*graph, &plan);
    choose(*graph, context, &plan);

    const size_t values = graph->values().size();
    for (const NodeId id : plan.order) {
        Node& node = graph->node(id);
        const auto n = static_cast<size_t>(id);
        node.reason = plan.int8[n] ? reason_of(plan.rule[n]) : plan.reason[n];
        if (plan.int8[n] && !plan.reason[n].empty()) {
            node.reason += "; " + plan.reason[n];
        }
        if (!plan.int8[n]) {
            continue;
        }
        if (plan.rule[n] == QuantRule::kWeighted) {
            node.weight_scales =
                used_weight_scales(node, *context.table, plan.scale[static_cast<size_t>(node.inputs[0])]);
        }
        if (gives_int8(*graph, plan, id)) {
            for (const ValueId output : node.outputs) {
                set_int8(&graph->value(output), plan.scale[static_cast<size_t>(output)]);
            }
        }
    }
    for (size_t v = 0; v < values; ++v) {
        const bool is_int8 = graph->values()[v].dtype == DType::kInt8;
        std::vector<std::pair<NodeId, size_t>> slots;  // that read the other form
        for (const NodeId reader : plan.readers[v]) {
            const std::vector<ValueId>& inputs = graph->node(reader).inputs;
            for (size_t slot = 0; slot < inputs.size(); ++slot) {
                const bool any = reads_only_shape(graph->node(reader), slot);
                if (inputs[slot] == static_cast<ValueId>(v) && !any && takes_int8(plan, reader, slot) != is_int8) {
                    slots.emplace_back(reader, slot);
                }
            }
        }
        if (!slots.empty()) {
            insert_conversion(graph, static_cast<ValueId>(v), !is_int8, plan.scale[v], slots);
        }
    }
    return {};
}

}  // namespace fw
