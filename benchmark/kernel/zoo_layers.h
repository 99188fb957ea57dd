// The zoo's layers as the convolution kernels see them, each shape once.
#pragma once

#include <string>
#include <vector>

#include "kernel/conv.h"

namespace fw::bench {

struct ZooLayer {
    std::string name;       ///< NETWORK/EXTENTS of the first network that has it, as mobilenet_v1/14x14_512_512_k1s1
    ConvGeometry geometry;  ///< of dense tensors; first layers with whole filter rows as taps, as the library runs them
    int64_t input_pixels = 0;  ///< that the geometry's input has, with the columns of padding that row taps need
    int64_t k = 0;             ///< channels read by a tap: of one group; depthwise: all of them
    int64_t n = 0;             ///< channels written, likewise
    bool depthwise = false;

    int64_t macs() const { return geometry.pixels() * geometry.taps() * k * (depthwise ? 1 : n); }
};

/// Convolutions and inner products of every network, in the zoo's order. Empty where a network does not build.
std::vector<ZooLayer> zoo_layers();

}  // namespace fw::bench
