#include "metrics/classify.h"

#include <vector>

#include "common/net_options.h"

namespace fw::tools {

Status check_scores(const Mat& scores, int label) {
    if (scores.count() == 0 || (scores.shape().rank == 2 && scores.w() == 6)) {
        return Status::error(Code::kInvalidArgument,
                             "output %s is no list of class scores; detections need --task detect",
                             scores.shape().str().c_str());
    }
    if (scores.shape().rank >= 3 && int64_t{scores.w()} * scores.h() > 1) {
        return Status::error(Code::kInvalidArgument, "output %s is no list of class scores; maps need --task segment",
                             scores.shape().str().c_str());
    }
    if (label >= scores.count()) {
        return Status::error(Code::kInvalidArgument, "label %d, but the network has %lld classes, 0 to %lld", label,
                             static_cast<long long>(scores.count()), static_cast<long long>(scores.count() - 1));
    }
    return {};
}

void ClassifyMetric::add(const Mat& scores, int label) {
    if (label < 0) {
        return;
    }
    ++labelled_;
    Class& of_label = classes_[label];
    ++of_label.images;
    const std::vector<int> best = top_k(scores.data(), scores.count(), 5);
    for (size_t i = 0; i < best.size(); ++i) {
        if (best[i] == label) {
            top1_ += i == 0 ? 1 : 0;
            of_label.top1 += i == 0 ? 1 : 0;
            ++top5_;
            ++of_label.top5;
        }
    }
    if (best[0] != label) {
        ++of_label.taken_for[best[0]];
    }
}

}  // namespace fw::tools
