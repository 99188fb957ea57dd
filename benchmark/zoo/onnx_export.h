// Networks of the zoo as ONNX files (opset 13), for engines that read those.
#pragma once

#include <string>
#include <vector>

#include "fw/status.h"
#include "model/net_def.h"

namespace fw::zoo {

struct OnnxModel {
    std::string bytes;                 ///< of the .onnx file
    std::vector<std::string> outputs;  ///< blobs; a leading batch axis of 1 is added to every shape
};

/// Detection layers (PriorBox, DetectionOutput, Yolov3DetectionOutput) have no counterpart and are cut off: the blobs
/// that enter them become outputs. Fails for layer types and parameters that the zoo does not use.
Result<OnnxModel> to_onnx(const NetDef& net);

}  // namespace fw::zoo
