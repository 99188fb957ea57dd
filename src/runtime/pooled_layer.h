// A layer that pools its input first (fuse_pooling), as one Layer.
#pragma once

#include <memory>

#include "layer/layer.h"

namespace fw {

/// `layer` reads the one output of `pooling`, int8 of the scale `pooled`. Both are loaded.
std::unique_ptr<Layer> make_pooled_layer(std::unique_ptr<Layer> pooling, const QuantParams& pooled,
                                         std::unique_ptr<Layer> layer);

}  // namespace fw
