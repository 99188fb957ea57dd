// What every converter does with a finished network: preprocessing keys, graph passes, Split layers.
#pragma once

#include <string>
#include <vector>

#include "common/preprocess_options.h"
#include "fw/span.h"
#include "fw/status.h"
#include "model/net_def.h"

namespace fw::import {

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

/// The input that images go into; channels 0 = the network has none.
struct ImageInput {
    int channels = 0, height = 0, width = 0;
};

/// Stores --mean, --norm and --pixel over what the source file says itself (`known`) on the network's Input layer.
/// --size alone is the shape of the input and stores nothing.
Status store_preprocess(const tools::PreprocessOptions& options, const Preprocess& known, const ImageInput& input,
                        NetDef* net);

/// Keeps what `outputs` depend on, and runs the passes of float networks if `optimize`.
Status optimize(bool optimize, const std::vector<std::string>& outputs, NetDef* net);

}  // namespace fw::import
