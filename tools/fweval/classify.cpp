#include <cmath>

#include "common/net_options.h"
#include "fweval/metrics.h"

namespace fw::tools {

Status check_scores(const Mat& scores, int label) {
    if (scores.count() == 0 || (scores.shape().rank == 2 && scores.w() == 6)) {
        return Status::error(Code::kInvalidArgument,
                             "output %s is no list of class scores; detections need --task detect",
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
    const std::vector<int> best = top_k(scores.data(), scores.count(), 5);
    for (size_t i = 0; i < best.size(); ++i) {
        if (best[i] == label) {
            top1_ += i == 0 ? 1 : 0;
            ++top5_;
        }
    }
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

}  // namespace fw::tools
