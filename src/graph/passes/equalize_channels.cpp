// Applies what a table says about weights: factors of output channels that the readers take back, bias corrections, and
// which way each weight is rounded.
//
//   conv1 (w, b)        conv1 (w * f + bias delta)         f: one factor an output channel (equalize)
//   -> blob        =>   -> blob * f
//   -> conv2 (v)        -> conv2 (v / f along its input channels)
//
// The network computes the same, in ranges that one scale a blob fits (M. Nagel et al., "Data-Free Quantization Through
// Weight Equalization and Bias Correction", ICCV 2019, section 4.1). Between a layer and its readers may stand what
// commutes with a positive factor: pooling, ReLU, Split. Where the caller wants one of the scaled blobs, a Scale layer
// restores it.
//
// ReLU6 and the like: Clip(lo, hi) becomes a bound of hi * f a channel, which no kernel has. It is left to the
// saturation of int8 where that is at or below every such bound, which limit_channels checks; lo must be 0 or absent.
#include <algorithm>
#include <cmath>

#include "graph/pass.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw {

namespace {

constexpr float kNoBound = 3.402823466e+38F;

class Equalizer {
public:
    Equalizer(Graph* graph, ScaleTable* table, NodeId id, const ScaleTable::LayerEntry& entry)
        : graph_(graph), table_(table), id_(id), factors_(entry.equalize) {}

    Status run() {
        FW_RETURN_IF_ERROR(scale_outputs());
        FW_RETURN_IF_ERROR(follow(graph_->node(id_).outputs[0]));
        for (const ValueId value : scaled_) {
            restore(value);
        }
        return {};
    }

private:
    Status refuse(const Node& node, const char* why) const {
        return Status::error(Code::kInvalidArgument, "equalize: '%s' (%s) %s", node.name.c_str(), node.type.c_str(),
                             why);
    }

    Status scale_outputs() {
        Node& node = graph_->node(id_);
        std::vector<float> weights = node.weights[0].to_floats();
        std::vector<float> bias = bias_of(node);
        const size_t row = weights.size() / factors_.size();
        for (size_t i = 0; i < weights.size(); ++i) {
            weights[i] *= factors_[i / row];
        }
        for (size_t i = 0; i < bias.size(); ++i) {
            bias[i] *= factors_[i];
        }
        FW_RETURN_IF_ERROR(store(&node, std::move(weights), std::move(bias)));
        switch (node.params.get(kActivationType, 0)) {
            case kActNone:
            case kActRelu:
            case kActLeakyRelu: return {};
            case kActClip: return scale_clip(&node);
            default: return refuse(node, "has an activation that does not commute with a factor");
        }
    }

    Status scale_clip(Node* node) {
        const std::vector<float> bounds = node->params.get_floats(kActivationParams);
        if (bounds.size() != 2 || !(bounds[0] == 0.0F || bounds[0] == -kNoBound) || !(bounds[1] > 0.0F)) {
            return refuse(*node, "clips to bounds that equalization cannot scale");
        }
        if (bounds[1] == kNoBound) {
            return {};
        }
        const auto [least, most] = std::minmax_element(factors_.begin(), factors_.end());
        if (*least != *most) {
            for (const float factor : factors_) {
                node->channel_limits.push_back(bounds[1] * factor);
            }
        }
        node->params.set(kActivationParams, std::vector<float>{bounds[0], bounds[1] * *most});
        return {};
    }

    Status follow(ValueId value) {
        scaled_.push_back(value);
        for (const NodeId reader : graph_->consumers(value)) {
            Node& node = graph_->node(reader);
            if (has_constant_weights(node)) {
                FW_RETURN_IF_ERROR(divide_inputs(&node));
                continue;
            }
            const bool relu = node.type == "ReLU";
            const bool passes = relu || node.type == "Pooling" || node.type == "Split" || node.type == "Dropout";
            if (!passes || node.inputs.size() != 1) {
                return refuse(node, "reads its output, and does not commute with a factor a channel");
            }
            for (const ValueId output : node.outputs) {
                FW_RETURN_IF_ERROR(follow(output));
            }
        }
        return {};
    }

    Status divide_inputs(Node* node) const {
        FW_RETURN_IF_ERROR(check_weights(*node));
        std::vector<float> weights = node->weights[0].to_floats();
        const bool grouped = node->type == "ConvolutionDepthWise" || node->type == "DeconvolutionDepthWise";
        const auto outputs = static_cast<size_t>(num_output(*node));
        const auto group = static_cast<size_t>(std::max(1, grouped ? node->params.get(7, 1) : 1));
        const size_t channels = factors_.size();
        const size_t row = weights.size() / outputs;
        if (channels % group != 0 || outputs % group != 0 || row % (channels / group) != 0) {
            return refuse(*node, "reads its output, and its weights do not fit that number of channels");
        }
        if (node->type.compare(0, 11, "Convolution") == 0 && node->params.get(18, 0.0F) != 0.0F) {
            return refuse(*node, "reads its output, and pads with a value other than 0");
        }
        const size_t in_group = channels / group;
        const size_t taps = row / in_group;
        for (size_t i = 0; i < weights.size(); ++i) {
            const size_t first = i / row / (outputs / group) * in_group;
            weights[i] /= factors_[first + i % row / taps];
        }
        return store(node, std::move(weights), bias_of(*node));
    }

