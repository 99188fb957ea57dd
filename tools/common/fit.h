// Images of another shape than the network's input: what is cut off or added when they are resized.
#pragma once

#include <cstdint>
#include <string>

#include "fw/image.h"

namespace fw::tools {

struct Fit {
    enum class Kind : uint8_t {
        kStretch,   ///< the whole image, whatever becomes of its proportions
        kCrop,      ///< a centred rectangle with the proportions of the input
        kLetterbox  ///< the whole image in the middle, borders beside it or above and below
    };
    Kind kind = Kind::kStretch;
    double share = 1.0;  ///< kCrop: sides of the rectangle, of those of the largest; 0.875 is "resize to 256, crop 224"
    uint8_t level = 114;  ///< kLetterbox: gray of the borders
};

/// "stretch", "crop", "crop:SHARE" (more than 0, at most 1), "letterbox" or "letterbox:LEVEL" (0 to 255).
Result<Fit> parse_fit(const std::string& text);

/// mat_from_image after fitting. Where `preprocess` keeps an image's size, only the share of a crop matters.
Result<Mat> fitted_mat(const Image& image, const Preprocess& preprocess, const Fit& fit);

}  // namespace fw::tools
