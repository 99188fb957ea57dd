// Resizing as matrix products, for what Interp does not do.
#pragma once

#include <string>
#include <vector>

#include "onnx2fw/node_context.h"

namespace fw::onnx {

/// How Resize finds the samples of one axis and weighs them.
struct ResizeAxis {
    int axis = 0;
    int64_t in = 1, out = 1;
    double scale = 1;                   ///< as the node gives it, or out / in
    double roi_begin = 0, roi_end = 1;  ///< tf_crop_and_resize: the part that is resized, of the axis's length
};
struct ResizeRule {
    std::string mode;         ///< nearest, linear, cubic
    std::string coordinates;  ///< coordinate_transformation_mode
    std::string nearest;      ///< nearest_mode
    double cubic_a = -0.75;
    double extrapolation = 0;
    bool antialias = false, exclude_outside = false;
};

/// Row-major [out][in]: what each output element takes of each input element. `outside` (out elements) says which lie
/// outside of the input and hold rule.extrapolation.
std::vector<float> resize_matrix(const ResizeAxis& axis, const ResizeRule& rule, std::vector<bool>* outside);

/// Output 0 = x times such a matrix along each of `axes`.
void resize_by_matrices(NodeContext* ctx, const Value& x, const std::vector<ResizeAxis>& axes, const ResizeRule& rule);

}  // namespace fw::onnx
