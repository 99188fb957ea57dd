// From statistics and weights to a scale table.
#pragma once

#include <string>
#include <vector>

#include "calibrate/collect.h"
#include "calibrate/equalize.h"
#include "fw/table.h"
#include "graph/graph.h"

namespace fw::tools {

struct TableOptions {
    ThresholdOptions threshold;
    bool mse_weights = false;   ///< weight scales of least square error instead of 127 / max|w|
    bool layer_scales = false;  ///< the smallest scale of a layer for all its channels
    int threads = 1;            ///< that search scales; the table does not depend on them
};

/// The float graph of a network after its passes, attention in parts: what layers are quantized, with their final
/// weights.
Result<Graph> optimized_graph(const NetDef& net);
/// The same with the `equalize` and `bias` lines of a table in its weights.
Result<Graph> corrected_graph(const NetDef& net, const ScaleTable& table);
/// An error where no layer of the network has weights that int8 could hold.
Status check_quantizable(const NetDef& net);

/// Scales of every blob (src/quant/threshold.h) and of every output channel of the layers with weights, as the
/// optimised graph has them. `factors` go into `equalize` lines; `scaled` holds the statistics of the blobs that they
/// scale. A blob that was 0 in every image has no scale: it is left out and named in `*notes`. Fails when a scale would
/// not be finite, when a layer to quantize was never reached, or when the network has nothing to quantize.
Result<ScaleTable> make_table(const NetDef& net, const Statistics& statistics, const LayerFactors& factors,
                              const Statistics& scaled, const TableOptions& options, std::vector<std::string>* notes);

/// An error where the legacy format has no word for something in a table.
Status check_legacy(const ScaleTable& table);

/// Puts what `given`, a table that was read, says in place of what `table` (of make_table) has. What a legacy table
/// says about a layer's input holds for the blob. Names what does not fit the network in `*notes` and leaves it out.
Status keep_given(const NetDef& net, const ScaleTable& given, ScaleTable* table, std::vector<std::string>* notes);

}  // namespace fw::tools
