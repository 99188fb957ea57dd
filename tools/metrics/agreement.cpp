#include "metrics/agreement.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "common/net_options.h"
#include "metrics/classify.h"
#include "metrics/segment.h"

namespace fw::tools {

namespace {

constexpr double kLeastIou = 0.5;
constexpr float kShownScore = 0.3F;  // weaker boxes are noise to a user

// Index of the free box of `box`'s label that overlaps it most, by kLeastIou at least; -1 without one.
int best_match(const DetectedBox& box, const std::vector<DetectedBox>& others, const std::vector<bool>& taken) {
    int best = -1;
    double best_iou = kLeastIou;
    for (size_t i = 0; i < others.size(); ++i) {
        if (taken[i] || others[i].label != box.label) {
            continue;
        }
        const double iou = intersection_over_union(box, others[i]);
        if (iou >= best_iou) {
            best_iou = iou;
            best = static_cast<int>(i);
        }
    }
    return best;
}

}  // namespace

void BoxAgreement::add(const std::vector<DetectedBox>& a, const std::vector<DetectedBox>& b, float threshold) {
    const auto strong = [threshold](const std::vector<DetectedBox>& boxes) {
        std::vector<DetectedBox> kept;
        std::copy_if(boxes.begin(), boxes.end(), std::back_inserter(kept),
                     [threshold](const auto& box) { return box.score >= threshold; });
        sort_by_score(&kept);
        return kept;
    };
    const std::vector<DetectedBox> first = strong(a);
    const std::vector<DetectedBox> second = strong(b);
    std::vector<bool> taken(second.size());
    for (const DetectedBox& box : first) {
        const int match = best_match(box, second, taken);
        if (match >= 0) {
            taken[static_cast<size_t>(match)] = true;
            matched_ += 2;
        }
    }
    total_ += static_cast<int64_t>(first.size() + second.size());
}

void Sqnr::add(const Mat& reference, const Mat& value) {
    for (int64_t i = 0; i < reference.count() && i < value.count(); ++i) {
        const double f = reference.data()[i];
        const double difference = f - value.data()[i];
        signal_ += f * f;
        noise_ += difference * difference;
    }
}

double Sqnr::decibel() const {
    constexpr double kLossless = 200.0;  // stands for "no difference" in a JSON number
    return noise_ == 0 ? kLossless : 10.0 * std::log10(signal_ / noise_);
}

Status Agreement::add(const Mat& reference, const Mat& value) {
    if (task_ == Task::kDetect) {
        FW_ASSIGN_OR_RETURN(const std::vector<DetectedBox> a, boxes_from_output(reference));
        FW_ASSIGN_OR_RETURN(const std::vector<DetectedBox> b, boxes_from_output(value));
        boxes_.add(a, b, kShownScore);
        BoxAgreement alone;
        alone.add(a, b, kShownScore);
        last_ = alone.percent();
        return {};
    }
    if (reference.shape() != value.shape()) {
        return Status::error(Code::kInvalidArgument, "outputs %s and %s cannot be compared",
                             reference.shape().str().c_str(), value.shape().str().c_str());
    }
    int64_t same = 0;
    int64_t total = 1;
    if (task_ == Task::kClassify) {
        FW_RETURN_IF_ERROR(check_scores(reference, -1));
        same = top_k(reference.data(), reference.count(), 1) == top_k(value.data(), value.count(), 1) ? 1 : 0;
    } else {
        FW_ASSIGN_OR_RETURN(const LabelMap a, label_map_from_output(reference));
        FW_ASSIGN_OR_RETURN(const LabelMap b, label_map_from_output(value));
        total = static_cast<int64_t>(a.labels.size());
        for (size_t i = 0; i < a.labels.size(); ++i) {
            same += a.labels[i] == b.labels[i] ? 1 : 0;
        }
    }
    sqnr_.add(reference, value);
    same_ += same;
    total_ += total;
    last_ = 100.0 * static_cast<double>(same) / static_cast<double>(total);
    return {};
}

double Agreement::percent() const {
    if (task_ == Task::kDetect) {
        return boxes_.percent();
    }
    return total_ == 0 ? 100.0 : 100.0 * static_cast<double>(same_) / static_cast<double>(total_);
}

}  // namespace fw::tools
