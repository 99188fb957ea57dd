#include "metrics/detect.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "metrics/precision.h"

namespace fw::tools {

namespace {

constexpr double kVocIou = 0.5;
constexpr size_t kMostDetections = 100;  // COCO's, of a class and image
constexpr int kIous = 10;
constexpr int kIou75 = 5;  // index of 0.75

// COCO's thresholds, with the rounding of its reference (numpy's linspace), which decides ties.
double coco_iou(int index) {
    const double step = (0.95 - 0.5) / (kIous - 1);
    return std::min(0.5 + index * step, 1.0 - 1e-10);
}

// What one image holds of one class.
struct ClassImage {
    std::vector<DetectedBox> found;  // by falling score
    std::vector<TrueBox> truth;
    double pixels = 1;
};

struct AreaRange {
    double least = 0;
    double most = std::numeric_limits<double>::infinity();
    bool holds(double area) const { return area >= least && area <= most; }
};

double area_of(const TrueBox& truth, double pixels) {
    return truth.area > 0 ? truth.area : box_area(truth.box) * pixels;
}

// Part of the detection that lies in the region.
double inside(const DetectedBox& box, const TrueBox& region) {
    const double area = box_area(box);
    return area > 0 ? intersection(box, region.box) / area : 0.0;
}

void match_voc(const ClassImage& image, PrecisionCurve* curve) {
    std::vector<bool> taken(image.truth.size());
    for (const DetectedBox& box : image.found) {
        size_t best = image.truth.size();
        double best_iou = 0;
        bool in_crowd = false;
        for (size_t i = 0; i < image.truth.size(); ++i) {
            const TrueBox& truth = image.truth[i];
            if (truth.crowd) {
                in_crowd = in_crowd || inside(box, truth) >= kVocIou;
                continue;
            }
            const double iou = intersection_over_union(box, truth.box);
            if (iou > best_iou) {
                best_iou = iou;
                best = i;
            }
        }
        const bool matched = best_iou >= kVocIou;
        if (matched && image.truth[best].difficult) {
            continue;
        }
        const bool right = matched && !taken[best];
        if (right) {
            taken[best] = true;
        } else if (in_crowd) {
            continue;
        }
        curve->add(box.score, right);
    }
}

class CocoImage {
public:
    CocoImage(const ClassImage& image, const AreaRange& range) : image_(image), range_(range) {
        const size_t count = image.truth.size();
        ignored_.resize(count);
        order_.resize(count);
        std::iota(order_.begin(), order_.end(), size_t{0});
        for (size_t i = 0; i < count; ++i) {
            const TrueBox& truth = image.truth[i];
            ignored_[i] = truth.crowd || truth.difficult || !range.holds(area_of(truth, image.pixels));
        }
        std::stable_partition(order_.begin(), order_.end(), [this](size_t i) { return !ignored_[i]; });
        const size_t found = std::min(kMostDetections, image.found.size());
        for (size_t d = 0; d < found; ++d) {
            for (const TrueBox& truth : image.truth) {
                const DetectedBox& box = image.found[d];
                overlap_.push_back(truth.crowd ? inside(box, truth) : intersection_over_union(box, truth.box));
            }
        }
    }

    int wanted() const { return static_cast<int>(std::count(ignored_.begin(), ignored_.end(), false)); }

