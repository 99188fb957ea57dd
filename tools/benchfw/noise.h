// Made-up inputs: the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "fw/net.h"

namespace fw::bench {

/// One Mat for each input of `net`, in their order: a gradient and noise, as pixels 0..255 through the model's own
/// preprocessing, or in [-1, 1] where it has none. `shape` stands in for inputs that declare none (rank 0: that is an
/// error).
Result<std::vector<Mat>> noise_inputs(const Net& net, const Shape& shape, uint32_t seed);

}  // namespace fw::bench
