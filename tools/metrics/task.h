// What the output of a network means.
#pragma once

#include <cstdint>
#include <string>

namespace fw::tools {

enum class Task : uint8_t {
    kClassify,  ///< a score for each class
    kDetect,    ///< rows [label, score, xmin, ymin, xmax, ymax]
    kSegment    ///< a class, or scores of all, for each pixel
};

/// Of --task: "classify", "detect" or "segment".
inline Task task_named(const std::string& name) {
    return name == "detect" ? Task::kDetect : name == "segment" ? Task::kSegment : Task::kClassify;
}

}  // namespace fw::tools
