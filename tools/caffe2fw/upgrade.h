// Brings any Caffe network to the newest form: `layer` messages (V2), inputs as layers, rules for the test phase
// applied.
#pragma once

#include <string>

#include "caffe.pb.h"
#include "import/report.h"

namespace fw::caffe {

/// V0 (nested `layer`) -> V1 (`layers`) -> V2 (`layer`), padding layers folded into the layer that reads them; legacy
/// transformation fields of data layers moved to transform_param; `input` fields made Input layers. Problems are
/// reported.
void upgrade(const std::string& file, import::Report* report, NetParameter* net);

/// Removes layers whose include and exclude rules leave them out of the TEST phase.
void keep_test_phase(NetParameter* net);

}  // namespace fw::caffe
