// Accuracy of one network over labelled images, for any of the three tasks.
#pragma once

#include "metrics/classify.h"
#include "metrics/detect.h"
#include "metrics/segment.h"
#include "metrics/truth.h"

namespace fw::tools {

/// The one number of a task: "top-1 %", "mAP@0.5 %", "mIoU %".
const char* headline_of(Task task);

/// Collects outputs of a network beside the truth.
class Accuracy {
public:
    explicit Accuracy(Task task) : task_(task) {}

    /// One image's output; images without truth count for nothing. Among detections of equal score the order of the
    /// images decides, so add them in a fixed order. Fails where `output` cannot be one of the task, names a class that
    /// the network lacks, or the mask cannot be read.
    Status add(const ImageTruth& truth, const Mat& output);

    /// Images that counted.
    int images() const { return images_; }
    /// Top-1, mAP at IoU 0.5 (VOC's area), or mIoU; 0 to 100. Detection counts everything anew at each call.
    double percent() const;

    const ClassifyMetric& classification() const { return classify_; }
    const DetectMetric& detection() const { return detect_; }
    const SegmentMetric& segmentation() const { return segment_; }

private:
    Task task_;
    int images_ = 0;
    ClassifyMetric classify_;
    DetectMetric detect_;
    SegmentMetric segment_;
};

}  // namespace fw::tools
