#include "metrics/precision.h"

#include <algorithm>
#include <cstdint>

namespace fw::tools {

void PrecisionCurve::sort() {
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
}

std::vector<int> PrecisionCurve::hits() const {
    std::vector<int> hits(found_.size());
    int count = 0;
    for (size_t i = 0; i < found_.size(); ++i) {
        count += found_[i].right ? 1 : 0;
        hits[i] = count;
    }
    return hits;
}

std::vector<double> PrecisionCurve::envelope() const {
    const std::vector<int> count = hits();
    std::vector<double> envelope(found_.size());
    double best = 0;
    for (size_t i = found_.size(); i-- > 0;) {
        best = std::max(best, static_cast<double>(count[i]) / static_cast<double>(i + 1));
        envelope[i] = best;
    }
    return envelope;
}

double PrecisionCurve::area(int wanted) const {
    const std::vector<double> best = envelope();
    double area = 0;
    for (size_t i = 0; i < found_.size(); ++i) {
        area += found_[i].right ? best[i] / wanted : 0.0;  // each right one adds 1 / wanted of recall
    }
    return area;
}

double PrecisionCurve::at_11_recalls(int wanted) const {
    const std::vector<int> count = hits();
    const std::vector<double> best = envelope();
    double sum = 0;
    size_t i = 0;
    for (int64_t tenth = 0; tenth <= 10; ++tenth) {
        while (i < count.size() && int64_t{count[i]} * 10 < tenth * wanted) {
            ++i;
        }
        sum += i < count.size() ? best[i] : 0.0;
    }
    return sum / 11;
}

double PrecisionCurve::at_101_recalls(int wanted) const {
    const std::vector<int> count = hits();
    const std::vector<double> best = envelope();
    double sum = 0;
    size_t i = 0;
    for (int percent = 0; percent <= 100; ++percent) {
        const double recall = percent == 100 ? 1.0 : percent * 0.01;
        while (i < count.size() && static_cast<double>(count[i]) / wanted < recall) {
            ++i;
        }
        sum += i < count.size() ? best[i] : 0.0;
    }
    return sum / 101;
}

double PrecisionCurve::recall(int wanted) const {
    return found_.empty() ? 0.0 : static_cast<double>(hits().back()) / wanted;
}

}  // namespace fw::tools
