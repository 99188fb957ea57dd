// Boxes of detectors: ordering and non-maximum suppression. Scores are never NaN here (callers compare them with a
// threshold first); coordinates may be anything.
#pragma once

#include <cstddef>
#include <vector>

#include "fw/status.h"
#include "tensor/tensor.h"

namespace fw {

struct Box {
    float score = 0;
    float xmin = 0, ymin = 0, xmax = 0, ymax = 0;
    int label = 0;
    int order = 0;  ///< decides between equal scores, so that results do not depend on the sort
};

/// Sorts by falling score and keeps the first `top_k` (negative = all). O(n log k).
void keep_best(std::vector<Box>* boxes, int top_k);

/// More boxes than any real detector has above its threshold (YOLO at 608 x 608 has 22743 in all).
constexpr size_t kMaxCandidates = 30000;

/// Greedy suppression of boxes in falling order of score: a box goes if its intersection over union with one that stays
/// is above `threshold`. Stops once `limit` boxes stay (negative = no limit).
void suppress(std::vector<Box>* sorted, float threshold, int limit);

/// Rows label, score, xmin, ymin, xmax, ymax; sets shape[0] of `out` to their number, at most what it was.
void write_boxes(const std::vector<Box>& boxes, Tensor* out);

}  // namespace fw
