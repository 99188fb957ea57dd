#include "quant/threshold.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/quant.h"

namespace fw {

namespace {

constexpr double kEmptyGroup = 1e-4;
constexpr float kMovingFactor = 0.01F;
constexpr const char* kNames[] = {"kl", "minmax", "moving-minmax", "percentile", "mse", "aciq"};

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

// KL(P || Q) of a window, both normalised. With P's bins h' and Q's bins s_g / n_g (mass and filled bins of the
// group), KL = (sum h' log h' - sum_g s'_g log(s_g / n_g)) / total + log(kept / total).
double divergence(const std::vector<uint64_t>& counts, const PrefixSums& sums, Window window, int levels) {
    const auto first = static_cast<size_t>(window.begin);
    const auto end = static_cast<size_t>(window.end);
    const double total = sums.mass.back();
    const double below = sums.mass[first];
    const double above = total - sums.mass[end];
    const double kept = sums.mass[end] - sums.mass[first];
    const auto n = int64_t{window.end} - window.begin;
    double value = sums.entropy[end] - sums.entropy[first];
    const auto add_outliers = [&](size_t bin, double outliers) {
        const auto count = static_cast<double>(counts[bin]);
        value += x_log_x(count + outliers) - x_log_x(count);
    };
    add_outliers(first, below);
    add_outliers(end - 1, above);
    size_t to = first;
    for (int g = 0; g < levels; ++g) {
        const size_t from = to;
        to = first + static_cast<size_t>((g + 1) * n / levels);
        const double mass = sums.mass[to] - sums.mass[from];
        const double reference = mass + (g == 0 ? below : 0.0) + (g == levels - 1 ? above : 0.0);
        if (reference <= 0) {
            continue;
        }
        int filled = sums.filled[to] - sums.filled[from];
        filled += g == 0 && below > 0 && counts[first] == 0 ? 1 : 0;
        filled += g == levels - 1 && above > 0 && counts[end - 1] == 0 ? 1 : 0;
        value -= reference * std::log((mass > 0 ? mass : kEmptyGroup) / filled);
    }
    return value / total + std::log(kept / total);
}

// The window of least `cost`: its end first, then its beginning.
template <class Cost>
Window search(int bins, int least_bins, bool both_ends, int zero, Cost&& cost) {
    Window best{0, bins};
    double least = std::numeric_limits<double>::infinity();
    const auto consider = [&](Window window) {
        const double value = cost(window);
        if (value < least) {
            least = value;
            best = window;
        }
    };
    for (int end = std::max(least_bins, both_ends ? zero + 1 : 1); end <= bins; ++end) {
        consider({0, end});
    }
    const int end = best.end;
    for (int begin = 1; both_ends && begin <= std::min(zero, end - least_bins); ++begin) {
        consider({begin, end});
    }
    return best;
}

// T / b of the analytic clip: k * e^k = x, by Newton's method from above.
double lambert_w(double x) {
    double k = std::log(x);
    for (int i = 0; i < 50; ++i) {
        const double e = std::exp(k);
        k -= (k * e - x) / (e * (k + 1.0));
    }
    return k;
}

ClipRange moving_range(const ActivationStatistics& statistics) {
    if (statistics.image_min.empty()) {
        return {statistics.histogram.min(), statistics.histogram.max()};
    }
    float lo = statistics.image_min[0];
    float hi = statistics.image_max[0];
    for (size_t i = 1; i < statistics.image_min.size(); ++i) {
        lo += kMovingFactor * (statistics.image_min[i] - lo);
        hi += kMovingFactor * (statistics.image_max[i] - hi);
    }
    return {std::min(lo, 0.0F), std::max(hi, 0.0F)};
}

// How much of one side's bins remains when more than `tail` values are cut from the far end.
float tail_cut(const std::vector<uint64_t>& far_first, double width, double tail) {
    double beyond = 0;
    for (size_t i = 0; i < far_first.size(); ++i) {
        beyond += static_cast<double>(far_first[i]);
        if (beyond > tail) {
            return static_cast<float>(static_cast<double>(far_first.size() - i) * width);
        }
    }
    return 0.0F;
}

float laplace_clip(const Bins& bins, double centre, double zeros, double levels_factor) {
    double sum = zeros * std::fabs(centre);
    double mass = zeros;
    for (size_t i = 0; i < bins.counts.size(); ++i) {
        const auto count = static_cast<double>(bins.counts[i]);
        sum += count * std::fabs(bins.lo + (static_cast<double>(i) + 0.5) * bins.width - centre);
        mass += count;
    }
    return static_cast<float>(sum / mass * lambert_w(levels_factor * 65536.0));
}

double mean_of(const Bins& bins, double zeros) {
    double sum = 0;
    double mass = zeros;
    for (size_t i = 0; i < bins.counts.size(); ++i) {
        const auto count = static_cast<double>(bins.counts[i]);
        sum += count * (bins.lo + (static_cast<double>(i) + 0.5) * bins.width);
        mass += count;
    }
    return sum / mass;
}

// |x| or one-sided values: T in [0, absmax].
float one_side(const Histogram& histogram, const ThresholdOptions& options, bool both_signs) {
    const float absmax = histogram.absmax();
    const Bins bins = histogram.rebin_abs(kRangeBins);
    const int levels = both_signs ? 128 : 256;
    const auto zeros = static_cast<double>(histogram.zeros());
    switch (options.method) {
        case ThresholdMethod::kKl: {
            const int end = kl_window(bins.counts, levels).end;
            return end == kRangeBins ? absmax : static_cast<float>((end + 0.5) * bins.width);
        }
        case ThresholdMethod::kMse: {
            const int end = mse_window(bins.counts, levels).end;
            return end == kRangeBins ? absmax : static_cast<float>(end * bins.width);
        }
        case ThresholdMethod::kPercentile: {
            const double all = zeros + static_cast<double>(histogram.count());
            const std::vector<uint64_t> far_first(bins.counts.rbegin(), bins.counts.rend());
            return std::min(absmax, tail_cut(far_first, bins.width, all * (1.0 - options.percentile / 100.0)));
        }
        case ThresholdMethod::kAciq: {
            if (!both_signs) {
                return std::min(absmax, laplace_clip(bins, 0.0, 0.0, 12.0));
            }
            const Bins values = histogram.rebin(kRangeBins);
            const double mean = mean_of(values, zeros);
            const auto reach = static_cast<float>(std::fabs(mean));
            return std::min(absmax, reach + laplace_clip(values, mean, zeros, 3.0));
        }
        default: return absmax;
    }
}

ClipRange both_sides(const Histogram& histogram, const ThresholdOptions& options) {
    const ClipRange all{histogram.min(), histogram.max()};
    const Bins bins = histogram.rebin(kRangeBins);
    const int zero = std::clamp(static_cast<int>(-bins.lo / bins.width), 0, kRangeBins - 1);
    const auto zeros = static_cast<double>(histogram.zeros());
    switch (options.method) {
        case ThresholdMethod::kKl:
        case ThresholdMethod::kMse: {
            const Window window = options.method == ThresholdMethod::kKl ? kl_window(bins.counts, 256, true, zero)
                                                                         : mse_window(bins.counts, 256, true, zero);
            ClipRange range = all;
            if (window.begin > 0) {
                range.lo = std::min(0.0F, static_cast<float>(bins.lo + window.begin * bins.width));
            }
            if (window.end < kRangeBins) {
                range.hi = std::max(0.0F, static_cast<float>(bins.lo + window.end * bins.width));
            }
            return range;
        }
        case ThresholdMethod::kPercentile: {
            const double tail = (zeros + static_cast<double>(histogram.count())) * (1.0 - options.percentile / 100.0);
            const auto split = bins.counts.begin() + zero + 1;
            std::vector<uint64_t> above(bins.counts.rbegin(), std::make_reverse_iterator(split));
            const std::vector<uint64_t> below(bins.counts.begin(), split);
            const float offset = static_cast<float>(bins.lo + (zero + 1) * bins.width);  // where `above` begins
            return {std::max(all.lo, std::min(0.0F, offset - tail_cut(below, bins.width, tail))),
                    std::min(all.hi, std::max(0.0F, offset + tail_cut(above, bins.width, tail)))};
        }
        case ThresholdMethod::kAciq: {
            const double mean = mean_of(bins, zeros);
            const float reach = laplace_clip(bins, mean, zeros, 3.0);
            return {std::max(all.lo, std::min(0.0F, static_cast<float>(mean) - reach)),
                    std::min(all.hi, std::max(0.0F, static_cast<float>(mean) + reach))};
        }
        default: return all;
    }
}

}  // namespace

const char* method_name(ThresholdMethod method) {
    const auto index = static_cast<size_t>(method);
    return index < std::size(kNames) ? kNames[index] : nullptr;
}

bool find_method(const std::string& name, ThresholdMethod* out) {
    for (size_t i = 0; i < std::size(kNames); ++i) {
        if (name == kNames[i]) {
            *out = static_cast<ThresholdMethod>(i);
            return true;
        }
    }
    return false;
}

Window kl_window(const std::vector<uint64_t>& counts, int levels, bool both_ends, int zero) {
    const int bins = static_cast<int>(counts.size());
    const PrefixSums sums(counts);
    if (bins <= levels || sums.mass.back() <= 0) {
        return {0, bins};
    }
    return search(bins, levels, both_ends, zero, [&](Window window) {
        const double kept = sums.mass[static_cast<size_t>(window.end)] - sums.mass[static_cast<size_t>(window.begin)];
        // Nothing kept: everything would be an outlier.
        return kept > 0 ? divergence(counts, sums, window, levels) : std::numeric_limits<double>::infinity();
    });
}

Window mse_window(const std::vector<uint64_t>& counts, int levels, bool both_ends, int zero) {
    const int bins = static_cast<int>(counts.size());
    // Moments of the first n bins: mass, sum and sum of squares of the centres, in bins.
    std::vector<double> mass(counts.size() + 1);
    std::vector<double> first(counts.size() + 1);
    std::vector<double> second(counts.size() + 1);
    for (size_t i = 0; i < counts.size(); ++i) {
        const auto count = static_cast<double>(counts[i]);
        const double centre = static_cast<double>(i) + 0.5;
        mass[i + 1] = mass[i] + count;
        first[i + 1] = first[i] + count * centre;
        second[i + 1] = second[i] + count * centre * centre;
    }
    if (mass.back() <= 0) {
        return {0, bins};
    }
    return search(bins, 1, both_ends, zero, [&](Window window) {
        const auto begin = static_cast<size_t>(window.begin);
        const auto end = static_cast<size_t>(window.end);
        const double n = window.end - window.begin;
        const double below =
            second[begin] - 2.0 * window.begin * first[begin] + mass[begin] * window.begin * window.begin;
        const double above = (second.back() - second[end]) - 2.0 * window.end * (first.back() - first[end]) +
                             (mass.back() - mass[end]) * window.end * window.end;
        return n * n / levels / levels / 12.0 * (mass[end] - mass[begin]) + below + above;
    });
}

bool lacks_values(const ActivationStatistics& statistics, const ThresholdOptions& options) {
    return options.method == ThresholdMethod::kKl && statistics.histogram.count() < options.least_for_kl;
}

ClipRange clip_range(const ActivationStatistics& statistics, const ThresholdOptions& chosen) {
    ThresholdOptions options = chosen;
    if (lacks_values(statistics, chosen)) {
        options.method = ThresholdMethod::kMinMax;
    }
    const Histogram& histogram = statistics.histogram;
    if (histogram.absmax() == 0.0F) {
        return {};
    }
    const bool negative = histogram.min() < 0.0F;
    const bool positive = histogram.max() > 0.0F;
    if (options.method == ThresholdMethod::kMovingMinMax) {
        ClipRange range = moving_range(statistics);
        const float reach = std::max(-range.lo, range.hi);
        return options.symmetric ? ClipRange{-reach, reach} : range;
    }
    if (options.symmetric) {
        const float t = one_side(histogram, options, true);
        return {-t, t};
    }
    if (negative && positive) {
        return both_sides(histogram, options);
    }
    const float t = one_side(histogram, options, false);
    return positive ? ClipRange{0.0F, t} : ClipRange{-t, 0.0F};
}

Result<QuantParams> quant_of_range(const ClipRange& range, bool symmetric) {
    const double reach = std::max(-range.lo, range.hi);
    if (reach == 0.0) {
        return QuantParams();
    }
    const double extent = static_cast<double>(range.hi) - range.lo;
    const double scale = symmetric ? 127.0 / reach : 255.0 / extent;
    const auto stored = static_cast<float>(scale);
    if (!std::isnormal(stored)) {
        return Status::error(Code::kInvalidArgument, "the range [%g, %g] gives no finite scale",
                             static_cast<double>(range.lo), static_cast<double>(range.hi));
    }
    return symmetric ? QuantParams{stored, 0}
                     : QuantParams{stored, round_to_int8(-range.lo * scale - 128.0, 0, -128, 127)};
}

Result<QuantParams> activation_quant(const ActivationStatistics& statistics, const ThresholdOptions& options) {
    return quant_of_range(clip_range(statistics, options), options.symmetric);
}

}  // namespace fw
