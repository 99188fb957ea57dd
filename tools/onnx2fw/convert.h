// onnx2fw's core: an ONNX model in memory -> NetDef, and a scale table where the model has int8 scales.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fw/table.h"
#include "import/finish.h"
#include "import/report.h"
#include "model/net_def.h"

namespace fw::onnx {

struct OnnxOptions {
    import::ConvertOptions common;
    /// Extents of inputs whose shape the file leaves open, by name; "" = the only input. With or without the batch.
    std::map<std::string, std::vector<int64_t>> input_shapes;
    /// Where files with external data lie; "" = a model that needs them is an error.
    std::string folder;
};

struct Converted {
    NetDef net;
    ScaleTable table;  ///< empty for a float model
};

/// Converts. Every problem goes to `report`; the Status is the first of them.
Result<Converted> convert(const import::Source<uint8_t>& model, const OnnxOptions& options, import::Report* report);

/// "NAME:1,3,224,224" or "3,224,224" -> an entry of input_shapes.
Status parse_input_shape(const std::string& text, std::map<std::string, std::vector<int64_t>>* out);

}  // namespace fw::onnx