    Status store(Node* node, std::vector<float> weights, std::vector<float> bias) const {
        if (!all_finite(weights) || !all_finite(bias)) {
            return refuse(*node, "has weights that are not finite after equalization");
        }
        set_weights(node, std::move(weights), std::move(bias));
        return {};
    }

    // The value remembers what makes it the blob again, for observers; where the caller wants the blob, a layer does
    // it.
    void restore(ValueId id) {
        graph_->value(id).factors = factors_;
        if (!graph_->value(id).output) {
            return;
        }
        const std::string name = graph_->value(id).name;
        const std::string scaled = name + " equalized";
        const auto stated = table_->blobs.find(name);
        if (stated != table_->blobs.end()) {
            table_->blobs[scaled] = stated->second;
        }
        graph_->value(id).name = scaled;
        graph_->value(id).output = false;
        const ValueId restored = graph_->add_value(name);
        graph_->value(restored).output = true;
        std::vector<float> inverse(factors_.size());
        std::transform(factors_.begin(), factors_.end(), inverse.begin(), [](float f) { return 1.0F / f; });
        Node node;
        node.type = "Scale";
        node.name = scaled;
        node.params.set(0, static_cast<int>(inverse.size()));
        node.weights.push_back(Weight::from_floats(std::move(inverse)));
        node.inputs = {id};
        node.outputs = {restored};
        node.reason = "the blob is wanted as the model has it";
        graph_->add_node(std::move(node));
    }

    Graph* graph_;
    ScaleTable* table_;
    NodeId id_;
    std::vector<float> factors_;
    std::vector<ValueId> scaled_;
};

// Weights become the values that int8 holds: whole numbers over their scales.
Status round_weights(Node* node, const ScaleTable::LayerEntry& entry) {
    std::vector<float> weights = node->weights[0].to_floats();
    const auto channels = static_cast<size_t>(num_output(*node));
    if (entry.weight_scales.size() != channels) {
        return Status::error(Code::kInvalidArgument, "round needs weight scales, %zu of them; the table has %zu",
                             channels, entry.weight_scales.size());
    }
    if ((weights.size() + 3) / 4 * 4 != entry.round_up.size()) {
        return Status::error(Code::kInvalidArgument, "rounding of %zu weights in %zu digits, expected %zu",
                             weights.size(), entry.round_up.size() / 4, (weights.size() + 3) / 4);
    }
    const size_t row = weights.size() / channels;
    for (size_t i = 0; i < weights.size(); ++i) {
        const float scale = entry.weight_scales[i / row];
        if (scale > 0.0F) {
            const float q = std::floor(weights[i] * scale) + (entry.round_up[i] ? 1.0F : 0.0F);
            weights[i] = std::clamp(q, -127.0F, 127.0F) / scale;
        }
    }
    set_weights(node, std::move(weights), bias_of(*node));
    return {};
}

Status apply(Graph* graph, ScaleTable* table, NodeId id, const ScaleTable::LayerEntry& entry) {
    Node& node = graph->node(id);
    if (!has_constant_weights(node)) {
        return Status::error(Code::kInvalidArgument, "equalize, bias or round for a %s without constant weights",
                             node.type.c_str());
    }
    FW_RETURN_IF_ERROR(check_weights(node));
    const auto channels = static_cast<size_t>(num_output(node));
    for (const auto* list : {&entry.equalize, &entry.bias_delta}) {
        if (!list->empty() && list->size() != channels) {
            return Status::error(Code::kInvalidArgument, "%zu %s for %zu output channels", list->size(),
                                 list == &entry.equalize ? "factors" : "bias corrections", channels);
        }
    }
    if (!entry.equalize.empty()) {
        FW_RETURN_IF_ERROR(Equalizer(graph, table, id, entry).run());
    }
    if (!entry.bias_delta.empty()) {
        std::vector<float> bias = bias_of(node);
        for (size_t i = 0; i < channels; ++i) {
            bias[i] += entry.bias_delta[i];
        }
        set_weights(&node, node.weights[0].to_floats(), std::move(bias));
    }
    return entry.round_up.empty() ? Status() : round_weights(&node, entry);
}

}  // namespace

Status pass_equalize_channels(Graph* graph, const PassContext& context) {
    if (context.table == nullptr) {
        return {};
    }
    const std::map<std::string, ScaleTable::LayerEntry> entries = context.table->layers;
    for (const NodeId id : graph->order()) {
        const auto found = entries.find(graph->node(id).name);
        if (found == entries.end() ||
            (found->second.equalize.empty() && found->second.bias_delta.empty() && found->second.round_up.empty())) {
            continue;
        }
        const Status status = apply(graph, context.table, id, found->second);
        if (!status.ok()) {
            return status.with_prefix("%s:%d: layer '%s'", context.table->source.c_str(), found->second.line,
                                      found->first.c_str());
        }
    }
    return {};
}

}  // namespace fw
