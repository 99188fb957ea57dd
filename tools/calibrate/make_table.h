// From statistics and weights to a scale table.
#pragma once

#include <string>
#include <vector>

#include "calibrate/collect.h"
#include "fw/table.h"
#include "model/net_def.h"
#include "quant/threshold.h"

namespace fw::tools {

/// What the table's format can say.
enum class TableFormat : uint8_t { kFw, kLegacy };

/// Scales of every blob (src/quant/threshold.h; the legacy format knows no zero points, so they are symmetric there)
/// and of every output channel of the layers with weights (127 / max|w|), as the optimised graph has them. A blob that
/// was 0 in every image has no scale: it is left out and named in `*notes`. Fails when a scale would not be finite,
/// when a layer to quantize was never reached, or when the network has nothing to quantize.
Result<ScaleTable> make_table(const NetDef& net, const Statistics& statistics, ThresholdMethod method,
                              TableFormat format, std::vector<std::string>* notes);

}  // namespace fw::tools
