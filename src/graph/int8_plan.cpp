#include "graph/int8_plan.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw {

namespace {

size_t at(int id) {
    return static_cast<size_t>(id);
}

bool keeps_scale(QuantRule rule) {
    return rule == QuantRule::kMove || rule == QuantRule::kClamp;
}

// Why a layer with weights cannot run int8; empty if it can.
std::string obstacle(const Node& node, const ScaleTable& table) {
    const auto entry = table.layers.find(node.name);
    if (entry == table.layers.end()) {
        if (table.blobs.empty()) {
            return "the table does not name it";
        }
    } else if (entry->second.precision == ScaleTable::LayerPrecision::kFloat) {
        return "the table keeps it float";
    }
    if (!has_constant_weights(node)) {
        return "its weights are no constants";
    }
    if (!check_weights(node).ok()) {
        return check_weights(node).message();
    }
    const int64_t products = node.weights[0].count() / num_output(node);
    if (!accumulator_fits(products)) {
        return "a sum of " + std::to_string(products) + " products may leave int32";
    }
    bool finite = all_finite(bias_of(node));
    if (finite && !node.weights[0].known_finite()) {
        std::vector<float> storage;
        finite = all_finite(node.weights[0].floats(&storage));
        node.weights[0].release_pages();  // until the layer packs them
    }
    return finite ? "" : "a weight or bias is inf or nan";
}

// Does the range of `wide` hold that of `narrow`, but for one level?
bool holds(const QuantParams& wide, const QuantParams& narrow) {
    const auto real = [](const QuantParams& q, int level) {
        return (level - q.zero_point) / static_cast<double>(q.scale);
    };
    const double level = 1.0 / static_cast<double>(wide.scale);
    return real(wide, quant_min(wide)) <= real(narrow, quant_min(narrow)) + level &&
           real(wide, kQuantMax) >= real(narrow, kQuantMax) - level;
}

// A bilinear Interp keeps its input's scale, but means of clipped values are not clipped means.
bool is_mean(const Graph& graph, NodeId id) {
    return graph.node(id).type == "Interp" && graph.params(id).i(0) == 2;
}

// Scales that the table states: of blobs by name, of layers' first inputs.
std::vector<QuantParams> stated_scales(const Graph& graph, const ScaleTable& table, const Int8Plan& plan) {
    std::vector<QuantParams> stated(graph.values().size());
    std::vector<bool> by_name(stated.size(), false);
    for (size_t v = 0; v < stated.size(); ++v) {
        const auto blob = table.blobs.find(graph.values()[v].name);
        if (blob != table.blobs.end()) {
            stated[v] = blob->second;
            by_name[v] = true;
        }
    }
    for (const NodeId id : plan.order) {
        const Node& node = graph.node(id);
        const auto entry = table.layers.find(node.name);
        if (entry == table.layers.end() || !entry->second.input.known() || node.inputs.empty() ||
            by_name[at(node.inputs[0])]) {
            continue;
        }
        QuantParams& scale = stated[at(node.inputs[0])];
        const QuantParams& input = entry->second.input;
        if (scale.known() && scale != input) {
            // One value has one int8 form: the range that no reader finds clipped.
            log(LogLevel::kInfo, "%s: readers of blob '%s' state scales %g and %g, the smaller is used",
                table.source.c_str(), graph.value(node.inputs[0]).name.c_str(), static_cast<double>(scale.scale),
                static_cast<double>(input.scale));
            scale = covering(scale, input);
        } else {
            scale = input;
        }
    }
    return stated;
}

// The scale that holds exactly the values of a constant; unknown where some are no numbers or the scale would not be.
QuantParams range_of(const std::vector<Weight>& weights) {
    std::vector<float> storage;
    if (weights.size() != 1 || weights[0].count() == 0) {
        return {};
    }
    const Span<const float> values = weights[0].floats(&storage);
    if (!all_finite(values)) {
        return {};
    }
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const double largest = std::max(std::fabs(static_cast<double>(*least)), static_cast<double>(*most));
    if (largest == 0.0) {
        return {1.0F, 0};
    }
    // No negative values: all 256 levels.
    const bool positive = *least >= 0.0F;
    const auto scale = static_cast<float>((positive ? 255.0 : 127.0) / largest);
    const bool usable = std::isnormal(scale) && std::isnormal(1.0F / scale);
    return usable ? QuantParams{scale, positive ? -128 : 0} : QuantParams();
}

void turn_float(const std::vector<bool>& drop, const char* reason, Int8Plan* plan) {
    for (const NodeId id : plan->order) {
        if (drop[at(id)]) {
            plan->int8[at(id)] = false;
            plan->reason[at(id)] = reason;
        }
    }
}

// Layers without weights that only feed float layers gain nothing and cost accuracy: takes back those (last ones first)
// whose inputs come in float for free, from a float layer or from one that can write either, as those with weights can.
//
//   conv -> pool (int8) -> Dequantize -> softmax   =>   conv (writes float) -> pool -> softmax
void drop_tails(const Graph& graph, Int8Plan* plan) {
    std::vector<bool> drop(plan->int8.size(), false);
    const auto all_readers_float = [&](ValueId v) {
        return std::all_of(plan->readers[at(v)].begin(), plan->readers[at(v)].end(),
                           [&](NodeId reader) { return !plan->int8[at(reader)] || drop[at(reader)]; });
    };
    for (size_t i = plan->order.size(); i-- > 0;) {
        const NodeId id = plan->order[i];
        const std::vector<ValueId>& outputs = graph.node(id).outputs;
        drop[at(id)] = plan->int8[at(id)] && plan->rule[at(id)] != QuantRule::kWeighted &&
                       std::all_of(outputs.begin(), outputs.end(), all_readers_float);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (const NodeId id : plan->order) {
            if (!drop[at(id)]) {
                continue;
            }
            for (const ValueId input : graph.node(id).inputs) {
                const NodeId producer = graph.value(input).producer;
                const bool free = !plan->int8[at(producer)] || drop[at(producer)] ||
                                  (writes_either(plan->rule[at(producer)]) && all_readers_float(input));
                if (!free) {
                    drop[at(id)] = false;
                    changed = true;
                    break;
                }
            }
        }
    }
    turn_float(drop, "only float layers follow", plan);
}

// Layers without weights that have float inputs and a float reader run float too: one conversion behind them instead of
// one on either side.
//
//   sum -> Quantize -> relu (int8) -> conv          sum -> relu -> Quantize -> conv
//                                  -> Dequantize => sum              -> sum
void drop_heads(const Graph& graph, Int8Plan* plan) {
    std::vector<bool> drop(plan->int8.size(), false);
    for (const NodeId id : plan->order) {
        const std::vector<ValueId>& inputs = graph.node(id).inputs;
        drop[at(id)] = plan->int8[at(id)] && plan->rule[at(id)] != QuantRule::kWeighted &&
                       std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) {
                           const NodeId producer = graph.value(input).producer;
                           return !plan->int8[at(producer)] || drop[at(producer)];
                       });
    }
    for (size_t i = plan->order.size(); i-- > 0;) {
        const NodeId id = plan->order[i];
        // An inner blob that the caller asked for changes nothing: it is to be what it is in the whole network.
        const auto wants_float = [&](ValueId v) {
            return plan->readers[at(v)].empty() ||
                   std::any_of(plan->readers[at(v)].begin(), plan->readers[at(v)].end(),
                               [&](NodeId reader) { return !plan->int8[at(reader)] || drop[at(reader)]; });
        };
        const std::vector<ValueId>& outputs = graph.node(id).outputs;
        drop[at(id)] = drop[at(id)] && std::any_of(outputs.begin(), outputs.end(), wants_float);
    }
    turn_float(drop, "float on both sides", plan);
}

}  // namespace

