// What the classifier and the detector on SqueezeNet share.
#pragma once

#include <string>

#include "zoo/blocks.h"

namespace fw::zoo {

/// The fire module (section 3.1): a 1x1 convolution to `squeezed` channels, then 1x1 and 3x3 of `expanded` each,
/// joined.
Value fire(Blocks* net, const std::string& name, const Value& x, int squeezed, int expanded);

/// Version 1.1 from the image to fire9, which is the end of the feature extractor.
struct SqueezeNetTrunk {
    Value image, fire5, fire9;
};
SqueezeNetTrunk squeezenet_trunk(Blocks* net, int size);

}  // namespace fw::zoo
