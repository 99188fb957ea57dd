// Clipping thresholds of activations from their histograms.
#pragma once

#include <cstdint>
#include <vector>

#include "fw/status.h"
#include "fw/table.h"
#include "quant/histogram.h"

namespace fw {

/// Threshold that minimises the Kullback-Leibler divergence between the distribution of |x| clipped at it and the same
/// distribution in `levels` levels: S. Migacz, "8-bit Inference with TensorRT", GTC 2017 (s7310), "Entropy calibration
/// - pseudocode". `counts` are the bins of |x| over [0, absmax] (2048 in the talk), `levels` the positive int8 levels
/// (128). For every i in [levels, bins]: P = the first i bins, the outliers' mass added to its last bin; Q = the first
/// i bins (without outliers) averaged over `levels` groups of neighbouring bins, spread over the bins that P does not
/// leave empty. Groups are bounded at floor(g * i / levels). Where P is positive and its whole group is empty (only
/// outliers), Q gets 1e-4 of one count, so that the divergence stays finite and large. Returns the number of bins i;
/// the threshold is (i + 0.5) * bin width, or absmax when i is all bins. Fewer bins than levels: all bins.
int kl_threshold_bins(const std::vector<uint64_t>& counts, int levels);

enum class ThresholdMethod : uint8_t { kKl, kMinMax };

/// How far from 0 values are kept, for `levels` levels on one side of it; 0 when every value was 0.
float activation_threshold(const AbsHistogram& histogram, ThresholdMethod method, int levels = 128);

/// Scale and zero point of a blob with these values. Symmetric, [-127, 127] for [-threshold, threshold]; or, with
/// `affine` and no value below 0, all 256 levels for [0, threshold] (zero point -128), one bit more. Not known() when
/// every value was 0. Fails when the scale would not be finite.
Result<QuantParams> activation_quant(const AbsHistogram& histogram, ThresholdMethod method, bool affine);

}  // namespace fw
