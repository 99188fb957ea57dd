// The inverted residual of MobileNetV2 (Sandler et al. 2018, section 3.3) with what later networks added to it.
#pragma once

#include <string>

#include "zoo/blocks.h"

namespace fw::zoo {

struct InvertedResidual {
    int kernel = 3;
    int expanded = 0;  ///< channels between expansion and projection; those of the input = no expansion
    int out = 0;
    int stride = 1;
    Act act = Act::kRelu6;
    int squeezed = 0;  ///< inner channels of squeeze and excitation, 0 = none
    Act squeeze_act = Act::kRelu;
    Act gate = Act::kHardSigmoid;
    int dilation = 1;
};

/// x -> 1x1 expansion -> depthwise -> squeeze and excitation -> 1x1 projection, plus x where the shape allows it.
/// `expansion`, if not nullptr, receives what comes out of the expansion.
Value inverted_residual(Blocks* net, const std::string& name, const Value& x, const InvertedResidual& block,
                        Value* expansion = nullptr);

/// `channels` rounded to a multiple of `divisor`, never down by more than a tenth: the rule of the
/// MobileNet papers' code for widths.
int make_divisible(double channels, int divisor = 8);

}  // namespace fw::zoo
