// QLinear operators: an operator of floats between DequantizeLinear and QuantizeLinear.
#pragma once

#include <vector>

#include "onnx.pb.h"

namespace fw::onnx {

/// What `node` stands for, if it is QLinearConv, QLinearMatMul or com.microsoft's QLinearAdd; else the node itself.
std::vector<NodeProto> without_qlinear(const NodeProto& node);

}  // namespace fw::onnx
