// What the readers and writers of .param and .bin share: constants of the formats, and the blobs of a layer.
#pragma once

#include <vector>

#include "model/model_io.h"

namespace fw {

/// Blobs in file order. Errors name the parameter but neither layer nor line.
Status layer_blobs(const LayerDef& layer, const CustomBlobs& custom, std::vector<BlobSpec>* out);

constexpr int kMagic = 7767517;    ///< first line of a .param file
constexpr int kArrayKey = -23300;  ///< array k is written with key -23300 - k
constexpr int kMaxId = 31;

/// Tags of a flagged blob (docs/param-format.md).
constexpr uint32_t kTagFloat32 = 0;
constexpr uint32_t kTagFloat32Old = 0x0002C056;
constexpr uint32_t kTagFloat16 = 0x01306B47;
constexpr uint32_t kTagInt8 = 0x000D4B38;
constexpr uint32_t kTagCodebook = 1;  ///< what the writer uses; the reader takes every other tag for it
constexpr size_t kCodebookSize = 256;

}  // namespace fw
