// What the classifiers and the detectors and segmenters on the MobileNets share.
#pragma once

#include "zoo/blocks.h"

namespace fw::zoo {

struct MobileNetV1Trunk {
    Value image;
    Value conv11;  ///< the last of stride 16
    Value conv13;
};
MobileNetV1Trunk mobilenet_v1_trunk(Blocks* net, int size, Act act);

/// The blocks of MobileNetV2 from the image on, up to the 320 channels before the last convolution. Strides beyond
/// `output_stride` become dilations (DeepLab).
Value mobilenet_v2_trunk(Blocks* net, int size, int output_stride);

/// MobileNetV3-Large from the image to the last convolution before pooling; the blocks of stride 32 have their channels
/// divided by `tail_divisor` (2 for SSDLite).
struct MobileNetV3Trunk {
    Value image;
    Value c4_expansion;  ///< the widest blob of stride 16: behind the expansion of the block that goes on to stride 32
    Value last;
};
MobileNetV3Trunk mobilenet_v3_large_trunk(Blocks* net, int size, int tail_divisor);

}  // namespace fw::zoo
