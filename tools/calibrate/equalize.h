// Cross-layer equalization: factors a channel that make the ranges inside a blob alike.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibrate/collect.h"
#include "graph/graph.h"

namespace fw::tools {

/// Factors by layer, for the `equalize` lines of a table.
using LayerFactors = std::map<std::string, std::vector<float>>;

/// For every layer with weights that only layers with weights read (convolution to depthwise to convolution, with no
/// activation between them or ReLU, leaky ReLU, ReLU6): factors f for its output channels, where the predicted noise at
/// the readers' outputs falls below `worthwhile` of what it was. `graph` is the float graph after its passes.
///
/// M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.1,
/// balances the weights on both sides of a blob. Here weights have a scale for each output channel, so the writer's are
/// balanced already, and what is balanced is the blob against the readers' weights, as G. Xiao et al., "SmoothQuant",
/// 2023, section 4 does: f = v^(1-a) / r^a for the channel's range r and the largest weight v that reads it (of each
/// row, relative to the row's largest), the migration strength a chosen from 0 to 1 in steps of 1/8 by predicted noise.
/// The largest range of the blob stays what it was. No range is taken for less than 1/1024 of
/// the blob's, so that channels which are always 0 get the largest factor and their weights the least say.
///
/// ReLU6: a channel's factor is at least (blob's range) / 6, so that no channel is clipped below the range that int8
/// holds, where the saturation of int8 does the clipping (src/graph/passes/equalize_channels.cpp).
LayerFactors choose_factors(const Graph& graph, const Statistics& statistics, double worthwhile);

/// The same factors by the blob that they scale.
ChannelFactors blob_factors(const Graph& graph, const LayerFactors& factors);

}  // namespace fw::tools