    void match(double threshold, PrecisionCurve* curve) const {
        const size_t count = image_.truth.size();
        std::vector<bool> taken(count);
        const size_t found = std::min(kMostDetections, image_.found.size());
        for (size_t d = 0; d < found; ++d) {
            double best_iou = threshold;
            size_t best = count;
            for (const size_t i : order_) {
                if (taken[i] && !image_.truth[i].crowd) {
                    continue;
                }
                if (best != count && !ignored_[best] && ignored_[i]) {
                    break;  // a wanted box goes before all ignored ones
                }
                if (overlap_[d * count + i] >= best_iou) {
                    best_iou = overlap_[d * count + i];
                    best = i;
                }
            }
            if (best != count) {
                taken[best] = true;
                if (!ignored_[best]) {
                    curve->add(image_.found[d].score, true);
                }
            } else if (range_.holds(box_area(image_.found[d]) * image_.pixels)) {
                curve->add(image_.found[d].score, false);
            }
        }
    }

private:
    const ClassImage& image_;
    AreaRange range_;
    std::vector<bool> ignored_;
    std::vector<size_t> order_;    // wanted boxes first
    std::vector<double> overlap_;  // by detection and true box
};

struct CocoResult {
    int wanted = 0;
    double precision[kIous] = {};
    double recall[kIous] = {};
    double mean() const { return std::accumulate(precision, precision + kIous, 0.0) / kIous; }
    double mean_recall() const { return std::accumulate(recall, recall + kIous, 0.0) / kIous; }
};

CocoResult count_coco(const std::vector<ClassImage>& images, const AreaRange& range) {
    CocoResult result;
    PrecisionCurve curves[kIous];
    for (const ClassImage& image : images) {
        const CocoImage coco(image, range);
        result.wanted += coco.wanted();
        for (int t = 0; t < kIous; ++t) {
            coco.match(coco_iou(t), &curves[t]);
        }
    }
    for (int t = 0; t < kIous && result.wanted > 0; ++t) {
        curves[t].sort();
        result.precision[t] = 100.0 * curves[t].at_101_recalls(result.wanted);
        result.recall[t] = 100.0 * curves[t].recall(result.wanted);
    }
    return result;
}

int count_wanted(const std::vector<ClassImage>& images) {
    int wanted = 0;
    for (const ClassImage& image : images) {
        wanted += static_cast<int>(std::count_if(image.truth.begin(), image.truth.end(),
                                                 [](const TrueBox& t) { return !t.crowd && !t.difficult; }));
    }
    return wanted;
}

PrecisionCurve voc_curve(const std::vector<ClassImage>& images) {
    PrecisionCurve curve;
    for (const ClassImage& image : images) {
        match_voc(image, &curve);
    }
    curve.sort();
    return curve;
}

// Mean of what is added; nothing was added: no value.
class Mean {
public:
    void add(double value) {
        sum_ += value;
        ++count_;
    }
    double value() const { return count_ == 0 ? 0.0 : sum_ / count_; }
    std::optional<double> optional() const { return count_ == 0 ? std::nullopt : std::optional<double>(value()); }

private:
    double sum_ = 0;
    int count_ = 0;
};

template <class Images>
std::map<int, std::vector<ClassImage>> by_class(const Images& images) {
    std::map<int, std::vector<ClassImage>> classes;
    for (const auto& image : images) {
        std::map<int, ClassImage> parts;
        for (const DetectedBox& box : image.found) {
            parts[box.label].found.push_back(box);
        }
        for (const TrueBox& truth : image.truth) {
            parts[truth.box.label].truth.push_back(truth);
        }
        for (auto& [label, part] : parts) {
            part.pixels = image.pixels;
            classes[label].push_back(std::move(part));
        }
    }
    return classes;
}

}  // namespace

void DetectMetric::add(std::vector<DetectedBox> found, std::vector<TrueBox> truth, double width, double height) {
    sort_by_score(&found);
    images_.push_back({std::move(found), std::move(truth), width * height});
}

double DetectMetric::map50() const {
    Mean mean;
    for (const auto& [label, images] : by_class(images_)) {
        const int wanted = count_wanted(images);
        if (wanted > 0) {
            mean.add(100.0 * voc_curve(images).area(wanted));
        }
    }
    return mean.value();
}

DetectSummary DetectMetric::summary() const {
    constexpr double kSmall = 32.0 * 32.0;
    constexpr double kMedium = 96.0 * 96.0;
    const AreaRange sizes[] = {{0, kSmall}, {kSmall, kMedium}, {kMedium, AreaRange().most}};
    Mean map50, map_voc07, map, map50_coco, map75, recall;
    Mean of_size[3];
    DetectSummary summary;
    for (const auto& [label, images] : by_class(images_)) {
        const int wanted = count_wanted(images);
        if (wanted == 0) {
            continue;
        }
        ClassPrecision result;
        result.label = label;
        result.wanted = wanted;
        for (const ClassImage& image : images) {
            result.found += static_cast<int>(image.found.size());
        }
        const PrecisionCurve curve = voc_curve(images);
        result.ap50 = 100.0 * curve.area(wanted);
        result.ap50_voc07 = 100.0 * curve.at_11_recalls(wanted);
        const CocoResult coco = count_coco(images, {});
        result.ap = coco.mean();
        result.ap75 = coco.precision[kIou75];
        map50.add(result.ap50);
        map_voc07.add(result.ap50_voc07);
        map.add(result.ap);
        map50_coco.add(coco.precision[0]);
        map75.add(result.ap75);
        recall.add(coco.mean_recall());
        for (int s = 0; s < 3; ++s) {
            const CocoResult part = count_coco(images, sizes[s]);
            if (part.wanted > 0) {
                of_size[s].add(part.mean());
            }
        }
        summary.classes.push_back(result);
    }
    summary.map50 = map50.value();
    summary.map_voc07 = map_voc07.value();
    summary.map = map.value();
    summary.map50_coco = map50_coco.value();
    summary.map75 = map75.value();
    summary.recall = recall.value();
    summary.map_small = of_size[0].optional();
    summary.map_medium = of_size[1].optional();
    summary.map_large = of_size[2].optional();
    return summary;
}

}  // namespace fw::tools
