// The scale table of a model that was quantized elsewhere.
#pragma once

#include "fw/table.h"
#include "model/net_def.h"
#include "onnx2fw/value.h"

namespace fw::onnx {

/// Scales of the blobs and weights that `net` still has; empty for a float model.
ScaleTable make_table(const Conversion& c, const NetDef& net);

}  // namespace fw::onnx
