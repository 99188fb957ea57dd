// Precision over recall of one class's detections, and the three ways to make one number of it.
#pragma once

#include <vector>

namespace fw::tools {

/// The envelope of a curve is, at each recall, the best precision there or at any higher recall.
class PrecisionCurve {
public:
    void add(float score, bool right) { found_.push_back({score, right}); }
    /// By falling score, before any of the calls below; equal scores keep their order.
    void sort();

    /// Fractions for `wanted` > 0 true boxes. Area under the envelope.
    double area(int wanted) const;
    /// Mean of the envelope at the recalls 0, 0.1 ... 1.
    double at_11_recalls(int wanted) const;
    /// Mean of the envelope at the recalls 0, 0.01 ... 1 (with the rounding of numpy's linspace, as COCO's reference).
    double at_101_recalls(int wanted) const;
    /// Share of the true boxes that were found.
    double recall(int wanted) const;

private:
    struct Found {
        float score;
        bool right;
    };
    // The envelope behind each detection.
    std::vector<double> envelope() const;
    // Right detections up to each.
    std::vector<int> hits() const;

    std::vector<Found> found_;
};

}  // namespace fw::tools
