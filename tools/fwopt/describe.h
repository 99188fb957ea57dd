// The table that fwopt --print shows.
#pragma once

#include <string>

#include "fw/net.h"
#include "model/net_def.h"

namespace fw::opt {

/// One line a layer in the order of execution: type, name, output shape, multiply-accumulates, weights and how they are
/// stored; the sums at the end. `net` is `def` loaded, and all its inputs declare a shape.
Result<std::string> describe(const NetDef& def, const Net& net);

/// The layer types of the network and those that int8 adds, in alphabetical order with ';' between them: a value for
/// -DFW_LAYERS.
std::string layer_types_of(const NetDef& def);

}  // namespace fw::opt
