// Boxes as networks find them and as label files give them.
#pragma once

#include <vector>

#include "fw/mat.h"

namespace fw::tools {

/// One box: corners as fractions of the image.
struct DetectedBox {
    int label = 0;
    float score = 0;
    double xmin = 0, ymin = 0, xmax = 0, ymax = 0;
};

struct TrueBox {
    DetectedBox box;         ///< its score means nothing
    bool crowd = false;      ///< COCO's iscrowd: a region with many; neither wanted nor wrong
    bool difficult = false;  ///< VOC's difficult, COCO's ignore: neither wanted nor wrong
    double area = 0;         ///< in pixels, as COCO's `area` gives it (of the outline); 0 = the box's own
};

/// Rows [label, score, xmin, ymin, xmax, ymax] of a DetectionOutput blob; rows with a value that is not finite are
/// dropped. An empty Mat is an image without detections.
Result<std::vector<DetectedBox>> boxes_from_output(const Mat& output);

/// Area of the box as a share of the image; 0 for boxes with corners in the wrong order.
double box_area(const DetectedBox& box);
/// Area that two boxes share.
double intersection(const DetectedBox& a, const DetectedBox& b);
/// Intersection over union of two boxes; 0 for empty ones.
double intersection_over_union(const DetectedBox& a, const DetectedBox& b);

/// By falling score; equal scores keep their order.
void sort_by_score(std::vector<DetectedBox>* boxes);

}  // namespace fw::tools
