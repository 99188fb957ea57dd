// What the classifier and the detector on ShuffleNet v2 share.
#pragma once

#include "zoo/blocks.h"

namespace fw::zoo {

/// ShuffleNet v2 1.0x from the image to the ends of stages 2, 3 and 4 (strides 8, 16 and 32).
struct ShuffleNetTrunk {
    Value stage[3];
};
ShuffleNetTrunk shufflenet_v2_trunk(Blocks* net, int size, Act act);

}  // namespace fw::zoo
