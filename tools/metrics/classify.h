// Classification: top-1 and top-5, over all images and by class.
#pragma once

#include <map>

#include "fw/mat.h"

namespace fw::tools {

/// An error where `scores` cannot be a classifier's output, or lacks the class `label` (-1 = no label).
Status check_scores(const Mat& scores, int label);

/// Top-1 and top-5 over images with a label; a label of -1 counts for nothing.
class ClassifyMetric {
public:
    struct Class {
        int images = 0;
        int top1 = 0;
        int top5 = 0;
        std::map<int, int> taken_for;  ///< the class in the first place, where that was another
    };

    /// `scores` as check_scores approves them.
    void add(const Mat& scores, int label);
    int labelled() const { return labelled_; }
    /// Percentages of the labelled images, 0 when there is none.
    double top1() const { return percent(top1_); }
    double top5() const { return percent(top5_); }
    /// The classes that labels name.
    const std::map<int, Class>& classes() const { return classes_; }

private:
    double percent(int hits) const { return labelled_ == 0 ? 0.0 : 100.0 * hits / labelled_; }
    int labelled_ = 0;
    int top1_ = 0;
    int top5_ = 0;
    std::map<int, Class> classes_;
};

}  // namespace fw::tools
