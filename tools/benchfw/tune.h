// benchfw --tune: which layers run int8, by what they take on this machine instead of by the planner's estimates.
#pragma once

#include <string>
#include <vector>

#include "benchfw/measure.h"

namespace fw::bench {

struct Tuned {
    ScaleTable table;                 ///< the given one with a precision for every layer that has a choice
    std::vector<NetResult> measured;  ///< float, int8, the planner's choice, the choice by measured times; in turns
    size_t best = 0;                  ///< index of the fastest, whose precisions the table has
    int int8_layers = 0;              ///< of the layers that have a choice
    int float_layers = 0;
};

/// Times every layer of the network in float and in int8, and the conversions; takes the split that costs least by
/// these times (graph/precision_cut.h), measures it against all float, all int8 and the planner's own choice, and keeps
/// the fastest of the four (least time). Layers for which `table` already states a precision keep it: calibrate leaves
/// layers in float for accuracy. Everything else of the table stays as it is.
Result<Tuned> tune(const Source& source, const MeasureOptions& options, const ScaleTable& table,
                   const Machine& machine);

}  // namespace fw::bench
