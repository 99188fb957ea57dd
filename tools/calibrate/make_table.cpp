#include "calibrate/make_table.h"

#include <cmath>

#include "graph/pass.h"
#include "quant/quant.h"

namespace fw::tools {

namespace {

Result<std::vector<float>> weight_scales(const Graph& graph, NodeId id) {
    const Node& node = graph.node(id);
    std::vector<float> storage;
    const Span<const float> weights = node.weights[0].floats(&storage);
    std::vector<float> scales =
        absmax_weight_scales(weights, graph.params(id).i(0));  // id 0 = num_output of every layer with weights
    for (size_t channel = 0; channel < scales.size(); ++channel) {
        if (!std::isfinite(scales[channel])) {
            return Status::error(Code::kInvalidArgument, "layer '%s': weights of channel %zu give no finite scale",
                                 node.name.c_str(), channel);
        }
    }
    return scales;
}

}  // namespace

Result<ScaleTable> make_table(const NetDef& net, const Statistics& statistics, ThresholdMethod method,
                              TableFormat format, std::vector<std::string>* notes) {
    FW_ASSIGN_OR_RETURN(Graph graph, Graph::build(net));
    const Option option;
    PassContext context;
    context.option = &option;
    FW_RETURN_IF_ERROR(run_passes(&graph, context));

    ScaleTable table;
    for (const auto& [blob, histogram] : statistics.blobs) {
        Result<QuantParams> quant = activation_quant(histogram, method, format == TableFormat::kFw);
        if (!quant.ok()) {
            return quant.status().with_prefix("blob '%s'", blob.c_str());
        }
        if (quant->known()) {
            table.blobs[blob] = *quant;
        } else {
            notes->push_back("blob '" + blob +
                             "' is 0 in every image: it gets no scale, layers that need one stay float");
        }
    }
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        const LayerSchema* schema = find_schema(node.type);
        if (schema == nullptr || schema->quant != QuantRule::kWeighted) {
            continue;
        }
        const std::string& input = graph.value(node.inputs[0]).name;
        if (statistics.blobs.count(input) == 0) {
            return Status::error(Code::kInternal, "layer '%s': its input '%s' was never computed", node.name.c_str(),
                                 input.c_str());
        }
        ScaleTable::LayerEntry& entry = table.layers[node.name];
        const auto found = table.blobs.find(input);
        if (found == table.blobs.end()) {
            table.layers.erase(node.name);
            continue;
        }
        entry.input = found->second;
        FW_ASSIGN_OR_RETURN(entry.weight_scales, weight_scales(graph, id));
    }
    if (table.layers.empty()) {
        return Status::error(Code::kInvalidArgument, "%s: has no layer that can be quantized", net.source.c_str());
    }
    return table;
}

}  // namespace fw::tools
