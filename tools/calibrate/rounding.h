// Weight rounding by the error it makes at a layer's output, not by distance.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibrate/image_loop.h"
#include "fw/table.h"
#include "model/net_def.h"

namespace fw::tools {

/// Second moments of what one output channel's weights are multiplied by: the values under the filter's taps.
struct InputMoments {
    size_t groups = 1;
    size_t length = 0;          ///< weights of an output channel
    double samples = 0.0;       ///< places of the filter that were seen
    std::vector<double> sum;    ///< [groups][length]
    std::vector<float> square;  ///< [groups][length][length], sums of products
};

/// Rounds the weights of one output channel up or down so that e' M e is small, e the rounding errors and M the moments
/// about the mean (`centred`: the mean error goes into the bias) or about 0. Begins with the nearest values and takes
/// the other neighbour of one weight after another wherever that lowers the error, until none does: coordinate descent
/// on the layer-wise objective of M. Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization",
/// ICML 2020, section 3.3, equation 20. The products of different weights count length / (length + samples) less, so
/// that few samples do not decide for many weights. `matrix` is as `moment_matrix` gives it.
void choose_rounding(Span<const float> weights, float scale, const std::vector<float>& matrix, std::vector<bool>* up);
/// M of one group, [length][length], with `factors` of the inputs (empty = 1).
std::vector<float> moment_matrix(const InputMoments& moments, size_t group, bool centred,
                                 const std::vector<float>& factors);

/// Gives a table `round` lines (docs/table-format.md).
class WeightRounder {
public:
    /// Runs the float network once over at most `kRoundingImages` images and collects the moments of the inputs of all
    /// convolutions and inner products of at most kLongestRow weights an output channel. `net` must outlive it.
    static Result<WeightRounder> create(const NetDef& def, const Net& net, const ImageSet& set);
    /// For the weight scales and `equalize` lines that the table has. Existing `round` lines are replaced.
    Status round(ScaleTable* table, bool centred) const;

private:
    const NetDef* def_ = nullptr;
    std::map<std::string, InputMoments> moments_;  // by layer
};
constexpr size_t kRoundingImages = 64;
constexpr size_t kLongestRow = 2304;

}  // namespace fw::tools
