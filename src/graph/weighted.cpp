#include "graph/weighted.h"

namespace fw {

namespace {

bool is_inner_product(const Node& node) {
    return node.type == "InnerProduct";
}
int bias_term_id(const Node& node) {
    return is_inner_product(node) ? 1 : 5;
}
int int8_term(const Node& node) {
    return node.params.get(8, 0);
}

// The table states the blob, or one that layers which keep scales (a Padding that is not fused) make it of.
bool has_scale(const Graph& graph, ValueId v, const ScaleTable& table) {
    while (table.blobs.count(graph.value(v).name) == 0) {
        const NodeId producer = graph.value(v).producer;
        if (producer == kNone || graph.node(producer).inputs.empty()) {
            return false;
        }
        const LayerSchema* schema = find_schema(graph.node(producer).type);
        const QuantRule rule = schema != nullptr ? schema->rule(graph.params(producer)) : QuantRule::kFloat;
        if (rule != QuantRule::kMove && rule != QuantRule::kClamp) {
            return false;
        }
        v = graph.node(producer).inputs[0];
    }
    return true;
}

}  // namespace

bool is_weighted(const Node& node) {
    return node.type == "Convolution" || node.type == "ConvolutionDepthWise" || node.type == "Deconvolution" ||
           node.type == "DeconvolutionDepthWise" || is_inner_product(node);
}

bool has_constant_weights(const Node& node) {
    if (!is_weighted(node) || node.weights.empty() || node.inputs.size() != 1) {
        return false;
    }
    const bool deconvolution = node.type.compare(0, 6, "Deconv") == 0;
    return is_inner_product(node) || node.params.get(deconvolution ? 28 : 19, 0) == 0;
}

int num_output(const Node& node) {
    return node.params.get(0, 0);
}

bool has_bias(const Node& node) {
    return node.params.get(bias_term_id(node), 0) != 0 && node.weights.size() >= 2;
}

std::vector<float> bias_of(const Node& node) {
    return has_bias(node) ? node.weights[1].to_floats()
                          : std::vector<float>(static_cast<size_t>(num_output(node)), 0.0F);
}

void set_weights(Node* node, std::vector<float> weights, std::vector<float> bias) {
    node->params.set(bias_term_id(*node), 1);
    node->weights.clear();
    node->weights.push_back(Weight::from_floats(std::move(weights)));
    node->weights.push_back(Weight::from_floats(std::move(bias)));
}

Status check_weights(const Node& node) {
    const int outputs = num_output(node);
    if (outputs <= 0) {
        return Status::error(Code::kInvalidArgument, "num_output is %d, expected at least 1", outputs);
    }
    const int64_t count = node.weights.empty() ? 0 : node.weights[0].count();
    if (count <= 0 || count % outputs != 0) {
        return Status::error(Code::kInvalidArgument, "%lld weights are no multiple of num_output %d",
                             static_cast<long long>(count), outputs);
    }
    if (has_bias(node) && node.weights[1].count() != outputs) {
        return Status::error(Code::kInvalidArgument, "%lld bias values for num_output %d",
                             static_cast<long long>(node.weights[1].count()), outputs);
    }
    return {};
}

bool wants_int8(const Graph& graph, const Node& node, const ScaleTable* table) {
    if (int8_term(node) != 0) {
        return true;
    }
    if (table == nullptr) {
        return false;
    }
    const auto entry = table->layers.find(node.name);
    const bool named = entry != table->layers.end();
    if (named && entry->second.precision == ScaleTable::LayerPrecision::kFloat) {
        return false;
    }
    return (named && (entry->second.input.known() || entry->second.precision == ScaleTable::LayerPrecision::kInt8)) ||
           (!node.inputs.empty() && has_scale(graph, node.inputs[0], *table));
}

}  // namespace fw
