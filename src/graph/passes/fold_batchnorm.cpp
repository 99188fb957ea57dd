// Folds per-channel affine layers into the weights and bias before them.
//
//   Convolution -> BatchNorm -> Scale        Convolution
//   (w, b)         (mean, var)  (s, t)   =>  (w * a, b * a + c)
//
// for Convolution, ConvolutionDepthWise, Deconvolution, DeconvolutionDepthWise and InnerProduct without an activation
// of their own. y = a x + c is computed in double precision and rounded once.
#include <cmath>

#include "graph/pass.h"
#include "graph/weighted.h"

namespace fw {

namespace {

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

}  // namespace

Status pass_fold_batchnorm(Graph* graph, const PassContext& /*context*/) {
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        // Weights whose int8 scales came with the model must stay what those scales were made for.
        if (!has_constant_weights(node) || node.params.get(kActivationType, 0) != kActNone ||
            !node.weight_scales.empty()) {
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