std::vector<float> used_weight_scales(const Node& node, const ScaleTable& table, const QuantParams& input) {
    const auto channels = static_cast<size_t>(num_output(node));
    const auto entry = table.layers.find(node.name);
    const std::vector<float> stated = entry != table.layers.end() ? entry->second.weight_scales : std::vector<float>();
    std::vector<float> scales(channels);
    if (stated.empty() || channels % stated.size() != 0) {
        std::vector<float> storage;
        scales = absmax_weight_scales(node.weights[0].floats(&storage), static_cast<int>(channels));
        node.weights[0].release_pages();
    } else {
        for (size_t i = 0; i < channels; ++i) {
            scales[i] = stated[i / (channels / stated.size())];
        }
    }
    return fit_weight_scales(input, scales, bias_of(node));
}

QuantParams covering(const QuantParams& a, const QuantParams& b) {
    if (!a.known() || !b.known()) {
        return a.known() ? a : b;
    }
    if (a.zero_point == b.zero_point) {
        return a.scale <= b.scale ? a : b;
    }
    double reach = 0.0;
    for (const QuantParams& q : {a, b}) {
        for (const int end : {quant_min(q), kQuantMax}) {
            reach = std::max(reach, std::fabs((end - q.zero_point) / static_cast<double>(q.scale)));
        }
    }
    return QuantParams{static_cast<float>(127.0 / reach), 0};
}

