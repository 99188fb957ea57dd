// The block of the BlazeFace family: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
// GPUs" (2019), section 3.
#pragma once

#include <string>

#include "zoo/blocks.h"

namespace fw::zoo {

/// Depthwise 3x3 and 1x1, plus x; stride 2 takes the maximum of x, and channels that x lacks are 0.
Value blaze_block(Blocks* net, const std::string& name, const Value& x, int out, int stride, Act act);

}  // namespace fw::zoo
