// Tables for networks with made-up weights: what calibration on made-up images gives.
#pragma once

#include <cstdint>

#include "fw/status.h"
#include "fw/table.h"
#include "model/net_def.h"

namespace fw::zoo {

/// Bytes 0 to 255 of an image of this shape, the same everywhere for the same seed: gradients with noise, so that
/// neighbouring pixels are alike as in photographs.
std::vector<uint8_t> made_image(const Shape& shape, uint64_t seed);

/// Blob lines for every blob of the network, from the ranges of its float activations over `images` made-up images:
/// [0, max] with zero point -128 where nothing is negative, an asymmetric range where the negative part is less than
/// half of the positive (hard swish), symmetric otherwise. Scales are cut to three digits. Inputs are images with the
/// network's preprocessing, or (x - 127.5) / 127.5 where it stores none.
Result<ScaleTable> made_table(const NetDef& def, uint64_t seed, int images);

}  // namespace fw::zoo
