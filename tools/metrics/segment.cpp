#include "metrics/segment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fw::tools {

namespace {

Result<LabelMap> largest_score(const Mat& output) {
    if (output.c() > LabelMap::kVoid) {
        return Status::error(Code::kUnsupported, "output %s: %d classes, at most %d can be told apart",
                             output.shape().str().c_str(), output.c(), LabelMap::kVoid);
    }
    LabelMap map{output.w(), output.h(), output.c(), {}};
    const auto count = static_cast<size_t>(map.width) * static_cast<size_t>(map.height);
    map.labels.assign(count, 0);
    std::vector<float> best(output.channel(0), output.channel(0) + count);
    for (int c = 1; c < output.c(); ++c) {
        const float* scores = output.channel(c);
        for (size_t i = 0; i < count; ++i) {
            if (scores[i] > best[i] || (std::isnan(best[i]) && !std::isnan(scores[i]))) {
                best[i] = scores[i];
                map.labels[i] = static_cast<uint8_t>(c);
            }
        }
    }
    return map;
}

bool is_label(float value) {
    return value >= 0 && value < static_cast<float>(LabelMap::kVoid) && value == std::floor(value);
}

Result<LabelMap> labels_or_probabilities(const Mat& output) {
    const float* values = output.data();
    const float* end = values + output.count();
    LabelMap map{output.w(), output.h(), 0, {}};
    map.labels.resize(static_cast<size_t>(output.count()));
    if (std::all_of(values, end, is_label)) {
        std::transform(values, end, map.labels.begin(), [](float v) { return static_cast<uint8_t>(v); });
        return map;
    }
    const float* bad = std::find_if(values, end, [](float v) { return !(v >= 0 && v <= 1); });
    if (bad != end) {
        return Status::error(Code::kInvalidArgument,
                             "output %s holds %g: neither a map of class numbers nor one of probabilities",
                             output.shape().str().c_str(), static_cast<double>(*bad));
    }
    map.classes = 2;
    std::transform(values, end, map.labels.begin(), [](float v) { return static_cast<uint8_t>(v >= 0.5F); });
    return map;
}

double share(int64_t part, int64_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

LabelMap LabelMap::resized(int new_width, int new_height) const {
    LabelMap out{new_width, new_height, classes, {}};
    out.labels.reserve(static_cast<size_t>(new_width) * static_cast<size_t>(new_height));
    for (int64_t y = 0; y < new_height; ++y) {
        const int64_t from_y = (2 * y + 1) * height / (2 * int64_t{new_height});
        for (int64_t x = 0; x < new_width; ++x) {
            const int64_t from_x = (2 * x + 1) * width / (2 * int64_t{new_width});
            out.labels.push_back(labels[static_cast<size_t>(from_y * width + from_x)]);
        }
    }
    return out;
}

Result<LabelMap> label_map_from_output(const Mat& output) {
    if (output.empty() || output.shape().rank < 2 || output.d() != 1) {
        return Status::error(Code::kInvalidArgument,
                             "output %s is no segmentation, expected scores [classes x h x w] or a map [h x w]",
                             output.shape().str().c_str());
    }
    return output.c() > 1 ? largest_score(output) : labels_or_probabilities(output);
}

void SegmentMetric::add(const LabelMap& found, const LabelMap& truth) {
    const LabelMap scaled = found.resized(truth.width, truth.height);
    for (size_t i = 0; i < truth.labels.size(); ++i) {
        const size_t label = truth.labels[i];
        if (label == LabelMap::kVoid || (found.classes > 0 && label >= static_cast<size_t>(found.classes))) {
            ++void_;
        } else {
            ++pixels_;
            ++confusion_[label * kLabels + scaled.labels[i]];
        }
    }
}

std::vector<SegmentMetric::Class> SegmentMetric::classes() const {
    std::vector<Class> classes;
    for (size_t label = 0; label < size_t{kLabels}; ++label) {
        Class entry;
        entry.label = static_cast<int>(label);
        const auto row = confusion_.begin() + static_cast<std::ptrdiff_t>(label * kLabels);
        entry.wanted = std::accumulate(row, row + kLabels, int64_t{0});
        for (size_t t = 0; t < size_t{kLabels}; ++t) {
            entry.found += confusion_[t * kLabels + label];
        }
        const int64_t both = confusion_[label * kLabels + label];
        const int64_t any = entry.wanted + entry.found - both;
        if (any > 0) {
            entry.iou = share(both, any);
            entry.accuracy = share(both, entry.wanted);
            classes.push_back(entry);
        }
    }
    return classes;
}

double SegmentMetric::miou() const {
    const std::vector<Class> all = classes();
    const double sum = std::accumulate(all.begin(), all.end(), 0.0, [](double s, const Class& c) { return s + c.iou; });
    return all.empty() ? 0.0 : sum / static_cast<double>(all.size());
}

double SegmentMetric::pixel_accuracy() const {
    int64_t right = 0;
    for (size_t label = 0; label < size_t{kLabels}; ++label) {
        right += confusion_[label * kLabels + label];
    }
    return share(right, pixels_);
}

double SegmentMetric::void_percent() const {
    return share(void_, void_ + pixels_);
}

}  // namespace fw::tools
