// What fweval counts: classification and detection results of one network, and their comparison with the float network.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fw/mat.h"

namespace fw::tools {

/// An error where `scores` cannot be a classifier's output, or lacks the class `label` (-1 = no label).
Status check_scores(const Mat& scores, int label);

/// Top-1 and top-5 over images with a label; a label of -1 counts for nothing.
class ClassifyMetric {
public:
    void add(const Mat& scores, int label);
    int labelled() const { return labelled_; }
    /// Percentages of the labelled images, 0 when there is none.
    double top1() const { return percent(top1_); }
    double top5() const { return percent(top5_); }

private:
    double percent(int hits) const { return labelled_ == 0 ? 0.0 : 100.0 * hits / labelled_; }
    int labelled_ = 0;
    int top1_ = 0;
    int top5_ = 0;
};

/// One box: corners as fractions of the image.
struct DetectedBox {
    int label = 0;
    float score = 0;
    float xmin = 0, ymin = 0, xmax = 0, ymax = 0;
};

struct TrueBox {
    DetectedBox box;
    bool crowd = false;  ///< COCO's iscrowd: neither wanted nor wrong
};

/// Rows [label, score, xmin, ymin, xmax, ymax] of a DetectionOutput blob; rows with a value that is not finite are
/// dropped.
Result<std::vector<DetectedBox>> boxes_from_output(const Mat& output);

/// Intersection over union of two boxes; 0 for empty ones.
double intersection_over_union(const DetectedBox& a, const DetectedBox& b);

/// Mean average precision at IoU 0.5: detections of a class over all images by falling score, each matched to the free
/// true box of that image with the largest IoU >= 0.5; area under the precision envelope over all recalls (M.
/// Everingham et al., "The PASCAL VOC Challenge", 2010, the area form used since), averaged over the classes that
/// occur. Detections whose best match is a crowd region count for nothing.
class DetectMetric {
public:
    void add(const std::vector<DetectedBox>& found, const std::vector<TrueBox>& truth);
    /// In percent; 0 without any true box.
    double map50() const;

private:
    struct Scored {
        float score;
        bool correct;
    };
    std::map<int, std::vector<Scored>> found_;
    std::map<int, int> wanted_;
};

/// Share of boxes on which two results for an image agree: 2 * matched / (boxes of a + boxes of b), boxes with at least
/// `threshold` score, the same label and IoU >= 0.5.
class BoxAgreement {
public:
    void add(const std::vector<DetectedBox>& a, const std::vector<DetectedBox>& b, float threshold);
    double percent() const { return total_ == 0 ? 100.0 : 100.0 * matched_ / total_; }

private:
    int64_t matched_ = 0;
    int64_t total_ = 0;
};

/// Signal to quantization noise of a blob against its float value, over everything added: 10 log10(sum f^2 / sum (f -
/// q)^2) dB.
class Sqnr {
public:
    void add(const Mat& reference, const Mat& value);
    double decibel() const;

private:
    double signal_ = 0;
    double noise_ = 0;
};

}  // namespace fw::tools
