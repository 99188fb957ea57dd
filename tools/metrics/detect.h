// Detection: mean average precision as PASCAL VOC and as COCO count it.
#pragma once

#include <optional>
#include <vector>

#include "metrics/box.h"

namespace fw::tools {

/// Percentages of one class; classes without a wanted box have none and count in no mean.
struct ClassPrecision {
    int label = 0;
    int wanted = 0;         ///< true boxes that are neither crowd nor difficult
    int found = 0;          ///< detections
    double ap50 = 0;        ///< as DetectSummary::map50
    double ap50_voc07 = 0;  ///< as DetectSummary::map_voc07
    double ap = 0;          ///< as DetectSummary::map
    double ap75 = 0;        ///< as DetectSummary::map75
};

/// Means over the classes that have a wanted box, in percent; 0 without any.
struct DetectSummary {
    double map50 = 0;       ///< VOC 2010 to 2012 at IoU 0.5: area under the precision envelope over all recalls
    double map_voc07 = 0;   ///< VOC 2007 at IoU 0.5: mean of the envelope at the recalls 0, 0.1 ... 1
    double map = 0;         ///< COCO: mean over the IoUs 0.50, 0.55 ... 0.95 of the envelope at 101 recalls
    double map50_coco = 0;  ///< COCO at IoU 0.5
    double map75 = 0;       ///< COCO at IoU 0.75
    double recall = 0;      ///< COCO's AR@100: the recall with at most 100 detections, mean over the ten IoUs
    /// COCO's `map` of objects below 32 x 32 pixels, up to 96 x 96, and above; none where no object is of that size.
    std::optional<double> map_small, map_medium, map_large;
    std::vector<ClassPrecision> classes;  ///< by label
};

/// Collects the detections of all images, then counts.
///
/// VOC (M. Everingham et al., "The PASCAL Visual Object Classes Challenge: a Retrospective", 2015, section 2.2; its
/// development kit): detections of a class over all images by falling score; each belongs to the true box of its image
/// and class that it overlaps most. With IoU >= 0.5 it is right if that box is still free, wrong if it was found
/// before, and counts for nothing if the box is difficult. Crowd regions, which VOC does not know, forgive a detection
/// that would be wrong and lies in them by half.
///
/// COCO (T.-Y. Lin et al., "Microsoft COCO", 2014, and the rules at cocodataset.org/#detection-eval): the 100 strongest
/// detections of a class and image, by falling score; each takes the free box with the largest IoU above the threshold,
/// a wanted one before an ignored one. Crowd regions may be taken often, by intersection over the detection's area.
/// What takes an ignored box counts for nothing; so do, for a range of sizes, boxes outside of it and unmatched
/// detections outside of it. Difficult boxes count as ignored.
class DetectMetric {
public:
    /// `width` and `height` of the image in pixels, for COCO's sizes.
    void add(std::vector<DetectedBox> found, std::vector<TrueBox> truth, double width = 1, double height = 1);
    DetectSummary summary() const;
    /// summary().map50, without the work for the rest.
    double map50() const;

private:
    struct Image {
        std::vector<DetectedBox> found;  ///< by falling score
        std::vector<TrueBox> truth;
        double pixels = 1;
    };
    std::vector<Image> images_;
};

}  // namespace fw::tools
