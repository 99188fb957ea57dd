#include "calibrate/make_table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/parallel.h"
#include "graph/pass.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw::tools {

namespace {

constexpr size_t kNamed = 3;  // blobs that a note names

Result<std::vector<float>> weight_scales(const Graph& graph, NodeId id, const TableOptions& options) {
    const Node& node = graph.node(id);
    std::vector<float> storage;
    const Span<const float> weights = node.weights[0].floats(&storage);
    std::vector<float> scales = options.mse_weights ? mse_weight_scales(weights, num_output(node))
                                                    : absmax_weight_scales(weights, num_output(node));
    for (size_t channel = 0; channel < scales.size(); ++channel) {
        if (!std::isfinite(scales[channel])) {
            return Status::error(Code::kInvalidArgument, "layer '%s': weights of channel %zu give no finite scale",
                                 node.name.c_str(), channel);
        }
    }
    if (options.layer_scales) {
        float least = INFINITY;
        for (const float scale : scales) {
            least = scale > 0.0F ? std::min(least, scale) : least;  // 0: a channel without weights
        }
        std::replace_if(
            scales.begin(), scales.end(), [](float scale) { return scale > 0.0F; }, least);
    }
    return scales;
}

bool is_quantized(const Node& node) {
    const LayerSchema* schema = find_schema(node.type);
    return schema != nullptr && schema->quant == QuantRule::kWeighted && has_constant_weights(node);
}

Status nothing_to_quantize(const NetDef& net) {
    return Status::error(Code::kInvalidArgument, "%s: has no layer that can be quantized", net.source.c_str());
}

// Lowers the range until every bound that equalization took out of the activation lies at or beyond its end.
void hold_limits(const std::vector<float>& limits, QuantParams* quant) {
    for (const float limit : limits) {
        while (quantize(limit, *quant) != kQuantMax) {
            quant->scale = std::max(static_cast<float>((kQuantMax - quant->zero_point) / static_cast<double>(limit)),
                                    std::nextafter(quant->scale, INFINITY));
        }
    }
}

// What is known of every blob, by name; from `scaled` where it has the blob.
std::vector<std::pair<std::string, const ActivationStatistics*>> seen_values(const Statistics& statistics,
                                                                             const Statistics& scaled) {
    std::vector<std::pair<std::string, const ActivationStatistics*>> seen;
    for (const auto& [blob, original] : statistics.blobs) {
        const auto replaced = scaled.blobs.find(blob);
        seen.emplace_back(blob, replaced == scaled.blobs.end() ? &original.values : &replaced->second.values);
    }
    return seen;
}

// The scale of every blob, by name. Says in `*notes` how many of them the method had too few values for.
std::vector<std::pair<std::string, Result<QuantParams>>> activation_scales(const Statistics& statistics,
                                                                           const Statistics& scaled,
                                                                           const TableOptions& options,
                                                                           std::vector<std::string>* notes) {
    const auto seen = seen_values(statistics, scaled);
    std::vector<std::pair<std::string, Result<QuantParams>>> scales;
    std::string lacking;
    size_t count = 0;
    for (const auto& [blob, values] : seen) {
        scales.emplace_back(blob, QuantParams());
        if (values->histogram.count() > 0 && lacks_values(*values, options.threshold)) {
            lacking += ++count <= kNamed ? (count == 1 ? "" : ", ") + blob : "";
        }
    }
    if (count > 0) {
        notes->push_back("kl: " + std::to_string(count) + " of " + std::to_string(seen.size()) + " blobs (" + lacking +
                         (count > kNamed ? ", ...)" : ")") + " have fewer than " +
                         std::to_string(options.threshold.least_for_kl) +
                         " values other than 0 in all images: their range is that of minmax");
    }
    parallel_for(static_cast<int64_t>(scales.size()), options.threads, [&](int64_t i) {
        const auto at = static_cast<size_t>(i);
        scales[at].second = activation_quant(*seen[at].second, options.threshold);
    });
    return scales;
}

}  // namespace

Result<Graph> corrected_graph(const NetDef& net, const ScaleTable& table) {
    FW_ASSIGN_OR_RETURN(Graph graph, optimized_graph(net));
    ScaleTable working = table;
    const Option option;
    PassContext context;
    context.option = &option;
    context.table = &working;
    for (const Pass& pass : all_passes()) {
        if (std::string(pass.name) == "equalize_channels") {
            FW_RETURN_IF_ERROR(pass.run(&graph, context));
        }
    }
    return graph;
}

Result<Graph> optimized_graph(const NetDef& net) {
    FW_ASSIGN_OR_RETURN(Graph graph, Graph::build(net));
    Option option;
    option.split_attention = true;
    PassContext context;
    context.option = &option;
    FW_RETURN_IF_ERROR(run_passes(&graph, context));
    return graph;
}

