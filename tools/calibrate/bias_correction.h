// Empirical bias correction: what quantization adds to a channel's mean is taken off its bias.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibrate/image_loop.h"
#include "fw/table.h"
#include "model/net_def.h"

namespace fw::tools {

/// Gives a table `bias` lines: for every layer with weights that runs int8, the mean difference (float - int8) of
/// each output channel, in front of its activation, over at most `kBiasImages` images of the set.
///
/// M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, appendix D
/// ("empirical bias correction"): layer by layer, a layer's difference being measured with all layers in front of it in
/// int8 and corrected, so that it takes up what is left of theirs. A channel whose mean difference over the images lies
/// within two standard errors of 0 is left as it is: its correction would be noise. `equalize` lines are kept: the
/// corrections are those of the scaled channels. Existing `bias` lines are replaced.
///
/// The images go from layer to layer together, once through the network but for the layers whose blobs are too large to
/// be kept for all of them (64 MiB).
class BiasCorrector {
public:
    /// Runs the float network once. `net` must outlive it.
    static Result<BiasCorrector> create(const NetDef& net, const ImageSet& set);
    Status correct(ScaleTable* table) const;

private:
    const NetDef* net_ = nullptr;
    ImageSet set_;
    std::vector<std::string> layers_;                      // with weights, in the order of the network
    std::vector<std::vector<std::vector<double>>> means_;  // [image][layer][channel], in front of the activation
    std::map<std::string, size_t> bytes_;                  // of a blob of one image
};
constexpr size_t kBiasImages = 64;

}  // namespace fw::tools
