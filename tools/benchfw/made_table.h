// A scale table where there is none, so that int8 can be measured: the time of a network depends on its shapes and on
// which layers run int8, not on how good the scales are.
#pragma once

#include <vector>

#include "fw/net.h"
#include "fw/table.h"

namespace fw::bench {

/// Runs each set of inputs through the float network `net` and gives every blob the range of its values, up to the
/// next power of two (all 256 levels where none is negative); weight scales are left to the weights. Fails on inf and
/// nan.
Result<ScaleTable> make_table(const Net& net, const std::vector<std::vector<Mat>>& inputs);

}  // namespace fw::bench
