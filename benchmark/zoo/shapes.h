// Shapes of all blobs of a NetDef, from its Input layers' on.
#pragma once

#include <map>
#include <string>

#include "fw/mat.h"
#include "fw/status.h"
#include "model/net_def.h"

namespace fw::zoo {

/// By blob name. Fails where an Input declares no shape or a layer refuses its inputs.
Result<std::map<std::string, Shape>> blob_shapes(const NetDef& net);

}  // namespace fw::zoo