bool reads_only_shape(const Node& node, size_t slot) {
    return node.type == "PriorBox" ||
           (slot > 0 && (node.type == "Crop" || node.type == "Reshape" || node.type == "Interp"));
}

bool writes_either(QuantRule rule) {
    return rule == QuantRule::kWeighted || rule == QuantRule::kReader;
}

bool has_int8_slot(QuantRule rule, size_t slot) {
    return slot == 0 || rule == QuantRule::kUnify || rule == QuantRule::kArith;
}

bool takes_int8(const Int8Plan& plan, NodeId node, size_t slot) {
    return plan.int8[at(node)] && has_int8_slot(plan.rule[at(node)], slot);
}

bool can_write_int8(const Graph& graph, const Int8Plan& plan, NodeId node) {
    return plan.scale[at(graph.node(node).outputs[0])].known();
}

bool gives_int8(const Graph& graph, const Int8Plan& plan, NodeId id) {
    if (!plan.int8[at(id)]) {
        return false;
    }
    if (!writes_either(plan.rule[at(id)])) {
        return true;
    }
    // Such a layer writes float itself where nobody wants int8.
    const ValueId output = graph.node(id).outputs[0];
    if (!can_write_int8(graph, plan, id)) {
        return false;
    }
    for (const NodeId reader : plan.readers[at(output)]) {
        const std::vector<ValueId>& inputs = graph.node(reader).inputs;
        for (size_t slot = 0; slot < inputs.size(); ++slot) {
            if (inputs[slot] == output && takes_int8(plan, reader, slot)) {
                return true;
            }
        }
    }
    return false;
}

Int8Plan start_int8_plan(const Graph& graph, const PassContext& context) {
    Int8Plan plan;
    plan.order = graph.order();
    plan.readers.resize(graph.values().size());
    plan.rule.assign(graph.nodes().size(), QuantRule::kFloat);
    plan.reason.resize(graph.nodes().size());
    plan.scale.resize(graph.values().size());
    plan.int8.assign(graph.nodes().size(), false);
    for (const NodeId id : plan.order) {
        const Node& node = graph.node(id);
        for (const ValueId input : node.inputs) {
            std::vector<NodeId>& readers = plan.readers[at(input)];
            if (readers.empty() || readers.back() != id) {
                readers.push_back(id);
            }
        }
        std::string& reason = plan.reason[at(id)];
        const LayerSchema* schema = find_schema(node.type);
        const QuantRule rule = schema != nullptr ? schema->rule(graph.params(id)) : QuantRule::kFloat;
        if (node.outputs.empty() || (node.inputs.empty() && rule != QuantRule::kConstant)) {
            reason = "has no int8 form";
            continue;
        }
        const auto entry = context.table->layers.find(node.name);
        const bool kept = context.keep_float != nullptr && context.keep_float->count(node.name) != 0;
        if (rule == QuantRule::kFloat) {
            reason = "has no int8 form";
        } else if (kept) {
            reason = context.keep_float->at(node.name);
        } else if (rule == QuantRule::kWeighted) {
            reason = is_weighted(node) ? obstacle(node, *context.table) : "has no int8 form";
        } else if (entry != context.table->layers.end() &&
                   entry->second.precision == ScaleTable::LayerPrecision::kFloat) {
            reason = "the table keeps it float";
        }
        plan.rule[at(id)] = reason.empty() ? rule : QuantRule::kFloat;
    }
    return plan;
}

