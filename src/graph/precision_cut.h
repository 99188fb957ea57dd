// The planner's choice between int8 and float: the cheapest for the network as a whole.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/int8_plan.h"

namespace fw {

/// What the choice costs, in picoseconds (whole numbers, so that every machine with one cost table chooses alike).
struct PrecisionCosts {
    std::vector<int64_t> in_float;    ///< by node
    std::vector<int64_t> in_int8;     ///< by node
    std::vector<int64_t> in_fp16;     ///< by node: in float with float16 weights (choose_fp16); empty = not known
    std::vector<int64_t> conversion;  ///< by value: of one Quantize or Dequantize, which serves all readers
};

/// int8 has to save this share of the float network's time: less is within the error of the costs, and int8 rounds.
constexpr double kLeastGain = 0.05;

/// Keeps those of the layers with `plan.int8` set in int8 for which the network costs least, conversions included:
///
///     sum over layers of cost[precision] + sum over values of conversion[v], if v has to exist in both forms
///
/// solved exactly as a minimum cut (source side = int8). A layer costs an edge to the other side's terminal; a value
/// gets a node for "every reader takes int8" and one for "some reader takes int8", so that one conversion is paid for
/// however many read it; a layer with weights, or a reader (Softmax), has a node more for its output, because it can
/// write float itself. Layers
/// in `wished` stay int8. Unless there are such, everything becomes float where int8 saves less than kLeastGain.
/// Reasons with the figures are left in plan.reason, for int8 layers too.
///
/// float16 weights are no third side: blobs stay float32, so the caller makes in_float the lesser of the two where they
/// are allowed, and the choice between them falls layer by layer after this one (choose_fp16).
void choose_by_cost(const Graph& graph, const PrecisionCosts& costs, const std::vector<bool>& wished, Int8Plan* plan);

/// What the network costs with plan.int8 as it is.
int64_t cost_of(const Graph& graph, const PrecisionCosts& costs, const Int8Plan& plan);

}  // namespace fw
