// gather: an output whose cells come from input cells that each axis chooses on its own (borders, nearest resizing).
#pragma once

#include <vector>

#include "fw/status.h"
#include "tensor/tensor.h"

namespace fw {

/// The input index of each output index, by name of the axis; -1 = the fill value. An axis the rank lacks has {0}.
struct GatherMaps {
    std::vector<int> c{0}, d{0}, h{0}, w{0};
};

/// out(c, z, y, x) = in(maps.c[c], maps.d[z], maps.h[y], maps.w[x]), or element c of `fill` where one of them is -1.
/// `fill` may be nullptr if none is. Element sizes 1, 2 and 4; others fail with kUnsupported.
Status gather(const Tensor& in, const Tensor& out, const GatherMaps& maps, const void* fill, int threads);

}  // namespace fw
