// From statistics and weights to a scale table.
#pragma once

#include <string>
#include <vector>

#include "calibrate/collect.h"
#include "fw/table.h"
#include "model/net_def.h"
#include "quant/threshold.h"

namespace fw::tools {

/// Scales of every blob (127 / threshold) and of every output channel of the layers with weights (127 / max|w|), as the
/// optimised graph has them. A blob that was 0 in every image has no scale: it is left out and named in `*notes`. Fails
/// when a scale would not be finite, when a layer to quantize was never reached, or when the network has nothing to
/// quantize.
Result<ScaleTable> make_table(const NetDef& net, const Statistics& statistics, ThresholdMethod method,
                              std::vector<std::string>* notes);

}  // namespace fw::tools
