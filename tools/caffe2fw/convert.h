// caffe2fw's core: prototxt + caffemodel in memory -> NetDef.
#pragma once

#include <string>

#include "common/preprocess_options.h"
#include "fw/span.h"
#include "fw/status.h"
#include "import/report.h"
#include "model/net_def.h"

namespace fw::caffe {

/// A file in memory and its name for messages.
template <class T>
struct Source {
    Span<const T> data;
    std::string name;
};

struct ConvertOptions {
    /// Leave out layers that do nothing (Dropout), fold and fuse. Off: every layer as written.
    bool optimize = true;
    tools::PreprocessOptions preprocess;
};

/// Converts. Every problem of both files goes to `report`; the Status is the first of them.
Result<NetDef> convert(const Source<char>& prototxt, const Source<uint8_t>& caffemodel, const ConvertOptions& options,
                       import::Report* report);

}  // namespace fw::caffe
