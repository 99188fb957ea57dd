#include <algorithm>
#include <cmath>

#include "fweval/metrics.h"

namespace fw::tools {

namespace {

constexpr double kMatchIou = 0.5;

// Index of the free box of `label` with the largest IoU >= kMatchIou, -1 without one. `boxes` yields DetectedBox by
// `get(i)`.
template <class Get>
int best_match(const DetectedBox& box, size_t count, const std::vector<bool>& taken, Get get) {
    int best = -1;
    double best_iou = kMatchIou;
    for (size_t i = 0; i < count; ++i) {
        const DetectedBox& other = get(i);
        if (taken[i] || other.label != box.label) {
            continue;
        }
        const double iou = intersection_over_union(box, other);
        if (iou >= best_iou) {
            best_iou = iou;
            best = static_cast<int>(i);
        }
    }
    return best;
}

void sort_by_score(std::vector<DetectedBox>* boxes) {
    std::stable_sort(boxes->begin(), boxes->end(), [](const auto& a, const auto& b) { return a.score > b.score; });
}

}  // namespace

Result<std::vector<DetectedBox>> boxes_from_output(const Mat& output) {
    std::vector<DetectedBox> boxes;
    if (output.count() == 0) {
        return boxes;
    }
    if (output.w() != 6) {
        return Status::error(Code::kInvalidArgument, "output %s is no list of detections, expected rows of 6",
                             output.shape().str().c_str());
    }
    for (int64_t y = 0; y < output.count() / 6; ++y) {
        const float* row = output.data() + y * 6;
        if (std::all_of(row, row + 6, [](float x) { return std::isfinite(x); })) {
            boxes.push_back({static_cast<int>(row[0]), row[1], row[2], row[3], row[4], row[5]});
        }
    }
    return boxes;
}

double intersection_over_union(const DetectedBox& a, const DetectedBox& b) {
    const auto area = [](double w, double h) { return w > 0 && h > 0 ? w * h : 0.0; };
    const double w = static_cast<double>(std::min(a.xmax, b.xmax)) - static_cast<double>(std::max(a.xmin, b.xmin));
    const double h = static_cast<double>(std::min(a.ymax, b.ymax)) - static_cast<double>(std::max(a.ymin, b.ymin));
    const double common = area(w, h);
    const double all = area(static_cast<double>(a.xmax) - static_cast<double>(a.xmin),
                            static_cast<double>(a.ymax) - static_cast<double>(a.ymin)) +
                       area(static_cast<double>(b.xmax) - static_cast<double>(b.xmin),
                            static_cast<double>(b.ymax) - static_cast<double>(b.ymin)) -
                       common;
    return all > 0 ? common / all : 0.0;
}

void DetectMetric::add(const std::vector<DetectedBox>& found, const std::vector<TrueBox>& truth) {
    for (const TrueBox& wanted : truth) {
        wanted_[wanted.box.label] += wanted.crowd ? 0 : 1;
    }
    std::vector<DetectedBox> sorted = found;
    sort_by_score(&sorted);
    std::vector<bool> taken(truth.size());
    for (size_t i = 0; i < truth.size(); ++i) {
        taken[i] = truth[i].crowd;
    }
    const auto get = [&truth](size_t i) -> const DetectedBox& { return truth[i].box; };
    for (const DetectedBox& box : sorted) {
        const int match = best_match(box, truth.size(), taken, get);
        if (match >= 0) {
            taken[static_cast<size_t>(match)] = true;
        } else if (std::any_of(truth.begin(), truth.end(), [&](const TrueBox& t) {
                       return t.crowd && t.box.label == box.label && intersection_over_union(box, t.box) >= kMatchIou;
                   })) {
            continue;
        }
        found_[box.label].push_back({box.score, match >= 0});
    }
}

double DetectMetric::map50() const {
    double sum = 0;
    int classes = 0;
    for (const auto& [label, wanted] : wanted_) {
        if (wanted == 0) {
            continue;
        }
        ++classes;
        const auto it = found_.find(label);
        if (it == found_.end()) {
            continue;
        }
        std::vector<Scored> found = it->second;
        std::stable_sort(found.begin(), found.end(),
                         [](const Scored& a, const Scored& b) { return a.score > b.score; });
        std::vector<double> precision;
        std::vector<bool> correct;
        int hits = 0;
        for (const Scored& scored : found) {
            hits += scored.correct ? 1 : 0;
            precision.push_back(static_cast<double>(hits) / static_cast<double>(precision.size() + 1));
            correct.push_back(scored.correct);
        }
        // Every hit adds 1 / wanted of recall at the best precision from there on.
        double envelope = 0;
        double area = 0;
        for (size_t i = precision.size(); i-- > 0;) {
            envelope = std::max(envelope, precision[i]);
            area += correct[i] ? envelope / wanted : 0.0;
        }
        sum += area;
    }
    return classes == 0 ? 0.0 : 100.0 * sum / classes;
}

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
        const int match =
            best_match(box, second.size(), taken, [&second](size_t i) -> const DetectedBox& { return second[i]; });
        if (match >= 0) {
            taken[static_cast<size_t>(match)] = true;
            matched_ += 2;
        }
    }
    total_ += static_cast<int64_t>(first.size() + second.size());
}

}  // namespace fw::tools
