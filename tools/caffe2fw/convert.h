// caffe2fw's core: prototxt + caffemodel in memory -> NetDef.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fw/status.h"
#include "import/finish.h"
#include "import/report.h"
#include "model/net_def.h"

namespace fw::caffe {

using import::ConvertOptions;
using import::Source;

/// Converts. Every problem of both files goes to `report`; the Status is the first of them. With a seed the caffemodel
/// is not read: the weights are made up (model_io.h), constants keep their values. `stages` are added to those that the
/// prototxt's `state` names, for `include` and `exclude` rules.
Result<NetDef> convert(const Source<char>& prototxt, const Source<uint8_t>& caffemodel, const ConvertOptions& options,
                       import::Report* report, std::optional<uint64_t> random_seed = {},
                       const std::vector<std::string>& stages = {});

/// The mean of every channel of a `mean.binaryproto`, the picture that Caffe's tools average a data set to.
Result<std::vector<float>> channel_means(const Source<uint8_t>& file);

}  // namespace fw::caffe
