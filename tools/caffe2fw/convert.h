// caffe2fw's core: prototxt + caffemodel in memory -> NetDef.
#pragma once

#include "fw/status.h"
#include "import/finish.h"
#include "import/report.h"
#include "model/net_def.h"

namespace fw::caffe {

using import::ConvertOptions;
using import::Source;

/// Converts. Every problem of both files goes to `report`; the Status is the first of them.
Result<NetDef> convert(const Source<char>& prototxt, const Source<uint8_t>& caffemodel, const ConvertOptions& options,
                       import::Report* report);

}  // namespace fw::caffe
