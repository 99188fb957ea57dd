// Operators that exporters wrote out in simpler ones, put together again.
#pragma once

#include <vector>

#include "onnx.pb.h"

namespace fw::onnx {

/// The nodes of `graph` with the patterns of docs/onnx2fw.md replaced by one node each.
std::vector<NodeProto> simplified(const GraphProto& graph);

}  // namespace fw::onnx
