// The pass manager: an ordered list of rewrites (passes.inc), each one function in src/graph/passes/<name>.cpp.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "fw/option.h"
#include "fw/table.h"
#include "graph/graph.h"

namespace fw {

struct PrecisionCosts;  // graph/precision_cut.h

struct PassContext {
    const Option* option = nullptr;
    /// The caller's working copy: import_baked_scales adds what an int8 model brings along. nullptr = all float.
    ScaleTable* table = nullptr;
    /// Layers that cannot run int8 although their type can, and why (the runtime learns it from Layer::prepare).
    const std::map<std::string, std::string>* keep_float = nullptr;
    /// What each layer costs in int8 and in float, for Precision::kAuto; false where that cannot be said. Empty, or
    /// false: everything that the table allows runs int8.
    std::function<bool(const Graph& graph, PrecisionCosts* costs)> costs = {};
    /// The choice made for the whole network, by layer name (true = int8): followed, not made again.
    const std::map<std::string, bool>* decided = nullptr;
    /// The graph goes back into a file (fwopt): the table keeps layers quantizable, precisions are left to the load.
    bool for_file = false;
    /// What a node's layer can do with float16 blobs at the level in use. Empty: blobs are float32.
    std::function<HalfUse(const Graph& graph, NodeId node)> half_use = {};
    /// Another processor than the CPU may run the layers: they stay as its shaders have them.
    bool for_device = false;
};

/// Rewrites the graph in place. An error means a graph or table that cannot be run, not "nothing to do".
using PassFunction = Status (*)(Graph* graph, const PassContext& context);

struct Pass {
    const char* name;
    PassFunction run;
    bool optional;  ///< an optimisation: left out with Option::optimize = false
};

Span<const Pass> all_passes();

/// Runs every pass that the options do not disable, in order. A name in Option::disabled_passes that is no optional
/// pass is an error.
Status run_passes(Graph* graph, const PassContext& context);

}  // namespace fw
