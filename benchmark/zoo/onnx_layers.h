// One layer of the zoo as ONNX nodes.
#pragma once

#include <map>
#include <string>

#include "fw/status.h"
#include "model/net_def.h"
#include "zoo/onnx_graph.h"

namespace fw::zoo {

/// `shapes` are those of all blobs, without batch axis. kUnsupported for a type or parameters that the zoo does not
/// use.
Status export_layer(const LayerDef& layer, const std::map<std::string, Shape>& shapes, OnnxGraph* graph);

}  // namespace fw::zoo
