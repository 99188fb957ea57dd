// Pixels in, Mat out: pixel order, bilinear resize, mean and norm. Decoding files is the application's business.
#pragma once

#include <cstdint>
#include <vector>

#include "fw/export.h"
#include "fw/mat.h"
#include "fw/status.h"

namespace fw {

enum class Pixel : uint8_t { kNone, kRgb, kBgr, kGray };

/// How an image becomes a network's input: value = (pixel - mean[c]) * norm[c], channels in the order `pixel`.
/// Stored in the model on its Input layer (docs/param-format.md), so that no two tools can disagree about it.
struct FW_EXPORT Preprocess {
    Pixel pixel = Pixel::kNone;  ///< kNone = nothing is stored
    int width = 0;               ///< size of the network's input; 0 = keep the image's own
    int height = 0;
    std::vector<float> mean;  ///< empty = 0; one value a channel or one for all
    std::vector<float> norm;  ///< empty = 1; likewise

    bool known() const { return pixel != Pixel::kNone; }
};

/// Interleaved 8-bit pixels, rows `stride` bytes apart, in the order `pixel` (gray 1 byte, else 3).
struct Image {
    const uint8_t* data = nullptr;
    int width = 0;
    int height = 0;
    int stride = 0;
    Pixel pixel = Pixel::kRgb;
};

/// Resizes (bilinear, half-pixel centres, to 8-bit levels: the same bits as OpenCV's INTER_LINEAR on 8-bit images),
/// reorders and normalises an image into a float32 Mat [channels x height x width].
FW_EXPORT Result<Mat> mat_from_image(const Image& image, const Preprocess& preprocess);

}  // namespace fw
