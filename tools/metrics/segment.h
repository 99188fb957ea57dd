// Segmentation: intersection over union by class, and pixel accuracy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/mat.h"

namespace fw::tools {

/// A class for each pixel, row by row.
struct LabelMap {
    static constexpr int kVoid = 255;  ///< VOC's mark for pixels that count for nothing
    int width = 0;
    int height = 0;
    int classes = 0;  ///< labels that a network can give are 0 to classes - 1; 0 = not known
    std::vector<uint8_t> labels;

    /// By nearest neighbour, pixel centres on pixel centres.
    LabelMap resized(int new_width, int new_height) const;
};

/// What a network says: the class with the largest of [classes x h x w] scores (the first of equal ones, nan never); or
/// a map [h x w] or [1 x h x w] of whole numbers from 0 to 254 (ArgMax); or of probabilities, where 0.5 and more is
/// class 1. Errors name the shape or the value.
Result<LabelMap> label_map_from_output(const Mat& output);

/// A mask: the indices of a PNG with a palette, whatever its colours; the levels of a gray image; or the colours of
/// VOC's palette (equal levels of all three channels where these are none of them). Errors name file and pixel.
Result<LabelMap> read_mask(const std::string& path);

/// Pixels of class t that were taken for class p, over everything added.
class SegmentMetric {
public:
    struct Class {
        int label = 0;
        int64_t wanted = 0;   ///< pixels
        int64_t found = 0;    ///< pixels
        double iou = 0;       ///< in percent
        double accuracy = 0;  ///< share of the wanted pixels that were found, in percent
    };

    SegmentMetric() : confusion_(size_t{kLabels} * kLabels) {}
    /// `found` is resized to the truth. Pixels of the truth that are kVoid, or no class of the network, are left out.
    void add(const LabelMap& found, const LabelMap& truth);

    /// In percent. miou: mean over the classes that occur in the truth or in the results (J. Long et al., "Fully
    /// Convolutional Networks for Semantic Segmentation", 2015, section 5).
    double miou() const;
    double pixel_accuracy() const;
    /// Share of the pixels that were left out.
    double void_percent() const;
    /// Classes that occur, by label.
    std::vector<Class> classes() const;
    /// Pixels that count.
    int64_t pixels() const { return pixels_; }

private:
    static constexpr int kLabels = 256;
    std::vector<int64_t> confusion_;  // [truth][found]
    int64_t pixels_ = 0;
    int64_t void_ = 0;
};

}  // namespace fw::tools
