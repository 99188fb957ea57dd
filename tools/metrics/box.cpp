#include "metrics/box.h"

#include <algorithm>
#include <cmath>

namespace fw::tools {

Result<std::vector<DetectedBox>> boxes_from_output(const Mat& output) {
    std::vector<DetectedBox> boxes;
    if (output.count() == 0) {
        return boxes;
    }
    if (output.w() != 6) {
        return Status::error(Code::kInvalidArgument, "output %s is no list of detections, expected rows of 6",
                             output.shape().str().c_str());
    }
    constexpr float kMostLabel = 1e6F;
    for (int64_t y = 0; y < output.count() / 6; ++y) {
        const float* row = output.data() + y * 6;
        if (std::all_of(row, row + 6, [](float x) { return std::isfinite(x); }) && std::abs(row[0]) <= kMostLabel) {
            boxes.push_back({static_cast<int>(row[0]), row[1], static_cast<double>(row[2]), static_cast<double>(row[3]),
                             static_cast<double>(row[4]), static_cast<double>(row[5])});
        }
    }
    return boxes;
}

double box_area(const DetectedBox& box) {
    const double w = box.xmax - box.xmin;
    const double h = box.ymax - box.ymin;
    return w > 0 && h > 0 ? w * h : 0.0;
}

double intersection(const DetectedBox& a, const DetectedBox& b) {
    const double w = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
    const double h = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
    return w > 0 && h > 0 ? w * h : 0.0;
}

double intersection_over_union(const DetectedBox& a, const DetectedBox& b) {
    const double common = intersection(a, b);
    const double all = box_area(a) + box_area(b) - common;
    return all > 0 ? common / all : 0.0;
}

void sort_by_score(std::vector<DetectedBox>* boxes) {
    std::stable_sort(boxes->begin(), boxes->end(), [](const auto& a, const auto& b) { return a.score > b.score; });
}

}  // namespace fw::tools
