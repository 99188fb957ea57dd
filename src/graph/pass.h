// The pass manager: an ordered list of rewrites (passes.inc), each one function in src/graph/passes/<name>.cpp.
#pragma once

#include "fw/option.h"
#include "fw/table.h"
#include "graph/graph.h"

namespace fw {

struct PassContext {
    const Option* option = nullptr;
    const ScaleTable* table = nullptr;  ///< nullptr = no table
};

/// Rewrites the graph in place. An error means a graph or table that cannot be run, not "nothing to do".
using PassFunction = Status (*)(Graph* graph, const PassContext& context);

struct Pass {
    const char* name;
    PassFunction run;
    bool optional;  ///< an optimisation: left out with Option::optimize = false
};

Span<const Pass> all_passes();

/// Runs every pass that the options do not disable, in order.
Status run_passes(Graph* graph, const PassContext& context);

}  // namespace fw
