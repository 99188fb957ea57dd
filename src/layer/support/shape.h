// Checks of shapes and axes that layers' infer() share. Every failure names the values.
#pragma once

#include <cstdint>

#include "fw/mat.h"
#include "fw/status.h"

namespace fw {

/// A shape from extents in 64 bits, outermost first: each at least 1, the product at most Shape::kMaxElements.
Status make_shape(int rank, const int64_t* dims, Shape* out);

/// An axis parameter to an axis: it counts from the outermost dimension, negative ones from the innermost.
Status resolve_axis(int axis, int rank, int* out);

/// The input's rank lies in [least, most].
Status check_rank(const Shape& shape, int least, int most);

}  // namespace fw
