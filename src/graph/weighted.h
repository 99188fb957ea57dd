// What the passes know about layers with a weight matrix and a bias: where their parameters and blobs are.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace fw {

/// Convolution, ConvolutionDepthWise, Deconvolution, DeconvolutionDepthWise and InnerProduct: weights are
/// [num_output x the rest], then an optional bias; an activation may be fused (ids 9 and 10 of all of them).
bool is_weighted(const Node& node);
/// As is_weighted, and the weights are constants of the model file.
bool has_constant_weights(const Node& node);

constexpr int kActivationType = 9;
constexpr int kActivationParams = 10;
/// Values of kActivationType.
enum FusedActivation { kActNone, kActRelu, kActLeakyRelu, kActClip, kActSigmoid, kActMish, kActHardSwish };

int num_output(const Node& node);
bool has_bias(const Node& node);
/// Values of the bias, num_output of them; zeros where there is none.
std::vector<float> bias_of(const Node& node);
/// Replaces weights and bias (and says in the parameters that there is a bias).
void set_weights(Node* node, std::vector<float> weights, std::vector<float> bias);
/// What is wrong with the sizes of a layer's weights, which a pass is about to index; ok otherwise.
Status check_weights(const Node& node);

/// True if the table allows the layer int8 and a scale for its input is known by name: a pass must then keep it
/// quantizable.
bool wants_int8(const Graph& graph, const Node& node, const ScaleTable* table);

}  // namespace fw
