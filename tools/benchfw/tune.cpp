#include "benchfw/tune.h"

#include <algorithm>
#include <map>

#include "graph/attention.h"
#include "graph/pass.h"
#include "graph/precision_cut.h"
#include "model/model_io.h"

namespace fw::bench {

namespace {

using LayerPrecision = ScaleTable::LayerPrecision;

// Runs on int8 inputs by the planner's choice.
bool in_int8(const LayerPlan& step) {
    return step.input_type == DType::kInt8 && !step.is_conversion;
}

// What the layers of a network take, by name, in milliseconds.
class Times {
public:
    Times(const NetResult& in_float, const NetResult& in_int8_where_possible, const Machine& machine) {
        for (const LayerTime& layer : in_float.layers) {
            float_[layer.plan.name] = layer.least_ms;
            elements_[layer.plan.output] = layer.plan.output_shape.count();
        }
        double ms = 0;
        int64_t elements = 0;
        for (const LayerTime& layer : in_int8_where_possible.layers) {
            if (layer.is_copy) {
                continue;
            }
            const int64_t count = layer.plan.output_shape.count();
            if (layer.plan.is_conversion) {
                ms += layer.least_ms;
                elements += count;
            } else if (in_int8(layer.plan)) {
                int8_[layer.plan.name] = layer.least_ms;
                elements_[layer.plan.output] = count;
            } else {
                never_int8_[layer.plan.name] = "runs float although the table allows int8";
            }
        }
        // Nothing was converted: five bytes an element go through memory.
        ms_per_element_ = elements > 0                  ? ms / static_cast<double>(elements)
                          : machine.read_gb_per_s > 0.0 ? 5e-6 / machine.read_gb_per_s
                                                        : 0.0;
    }

    /// A layer that one of the networks does not have was fused into another there.
    double in_float_ms(const std::string& layer) const { return value_of(float_, layer); }
    double in_int8_ms(const std::string& layer) const { return value_of(int8_, layer); }
    double conversion_ms(const std::string& blob) const {
        const auto found = elements_.find(blob);
        return found == elements_.end() ? 0.0 : ms_per_element_ * static_cast<double>(found->second);
    }
    const std::map<std::string, std::string>& never_int8() const { return never_int8_; }
    bool has_choice(const std::string& layer) const { return int8_.count(layer) > 0; }

private:
    static double value_of(const std::map<std::string, double>& times, const std::string& layer) {
        const auto found = times.find(layer);
        return found == times.end() ? 0.0 : found->second;
    }

    std::map<std::string, double> float_, int8_;
    std::map<std::string, int64_t> elements_;  // of blobs
    std::map<std::string, std::string> never_int8_;
    double ms_per_element_ = 0;
};

int64_t picoseconds(double ms) {
    return static_cast<int64_t>(std::min(ms, 1e3) * 1e9);  // a second at most: no sum leaves 60 bits
}

void fill_costs(const Times& times, const Graph& graph, PrecisionCosts* costs) {
    costs->in_float.assign(graph.nodes().size(), 0);
    costs->in_int8.assign(graph.nodes().size(), 0);
    costs->conversion.assign(graph.values().size(), 0);
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        costs->in_float[static_cast<size_t>(id)] = picoseconds(times.in_float_ms(node.name));
        costs->in_int8[static_cast<size_t>(id)] = picoseconds(times.in_int8_ms(node.name));
        for (const ValueId value : node.outputs) {
            // Of several outputs (Split) the steps' list has the first.
            const double ms = times.conversion_ms(graph.value(node.outputs[0]).name);
            costs->conversion[static_cast<size_t>(value)] = picoseconds(ms);
        }
    }
}

Result<NetDef> net_def_of(const Source& source) {
    if (!source.param_path.empty()) {
        return load_net_def(source.param_path.c_str(), source.bin_path.c_str());
    }
    const zoo::ModelFiles& files = source.files;
    FW_ASSIGN_OR_RETURN(NetDef def, parse_param({files.param.data(), files.param.size()}, source.name.c_str()));
    FW_RETURN_IF_ERROR(read_weights({{files.bin.data(), files.bin.size()}, nullptr}, source.name.c_str(), &def));
    return def;
}

// Whether the table speaks of parts of attention, so that they are what it may choose a precision for.
bool splits_attention(const NetDef& def, const ScaleTable& table) {
    return std::any_of(def.layers.begin(), def.layers.end(), [&](const LayerDef& layer) {
        return has_scales_of_parts(table, layer.name, attention_parts(layer.type, layer.name, layer.params));
    });
}

// The layers that run int8 in the cheapest split.
Result<std::map<std::string, bool>> cheapest_split(const NetDef& def, const ScaleTable& table, const Times& times) {
    FW_ASSIGN_OR_RETURN(Graph graph, Graph::build(def));
    const Option option;
    ScaleTable working = table;
    PassContext context;
    context.option = &option;
    context.table = &working;
    context.keep_float = &times.never_int8();
    context.costs = [&times](const Graph& g, PrecisionCosts* costs) {
        fill_costs(times, g, costs);
        return true;
    };
    FW_RETURN_IF_ERROR(run_passes(&graph, context));
    std::map<std::string, bool> int8;
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        if (!node.is_conversion && !node.inputs.empty()) {
            int8[node.name] = graph.value(node.inputs[0]).dtype == DType::kInt8;
        }
    }
    return int8;
}

