// Reads prototxt and caffemodel into protobuf messages.
#pragma once

#include <map>
#include <string>

#include "caffe.pb.h"
#include "fw/span.h"
#include "import/report.h"

namespace fw::caffe {

/// Parses a NetParameter's text. Errors and warnings (fields that no known Caffe has) carry FILE:LINE:COLUMN. False
/// after an error. Layers get the number of their line.
bool read_prototxt(Span<const char> text, const std::string& file, import::Report* report, NetParameter* out);

/// "FILE:LINE", or "FILE" for a layer that has no line of its own (`line` = 0).
std::string place(const std::string& file, int line);

/// Weight blobs by layer name.
using WeightMap = std::map<std::string, std::vector<BlobProto>>;

/// Parses the weights of all three generations of layers. False after an error.
bool read_caffemodel(Span<const uint8_t> bytes, const std::string& file, import::Report* report, WeightMap* out);

/// Extents as the file has them: `shape`, or the four legacy fields.
std::vector<int64_t> blob_dims(const BlobProto& blob);
/// Number of values that the file holds.
int64_t blob_values(const BlobProto& blob);
std::vector<float> blob_floats(const BlobProto& blob);

}  // namespace fw::caffe
