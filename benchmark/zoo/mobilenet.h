// What the classifiers and the detectors and segmenters on the MobileNets share.
#pragma once

#include "zoo/blocks.h"

namespace fw::zoo {

struct MobileNetV1Trunk {
    Value conv11;  ///< the last of stride 16
    Value conv13;
};
MobileNetV1Trunk mobilenet_v1_trunk(Blocks* net, int size, Act act);

/// The blocks of MobileNetV2 from the image on, up to the 320 channels before the last convolution. Strides beyond
/// `output_stride` become dilations (DeepLab).
Value mobilenet_v2_trunk(Blocks* net, int size, int output_stride);

}  // namespace fw::zoo
