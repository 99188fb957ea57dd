#include "quant/threshold.h"

#include <cmath>

namespace fw {

namespace {

constexpr int kKlBins = 2048;
constexpr double kEmptyGroup = 1e-4;

double x_log_x(double x) {
    return x > 0 ? x * std::log(x) : 0.0;
}

// Sums over the first n bins, for every n: a candidate then costs one step a level instead of one a bin.
struct PrefixSums {
    std::vector<double> mass;     // counts
    std::vector<double> entropy;  // count * log(count)
    std::vector<int> filled;      // bins that are not empty

    explicit PrefixSums(const std::vector<uint64_t>& counts)
        : mass(counts.size() + 1), entropy(counts.size() + 1), filled(counts.size() + 1) {
        for (size_t i = 0; i < counts.size(); ++i) {
            const auto count = static_cast<double>(counts[i]);
            mass[i + 1] = mass[i] + count;
            entropy[i + 1] = entropy[i] + x_log_x(count);
            filled[i + 1] = filled[i] + (counts[i] > 0 ? 1 : 0);
        }
    }
};

// KL(P || Q) for the first i bins, both normalised. With P's bins h' and Q's bins s_g / n_g (mass and filled bins of
// the group), KL = (sum h' log h' - sum_g s'_g log(s_g / n_g)) / total + log(kept / total).
double divergence(const std::vector<uint64_t>& counts, const PrefixSums& sums, int i, int levels) {
    const double total = sums.mass.back();
    const double kept = sums.mass[static_cast<size_t>(i)];
    const double outliers = total - kept;
    const auto last = static_cast<double>(counts[static_cast<size_t>(i) - 1]);
    const bool last_only_outliers = last == 0 && outliers > 0;

    double value = sums.entropy[static_cast<size_t>(i)] - x_log_x(last) + x_log_x(last + outliers);
    for (int g = 0; g < levels; ++g) {
        const auto begin = static_cast<size_t>(int64_t{g} * i / levels);
        const auto end = static_cast<size_t>(int64_t{g + 1} * i / levels);
        const double mass = sums.mass[end] - sums.mass[begin];
        const bool is_last = g == levels - 1;
        const double reference = mass + (is_last ? outliers : 0.0);
        if (reference <= 0) {
            continue;
        }
        const int filled = sums.filled[end] - sums.filled[begin] + (is_last && last_only_outliers ? 1 : 0);
        value -= reference * std::log((mass > 0 ? mass : kEmptyGroup) / filled);
    }
    return value / total + std::log(kept / total);
}

}  // namespace

int kl_threshold_bins(const std::vector<uint64_t>& counts, int levels) {
    const int bins = static_cast<int>(counts.size());
    const PrefixSums sums(counts);
    if (bins <= levels || sums.mass.back() <= 0) {
        return bins;
    }
    int best = bins;
    double least = INFINITY;
    for (int i = levels; i <= bins; ++i) {
        if (sums.mass[static_cast<size_t>(i)] <= 0) {
            continue;  // everything would be an outlier
        }
        const double value = divergence(counts, sums, i, levels);
        if (value < least) {
            least = value;
            best = i;
        }
    }
    return best;
}

float activation_threshold(const AbsHistogram& histogram, ThresholdMethod method, int levels) {
    const float absmax = histogram.absmax();
    if (method == ThresholdMethod::kMinMax || absmax == 0.0F) {
        return absmax;
    }
    const std::vector<uint64_t> counts = histogram.rebin(kKlBins);
    const int i = kl_threshold_bins(counts, levels);
    if (i == kKlBins) {
        return absmax;
    }
    return static_cast<float>((i + 0.5) * static_cast<double>(absmax) / kKlBins);
}

Result<QuantParams> activation_quant(const AbsHistogram& histogram, ThresholdMethod method, bool affine) {
    const bool one_sided = affine && !histogram.has_negative();
    const float threshold = activation_threshold(histogram, method, one_sided ? 256 : 128);
    QuantParams quant;
    if (threshold == 0.0F) {
        return quant;
    }
    quant.scale = (one_sided ? 255.0F : 127.0F) / threshold;
    quant.zero_point = one_sided ? -128 : 0;
    if (!std::isfinite(quant.scale) || quant.scale == 0.0F) {
        return Status::error(Code::kInvalidArgument, "threshold %g gives no finite scale",
                             static_cast<double>(threshold));
    }
    return quant;
}

}  // namespace fw