Status check_quantizable(const NetDef& net) {
    FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(net));
    const auto& order = graph.order();
    const bool any = std::any_of(order.begin(), order.end(), [&](NodeId id) { return is_quantized(graph.node(id)); });
    return any ? Status() : nothing_to_quantize(net);
}

Result<ScaleTable> make_table(const NetDef& net, const Statistics& statistics, const LayerFactors& factors,
                              const Statistics& scaled, const TableOptions& options, std::vector<std::string>* notes) {
    ScaleTable table;
    for (const auto& [layer, list] : factors) {
        table.layers[layer].equalize = list;
    }
    FW_ASSIGN_OR_RETURN(const Graph graph, corrected_graph(net, table));
    std::map<std::string, const std::vector<float>*> limits;
    for (const NodeId id : graph.order()) {
        limits[graph.value(graph.node(id).outputs[0]).name] = &graph.node(id).channel_limits;
    }
    for (auto& [blob, quant] : activation_scales(statistics, scaled, options, notes)) {
        if (!quant.ok()) {
            return quant.status().with_prefix("blob '%s'", blob.c_str());
        }
        if (quant->known()) {
            if (limits.count(blob) != 0) {
                hold_limits(*limits.at(blob), &*quant);
            }
            table.blobs[blob] = *quant;
        } else {
            notes->push_back("blob '" + blob +
                             "' is 0 in every image: it gets no scale, layers that need one stay float");
        }
    }
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        if (!is_quantized(node)) {
            continue;
        }
        const std::string& input = graph.value(node.inputs[0]).name;
        if (statistics.blobs.count(input) == 0) {
            return Status::error(Code::kInternal, "layer '%s': its input '%s' was never computed", node.name.c_str(),
                                 input.c_str());
        }
        const auto found = table.blobs.find(input);
        if (found == table.blobs.end()) {
            table.layers.erase(node.name);
            continue;
        }
        ScaleTable::LayerEntry& entry = table.layers[node.name];
        entry.input = found->second;
        FW_ASSIGN_OR_RETURN(entry.weight_scales, weight_scales(graph, id, options));
    }
    if (table.layers.empty()) {
        return nothing_to_quantize(net);
    }
    return table;
}

Status check_legacy(const ScaleTable& table) {
    for (const auto& [name, entry] : table.layers) {
        const std::pair<bool, const char*> beyond[] = {
            {entry.input.zero_point != 0, "a zero point"},
            {entry.precision == ScaleTable::LayerPrecision::kFloat, "a layer in float"},
            {!entry.equalize.empty(), "factors of channels"},
            {!entry.bias_delta.empty(), "biases"},
            {!entry.round_up.empty(), "a weight's rounding"},
        };
        for (const auto& [has, what] : beyond) {
            if (has) {
                return Status::error(Code::kUnsupported, "layer '%s': the legacy format has no word for %s",
                                     name.c_str(), what);
            }
        }
    }
    return {};
}

Status keep_given(const NetDef& net, const ScaleTable& given, ScaleTable* table, std::vector<std::string>* notes) {
    FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(net));
    for (const auto& [blob, quant] : given.blobs) {
        table->blobs[blob] = quant;
    }
    std::set<std::string> known;
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        known.insert(node.name);
        const auto found = given.layers.find(node.name);
        if (found == given.layers.end()) {
            continue;
        }
        const ScaleTable::LayerEntry& old = found->second;
        ScaleTable::LayerEntry& entry = table->layers[node.name];
        if (!old.weight_scales.empty() && old.weight_scales.size() != entry.weight_scales.size()) {
            notes->push_back("layer '" + node.name + "': " + std::to_string(old.weight_scales.size()) +
                             " weight scales in the table, " + std::to_string(entry.weight_scales.size()) +
                             " in the network: left out");
            continue;
        }
        if (!node.inputs.empty() && old.input.known() && given.blobs.count(graph.value(node.inputs[0]).name) == 0) {
            table->blobs[graph.value(node.inputs[0]).name] = old.input;
        }
        const std::vector<float> made = std::move(entry.weight_scales);
        entry = old;
        if (old.weight_scales.empty()) {
            entry.weight_scales = made;
        }
    }
    for (const auto& [name, entry] : given.layers) {
        if (known.count(name) == 0) {
            notes->push_back("layer '" + name + "' of the table is not in the network: left out");
        }
    }
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        const auto found = table->layers.find(node.name);
        if (found == table->layers.end() || node.inputs.empty()) {
            continue;
        }
        const auto blob = table->blobs.find(graph.value(node.inputs[0]).name);
        if (blob != table->blobs.end() && !found->second.weight_scales.empty()) {
            found->second.input = blob->second;
        }
    }
    return {};
}

}  // namespace fw::tools