void infer_scales(const Graph& graph, const ScaleTable& table, Int8Plan* plan) {
    std::vector<QuantParams> stated = stated_scales(graph, table, *plan);
    for (const NodeId id : plan->order) {
        const Node& node = graph.node(id);
        if (plan->rule[at(id)] == QuantRule::kConstant && !stated[at(node.outputs[0])].known()) {
            stated[at(node.outputs[0])] = range_of(node.weights);
        }
    }
    std::vector<QuantParams>& scale = plan->scale;

    // Backwards: what a value is for decides its scale. A layer that keeps scales or a Concat hands its output's scale
    // to an input that nobody else reads, so that the producer writes what the next layer wants and nothing is
    // rescaled.
    for (size_t i = plan->order.size(); i-- > 0;) {
        for (const ValueId v : graph.node(plan->order[i]).outputs) {
            QuantParams wanted;
            for (const NodeId reader : plan->readers[at(v)]) {
                const Node& node = graph.node(reader);
                const QuantRule rule = plan->rule[at(reader)];
                if ((keeps_scale(rule) && node.inputs[0] == v) || rule == QuantRule::kUnify) {
                    for (const ValueId output : node.outputs) {
                        wanted = covering(wanted, scale[at(output)]);
                    }
                }
            }
            const bool sole =
                plan->readers[at(v)].size() == 1 && graph.node(plan->readers[at(v)][0]).outputs.size() == 1;
            // A blob before a ReLU exists only where it was asked for; the ReLU's scale may not hold its negative
            // values.
            const bool unclamped =
                graph.value(v).output && sole && plan->rule[at(plan->readers[at(v)][0])] == QuantRule::kClamp;
            const bool narrows = wanted.known() && stated[at(v)].known() && sole &&
                                 is_mean(graph, plan->readers[at(v)][0]) && !holds(wanted, stated[at(v)]);
            const bool follow = wanted.known() && ((sole && !unclamped && !narrows) || !stated[at(v)].known());
            scale[at(v)] = follow ? wanted : stated[at(v)];
        }
    }
    // Forwards: what keeps scales has its input's; an average lies within its input's range; a Concat holds all its
    // inputs.
    for (const NodeId id : plan->order) {
        const Node& node = graph.node(id);
        const QuantRule rule = plan->rule[at(id)];
        if (keeps_scale(rule) && scale[at(node.inputs[0])].known()) {
            for (const ValueId output : node.outputs) {
                scale[at(output)] = scale[at(node.inputs[0])];
            }
        } else if (rule == QuantRule::kUnify && !scale[at(node.outputs[0])].known()) {
            QuantParams all = scale[at(node.inputs[0])];
            for (const ValueId input : node.inputs) {
                all = scale[at(input)].known() && all.known() ? covering(all, scale[at(input)]) : QuantParams();
            }
            scale[at(node.outputs[0])] = all;
        } else if (rule == QuantRule::kArith && node.type == "Pooling" && !scale[at(node.outputs[0])].known()) {
            scale[at(node.outputs[0])] = scale[at(node.inputs[0])];
        }
    }
}

void find_possible(const Graph& graph, Int8Plan* plan) {
    for (const NodeId id : plan->order) {
        const Node& node = graph.node(id);
        if (plan->rule[at(id)] == QuantRule::kFloat) {
            continue;
        }
        bool known = true;
        std::string unknown;
        const auto need = [&](ValueId v) {
            if (!plan->scale[at(v)].known()) {
                known = false;
                unknown = graph.value(v).name;
            }
        };
        const bool one_input = writes_either(plan->rule[at(id)]) || plan->rule[at(id)] == QuantRule::kMove;
        for (size_t slot = 0; slot < (one_input ? 1 : node.inputs.size()); ++slot) {
            need(node.inputs[slot]);
        }
        if (!writes_either(plan->rule[at(id)])) {
            for (const ValueId output : node.outputs) {
                need(output);
            }
        }
        plan->int8[at(id)] = known;
        if (!known) {
            plan->reason[at(id)] = "the table has no scale for blob '" + unknown + "'";
        }
    }
}

void drop_needless(const Graph& graph, Int8Plan* plan) {
    drop_tails(graph, plan);
    drop_heads(graph, plan);
}

}  // namespace fw
