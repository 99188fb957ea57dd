// Pictures of a network: a graph for Graphviz, and a page that needs nothing else.
#pragma once

#include <string>

#include "fw/net.h"
#include "model/net_def.h"

namespace fw::opt {

/// The network as a graph in Graphviz' language: a box a layer, coloured by the precision that it runs in, the shape of
/// the blob on each edge; edges across which values are converted between int8 and float are drawn in a colour of their
/// own. Split layers are drawn as several edges. `net` is `def` loaded; its inputs declare their shapes.
Result<std::string> dot_text(const NetDef& def, const Net& net);

/// The same as a page of HTML: the layers from top to bottom in their order of execution with their shapes, work and
/// weights, and the blobs that jump over layers drawn beside them.
Result<std::string> html_text(const std::string& title, const NetDef& def, const Net& net);

}  // namespace fw::opt
