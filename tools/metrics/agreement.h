// How alike two results for the same images are: the float network's and another's.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/box.h"
#include "metrics/task.h"

namespace fw::tools {

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

/// Agreement as a user sees it: images whose best class is the same; boxes (BoxAgreement, from a score of 0.3); pixels
/// of the same class. Needs no labels.
class Agreement {
public:
    explicit Agreement(Task task) : task_(task) {}
    /// Outputs of one image. Fails where one cannot be an output of the task or the shapes differ.
    Status add(const Mat& reference, const Mat& value);
    /// 0 to 100; 100 where there was nothing to compare.
    double percent() const;
    /// Of the image that was added last.
    double last_percent() const { return last_; }
    /// Of outputs that are scores; detections have none: their number varies.
    bool has_sqnr() const { return task_ != Task::kDetect; }
    double sqnr_db() const { return sqnr_.decibel(); }

private:
    Task task_;
    double last_ = 100;
    int64_t same_ = 0;
    int64_t total_ = 0;
    BoxAgreement boxes_;
    Sqnr sqnr_;
};

}  // namespace fw::tools
