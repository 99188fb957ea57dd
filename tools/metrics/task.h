// What the output of a network means.
#pragma once

#include <cstdint>

namespace fw::tools {

enum class Task : uint8_t {
    kClassify,  ///< a score for each class
    kDetect,    ///< rows [label, score, xmin, ymin, xmax, ymax]
    kSegment    ///< a class, or scores of all, for each pixel
};

}  // namespace fw::tools
