// Chooses the layers that run in float with weights kept in float16: where Option::fp16 allows it and it is faster, or
// wherever the values allow it with Precision::kFp16.
//
// This falls layer by layer behind the choice between int8 and float (precision_cut.h): its costs are those of float32
// blobs; which ones become float16 is decided after it (keep_half).
#include <cmath>
#include <cstdio>

#include "base/half.h"
#include "graph/pass.h"
#include "graph/precision_cut.h"
#include "graph/weighted.h"

namespace fw {

namespace {

// Rounding to float16 leaves every weight finite.
bool fit_float16(const Node& node) {
    std::vector<float> storage;
    for (const float w : node.weights[0].floats(&storage)) {
        if (!(std::fabs(w) <= kLargestHalf)) {
            return false;
        }
    }
    return true;
}

// Depthwise filters are small and have kernels of their own.
bool is_matrix_product(const Node& node) {
    const bool grouped = node.type == "ConvolutionDepthWise" || node.type == "DeconvolutionDepthWise";
    return has_constant_weights(node) && check_weights(node).ok() &&
           !(grouped && node.params.get(7, 1) == num_output(node));
}

}  // namespace

Status pass_choose_fp16(Graph* graph, const PassContext& context) {
    const Option& option = *context.option;
    const bool obey = option.precision == Precision::kFp16;
    if (context.for_file || !(obey || (option.fp16 && option.precision == Precision::kAuto))) {
        return {};
    }
    PrecisionCosts costs;
    const bool measured = context.costs && context.costs(*graph, &costs) && !costs.in_fp16.empty();
    if (!obey && !measured) {
        return {};
    }
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        if (!is_matrix_product(node) || graph->value(node.inputs[0]).dtype != DType::kFloat32) {
            continue;
        }
        const auto n = static_cast<size_t>(id);
        std::string why = obey ? "the option wants it" : "";
        if (measured) {
            char figures[80];
            std::snprintf(figures, sizeof figures, "%s%.1f us with float16 weights, %.1f us with float32",
                          obey ? "; " : "", static_cast<double>(costs.in_fp16[n]) * 1e-6,
                          static_cast<double>(costs.in_float[n]) * 1e-6);
            why += figures;
        }
        const bool wanted = obey || costs.in_fp16[n] < costs.in_float[n];
        if (wanted && !fit_float16(node)) {
            why = "a weight is beyond float16's 65504";
        } else {
            node.fp16_weights = wanted;
            node.fp16_arithmetic = wanted && option.fp16_arithmetic;
        }
        node.reason += (node.reason.empty() ? "" : "; ") + why;
    }
    return {};
}

}  // namespace fw
