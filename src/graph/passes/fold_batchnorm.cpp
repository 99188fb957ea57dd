// Folds per-channel affine layers into the weights and bias before them.
//
//   Convolution -> BatchNorm -> Scale        Convolution
//   (w, b)         (mean, var)  (s, t)   =>  (w * a, b * a + c)
//
// for Convolution, ConvolutionDepthWise, Deconvolution, DeconvolutionDepthWise and InnerProduct without an activation
// of their own. y = a x + c is computed in double precision and rounded once.
//
// The channel of a 2-d blob is its row, but InnerProduct takes such a blob row by row and puts its outputs along the
// columns: there the affine layer has other factors than the weights. So InnerProduct folds only where its input cannot
// be 2-d.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "graph/pass.h"
#include "graph/weighted.h"

namespace fw {

namespace {

constexpr int kNoAxis = -233;

struct Affine {
    std::vector<double> a, c;
};

// The affine function of a layer over `channels` channels; false if it has none that is known at load.
bool affine_of(const Node& node, size_t channels, Affine* out) {
    if (node.inputs.size() != 1 || node.outputs.size() != 1) {
        return false;
    }
    const std::vector<Weight>& blobs = node.weights;
    for (const Weight& blob : blobs) {
        if (static_cast<size_t>(blob.count()) != channels) {
            return false;
        }
    }
    out->a.assign(channels, 1.0);
    out->c.assign(channels, 0.0);
    if (node.type == "BatchNorm" && blobs.size() == 4) {
        const double eps = node.params.get(1, 0.0F);
        const std::vector<float> slope = blobs[0].to_floats();
        const std::vector<float> mean = blobs[1].to_floats();
        const std::vector<float> variance = blobs[2].to_floats();
        const std::vector<float> bias = blobs[3].to_floats();
        for (size_t i = 0; i < channels; ++i) {
            const double root = std::sqrt(variance[i] + eps);
            if (!(root > 0.0)) {
                return false;  // the layer itself decides what a variance of 0 means
            }
            out->a[i] = slope[i] / root;
            out->c[i] = bias[i] - mean[i] * out->a[i];
        }
        return true;
    }
    if (node.type == "Scale" && !blobs.empty() && blobs.size() <= 2) {
        const std::vector<float> scale = blobs[0].to_floats();
        out->a.assign(scale.begin(), scale.end());
        if (blobs.size() == 2) {
            const std::vector<float> bias = blobs[1].to_floats();
            out->c.assign(bias.begin(), bias.end());
        }
        return true;
    }
    if (node.type == "Bias" && blobs.size() == 1) {
        const std::vector<float> bias = blobs[0].to_floats();
        out->c.assign(bias.begin(), bias.end());
        return true;
    }
    return false;
}

// Types other than point-wise ones whose output has their input's shape.
constexpr const char* kKeepShape[] = {"BatchNorm", "Scale", "Bias",    "PReLU", "LRN",
                                      "MVN",       "Noop",  "Dropout", "Split", "Softmax"};
// Types whose output has one axis or three, whatever comes in.
constexpr const char* kNeverTwoAxes[] = {
    "Flatten", "Convolution", "ConvolutionDepthWise", "Deconvolution", "DeconvolutionDepthWise", "Pooling"};

template <size_t N>
bool is_one_of(const char* const (&types)[N], const std::string& type) {
    return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

// Whether the layers before a blob show that it is not 2-d. An application may give an Input any shape.
bool is_never_2d(const Graph& graph, ValueId value) {
    for (;;) {
        const NodeId id = graph.value(value).producer;
        if (id == kNone) {
            return false;
        }
        const Node& node = graph.node(id);
        if (is_one_of(kNeverTwoAxes, node.type)) {
            return true;
        }
        if (node.type == "Reshape") {
            const Params params = graph.params(id);
            const bool one_axis = params.i(1) == kNoAxis && params.i(2) == kNoAxis;
            return node.inputs.size() == 1 && params.s(6).empty() && (one_axis || params.i(2) != kNoAxis);
        }
        const LayerSchema* schema = find_schema(node.type);
        const bool keeps_shape =
            node.type == "InnerProduct" /* one axis unless its input has two */ || is_one_of(kKeepShape, node.type) ||
            (schema != nullptr && (schema->quant == QuantRule::kPointwise || schema->quant == QuantRule::kClamp));
        if (!keeps_shape || node.inputs.size() != 1) {
            return false;
        }
        value = node.inputs[0];
    }
}

}  // namespace

Status pass_fold_batchnorm(Graph* graph, const PassContext& /*context*/) {
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        // Weights whose int8 scales came with the model must stay what those scales were made for.
        if (!has_constant_weights(node) || node.params.get(kActivationType, 0) != kActNone ||
            !node.weight_scales.empty() || (node.type == "InnerProduct" && !is_never_2d(*graph, node.inputs[0]))) {
            continue;
        }
        const Status sizes = check_weights(node);
        if (!sizes.ok()) {
            return sizes.with_prefix("%s:%d: layer '%s'", graph->source().c_str(), node.line, node.name.c_str());
        }
        const auto channels = static_cast<size_t>(num_output(node));
        std::vector<double> factor(channels, 1.0);
        std::vector<double> offset;
        for (;;) {
            const NodeId next = graph->sole_consumer(node.outputs[0]);
            Affine affine;
            if (next == kNone || !affine_of(graph->node(next), channels, &affine)) {
                break;
            }
            if (offset.empty()) {
                const std::vector<float> bias = bias_of(node);
                offset.assign(bias.begin(), bias.end());
            }
            for (size_t i = 0; i < channels; ++i) {
                factor[i] *= affine.a[i];
                offset[i] = offset[i] * affine.a[i] + affine.c[i];
            }
            const ValueId output = graph->node(next).outputs[0];
            graph->remove_node(next);
            graph->value(node.outputs[0]).producer = kNone;
            node.outputs[0] = output;
            graph->value(output).producer = id;
        }
        if (offset.empty()) {
            continue;
        }
        std::vector<float> weights = node.weights[0].to_floats();
        const size_t row = weights.size() / channels;
        for (size_t i = 0; i < weights.size(); ++i) {
            weights[i] = static_cast<float>(weights[i] * factor[i / row]);
        }
        set_weights(&node, std::move(weights), std::vector<float>(offset.begin(), offset.end()));
    }
    return {};
}

}  // namespace fw
