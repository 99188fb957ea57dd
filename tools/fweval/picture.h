// Small pictures for the report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/image_file.h"
#include "metrics/segment.h"

namespace fw::tools {

struct Picture {
    int width = 0;
    int height = 0;
    std::vector<uint8_t> rgb;

    /// A PNG as a `data:` address.
    Result<std::string> data_address() const;
};

/// The image, made smaller (each pixel the mean of what it covers) so that no side is longer than `most`.
Result<Picture> small_picture(const std::string& path, int most);

/// The picture with the classes' colours over it, half and half; class 0, the background, leaves it as it is, and
/// pixels that count for nothing are white.
Picture painted(const Picture& picture, const LabelMap& labels);

}  // namespace fw::tools