// The table with a precision for every layer that has a choice and none yet.
ScaleTable with_precisions(const ScaleTable& table, const Times& times, const std::map<std::string, bool>& int8) {
    ScaleTable out = table;
    for (const auto& [layer, runs_int8] : int8) {
        const auto entry = table.layers.find(layer);
        const bool stated = entry != table.layers.end() && entry->second.precision != LayerPrecision::kUnset;
        if (times.has_choice(layer) && !stated) {
            out.layers[layer].precision = runs_int8 ? LayerPrecision::kInt8 : LayerPrecision::kFloat;
        }
    }
    return out;
}

std::map<std::string, bool> precisions_of(const NetResult& result) {
    std::map<std::string, bool> int8;
    for (const LayerTime& layer : result.layers) {
        if (!layer.plan.is_conversion && !layer.is_copy) {
            int8[layer.plan.name] = in_int8(layer.plan);
        }
    }
    return int8;
}

}  // namespace

Result<Tuned> tune(const Source& source, const MeasureOptions& options, const ScaleTable& table,
                   const Machine& machine) {
    FW_ASSIGN_OR_RETURN(const NetDef def, net_def_of(source));
    MeasureOptions how = options;
    how.layers = true;
    MeasureOptions how_pure = how;
    how_pure.split_attention = splits_attention(def, table);
    FW_ASSIGN_OR_RETURN(
        const std::vector<NetResult> pure,
        measure_variants(source, how_pure, {{Precision::kFloat, nullptr}, {Precision::kInt8, &table}}, machine));
    const Times times(pure[0], pure[1], machine);
    FW_ASSIGN_OR_RETURN(const auto split, cheapest_split(def, table, times));
    const ScaleTable by_times = with_precisions(table, times, split);
    const std::vector<Variant> variants = {{Precision::kFloat, nullptr},
                                           {Precision::kInt8, &table},
                                           {Precision::kAuto, &table},
                                           {Precision::kAuto, &by_times}};
    Tuned tuned;
    FW_ASSIGN_OR_RETURN(tuned.measured, measure_variants(source, how, variants, machine));
    tuned.measured.back().name += ":tuned";
    const auto fastest = std::min_element(tuned.measured.begin(), tuned.measured.end(),
                                          [](const NetResult& a, const NetResult& b) { return a.min_ms < b.min_ms; });
    tuned.best = static_cast<size_t>(fastest - tuned.measured.begin());
    std::map<std::string, bool> chosen = precisions_of(*fastest);
    for (const auto& [layer, runs_int8] : precisions_of(pure[1])) {
        chosen.emplace(layer, false);  // fused into another in float
    }
    tuned.table = with_precisions(table, times, chosen);
    for (const auto& [layer, runs_int8] : chosen) {
        if (times.has_choice(layer)) {
            const auto entry = tuned.table.layers.find(layer);
            const bool in_float =
                entry != tuned.table.layers.end() && entry->second.precision == LayerPrecision::kFloat;
            ++(in_float ? tuned.float_layers : tuned.int8_layers);
        }
    }
    return tuned;
}

}  // namespace fw::bench
