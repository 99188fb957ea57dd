// What fwopt does to a network in memory.
#pragma once

#include <string>

#include "common/preprocess_options.h"
#include "fw/table.h"
#include "fwopt/bake_int8.h"
#include "model/net_def.h"

namespace fw::opt {

/// Sets the shape of an input from "C,H,W" (the only input), "NAME=C,H,W" or "NAME:C,H,W", C,H,W perhaps with a batch
/// of 1 before them.
Status set_input_shape(const std::string& text, NetDef* net);

/// Stores --mean, --norm and --pixel with the network's image input, over what it has stored; --size alone is its
/// shape.
Status embed_preprocess(const tools::PreprocessOptions& options, NetDef* net);

/// Runs the passes that Net runs at load, all but the choice of precisions, and writes the scales of `table` into the
/// layers (an empty table: those that the model brings along, if any). The outputs keep their names; blobs with several
/// readers get a Split. With `kept` the scales go there instead, and the weights stay float.
Result<BakeResult> optimize(const ScaleTable& table, NetDef* net, ScaleTable* kept = nullptr);

}  // namespace fw::opt
