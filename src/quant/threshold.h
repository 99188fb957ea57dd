// Where to clip activations, from what was seen of them, and the scale and zero point that follow.
//
// Three cases share every method. Symmetric: |x| over [0, T], 128 levels on one side of 0. One-sided (affine, no value
// below 0, or none above): all 256 levels over [0, T]. Affine: 256 levels over [lo, hi], lo < 0 < hi, each end with an
// outlier tail of its own. 0 is always kept and always exact.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/status.h"
#include "fw/table.h"
#include "quant/histogram.h"

namespace fw {

/// How a clipping range is found.
enum class ThresholdMethod : uint8_t {
    /// Least Kullback-Leibler divergence: S. Migacz, "8-bit Inference with TensorRT", GTC 2017 (s7310), "Entropy
    /// calibration - pseudocode"; see kl_window.
    kKl,
    /// Smallest and largest value: clips nothing.
    kMinMax,
    /// Exponential moving average of each image's smallest and largest value, in the order of the images, factor 0.01,
    /// begun with the first image: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
    /// Integer-Arithmetic-Only Inference", CVPR 2018, section 3.1.
    kMovingMinMax,
    /// The range that holds a given percentage of all values (zeros included), each tail cut by itself: H. Wu et al.,
    /// "Integer Quantization for Deep Learning Inference", 2020, section 3.3.
    kPercentile,
    /// Least mean square error, rounding (step^2 / 12 for what is kept) plus clipping: W. Sung, S. Shin, K. Hwang,
    /// "Resiliency of Deep Neural Networks under Quantization", 2015, section 3.1; see mse_window.
    kMse,
    /// The analytic clip for a Laplace distribution: R. Banner, Y. Nahshan, D. Soudry, "Post training 4-bit
    /// quantization
    /// of convolutional networks for rapid-deployment", NeurIPS 2019, section 3.1 (ACIQ). T = b * k, k * e^k = 3 * 4^8
    /// around the mean, where b is the mean distance from it; for one-sided values, b their mean, k * e^k = 12 * 4^8.
    kAciq,
};

/// "kl", "minmax", "moving-minmax", "percentile", "mse", "aciq"; nullptr beyond them.
const char* method_name(ThresholdMethod method);
/// The method of that name; false if there is none.
bool find_method(const std::string& name, ThresholdMethod* out);

/// Bins of a blob's range, as kKl counts it.
constexpr int kRangeBins = 2048;

/// What kKl needs of values other than 0: 16 for each bin. Of fewer, the unevenness of neighbouring bins
/// is chance, which looks like information: what a window seems to lose grows by (filled bins - levels) / (2 * values),
/// as the entropy of a sample is biased (G. Miller, "Note on the bias of information estimates", 1955), so that narrow
/// windows win and values are clipped for nothing.
constexpr uint64_t kEnoughForKl = uint64_t{16} * kRangeBins;

struct ThresholdOptions {
    ThresholdMethod method = ThresholdMethod::kKl;
    bool symmetric = false;     ///< zero point 0 for every blob
    double percentile = 99.99;  ///< of kPercentile, above 50 and at most 100
    uint64_t least_for_kl = 0;  ///< with fewer values other than 0, kKl clips nothing, as kMinMax; see kEnoughForKl
};

/// What the methods look at: all values, and the range of each image.
struct ActivationStatistics {
    Histogram histogram;
    std::vector<float> image_min, image_max;  ///< 0 counting as seen; in the order of the images
};

/// That the values are too few for kKl.
bool lacks_values(const ActivationStatistics& statistics, const ThresholdOptions& options);

/// Bins [begin, end) that are kept.
struct Window {
    int begin = 0;
    int end = 0;
};

/// The window that loses least information in `levels` levels. For a window, P = its bins, the mass of what lies
/// outside added to the bin at that end; Q = its bins without outliers averaged over `levels` groups of neighbouring
/// bins (bounded at floor(g * n / levels)), spread over the bins that P does not leave empty. Where P is positive and
/// its whole group is empty (only outliers), Q gets 1e-4 of one count, so that the divergence stays finite and large.
/// First the end is searched with the beginning at 0, then, with `both_ends`, the beginning for that end; a window has
/// at least `levels` bins and holds bin `zero` (for both_ends). Ties keep the smaller window in the search of the end,
/// the larger in that of the beginning. Few bins: all of them.
Window kl_window(const std::vector<uint64_t>& counts, int levels, bool both_ends = false, int zero = 0);

/// The window of least (step^2 / 12) * mass inside + sum of (distance to the window)^2 outside, where step = window /
/// levels and values lie at the centres of bins; searched like kl_window's, any window of at least one bin.
Window mse_window(const std::vector<uint64_t>& counts, int levels, bool both_ends = false, int zero = 0);

struct ClipRange {
    float lo = 0.0F;  ///< at most 0
    float hi = 0.0F;  ///< at least 0
};

/// The range that `options` keep; lo = -hi when symmetric. lo = hi = 0 when every value was 0.
ClipRange clip_range(const ActivationStatistics& statistics, const ThresholdOptions& options);

/// Scale and zero point of a range: symmetric, 127 / max(-lo, hi) and zero point 0; else 255 / (hi - lo) and the zero
/// point that makes 0 exact (-128 where lo = 0). Not known() for an empty range. Fails when the scale would not be a
/// normal finite float.
Result<QuantParams> quant_of_range(const ClipRange& range, bool symmetric);

/// Both of them.
Result<QuantParams> activation_quant(const ActivationStatistics& statistics, const ThresholdOptions& options);

}  // namespace fw
