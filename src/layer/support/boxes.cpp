#include "layer/support/boxes.h"

#include <algorithm>

namespace fw {

namespace {

bool before(const Box& a, const Box& b) {
    return a.score != b.score ? a.score > b.score : a.order < b.order;
}

float area(const Box& b) {
    return (b.xmax - b.xmin) * (b.ymax - b.ymin);
}

float intersection(const Box& a, const Box& b) {
    if (a.xmin > b.xmax || a.xmax < b.xmin || a.ymin > b.ymax || a.ymax < b.ymin) {
        return 0.0F;
    }
    const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
    const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
    return width * height;
}

}  // namespace

void keep_best(std::vector<Box>* boxes, int top_k) {
    const size_t keep = top_k < 0 ? boxes->size() : std::min(boxes->size(), static_cast<size_t>(top_k));
    std::partial_sort(boxes->begin(), boxes->begin() + static_cast<std::ptrdiff_t>(keep), boxes->end(), before);
    boxes->resize(keep);
}

void suppress(std::vector<Box>* sorted, float threshold, int limit) {
    sorted->resize(std::min(sorted->size(), kMaxCandidates));
    std::vector<float> areas;  // of those that stay, which fill the front of the vector
    size_t kept = 0;
    for (size_t i = 0; i < sorted->size() && (limit < 0 || kept < static_cast<size_t>(limit)); ++i) {
        const Box box = (*sorted)[i];
        const float box_area = area(box);
        bool keep = true;
        for (size_t k = 0; keep && k < kept; ++k) {
            const float common = intersection(box, (*sorted)[k]);
            keep = !(common / (box_area + areas[k] - common) > threshold);  // 0 / 0 keeps it
        }
        if (keep) {
            (*sorted)[kept++] = box;
            areas.push_back(box_area);
        }
    }
    sorted->resize(kept);
}

void write_boxes(const std::vector<Box>& boxes, Tensor* out) {
    const size_t rows = std::min(boxes.size(), static_cast<size_t>(out->shape[0]));
    out->shape[0] = static_cast<int>(rows);
    for (size_t i = 0; i < rows; ++i) {
        const Box& box = boxes[i];
        const float row[] = {static_cast<float>(box.label), box.score, box.xmin, box.ymin, box.xmax, box.ymax};
        for (int k = 0; k < 6; ++k) {
            out->ptr<float>()[static_cast<int64_t>(i) * out->stride[0] + k * out->stride[1]] = row[k];
        }
    }
}

}  // namespace fw
