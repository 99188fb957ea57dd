// Value: what a name of the ONNX graph stands for while the graph is converted.
//
// ONNX's tensors carry a batch axis and move axes about freely; our blobs have at most four axes and no batch. So a
// Value is a view: `dims` are ONNX's extents, and `axes` says for each of them which axis of the blob it is, or kNoAxis
// for an extent of 1 that the blob does not have. Transpose, Squeeze and Unsqueeze change the view and emit nothing; a
// Permute or Reshape appears only where a layer needs the blob in another order (NodeContext::arrange). That is how the
// pairs of Transposes of networks born in NHWC cancel.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "import/finish.h"
#include "import/net_builder.h"
#include "import/report.h"
#include "onnx2fw/constant.h"

namespace fw::onnx {

using import::BlobId;
using import::ConvertOptions;
using import::kNoBlob;
using import::LayerBuilder;

constexpr int kNoAxis = -1;

struct Value {
    int type = TensorProto::FLOAT;
    Dims dims;             ///< ONNX's extents
    ConstantPtr constant;  ///< the values, where they are known
    BlobId blob = kNoBlob;
    Dims shape;                                ///< the blob's extents
    std::vector<int> axes;                     ///< of the blob, one an ONNX axis
    bool known = true;                         ///< false after an error: messages about it would only repeat that one
    const TensorProto* initializer = nullptr;  ///< decoded when it is first read

    int rank() const { return static_cast<int>(dims.size()); }
};

/// int8 as the source file has it (QuantizeLinear and its kin).
struct QuantInfo {
    double scale = 0.0;  ///< step: real = (q - zero_point) * scale
    int zero_point = 0;  ///< of int8; that of uint8 minus 128
};

/// State of one conversion.
struct Conversion {
    Conversion(const ConvertOptions& o, std::string f, import::Report* r)
        : options(o), file(std::move(f)), report(r), builder(r) {}

    const ConvertOptions& options;
    std::string file;
    std::string folder;  ///< of the file, for tensors in other files; "" = those are errors
    import::Report* report;
    import::NetBuilder builder;
    int64_t opset = 0;
    std::map<std::string, Value> values;
    /// Blobs that arrange() has made: (blob, order, shape) -> blob.
    std::map<std::pair<BlobId, std::vector<int64_t>>, BlobId> arranged;
    /// Blobs that are a Reshape of another one: the other and its shape.
    std::map<BlobId, std::pair<BlobId, Dims>> reshaped;
    std::map<std::string, std::string> writers;  ///< the operator that writes each name
    std::map<std::string, int> readers;          ///< how many nodes (and outputs) read each name
    int64_t budget = 0;                          ///< elements that may still be made as constants and weights
    std::map<BlobId, QuantInfo> blob_quant;
    std::map<std::string, std::vector<double>> weight_quant;  ///< steps of the weights by layer name, one an output
    std::map<std::string, FileData> external;                 ///< files beside the model that have been mapped
    import::ImageInput image_input;
};

}  // namespace fw::onnx
