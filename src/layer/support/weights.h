// What the load() of layers with weight blobs shares.
#pragma once

#include <vector>

#include "fw/span.h"
#include "fw/status.h"
#include "model/weight.h"
#include "tensor/tensor.h"

namespace fw {

/// Blob `index` as floats; it must have `count` elements.
Status take_floats(Span<const Weight> weights, size_t index, int64_t count, const char* blob, std::vector<float>* out);
/// A parameter that must be in [lo, hi].
Status check_range(const char* key, int64_t value, int64_t lo, int64_t hi);
/// The outermost extent of an input must be the number of channels that the weights are for.
Status check_channels(const Shape& shape, int64_t channels);

}  // namespace fw
