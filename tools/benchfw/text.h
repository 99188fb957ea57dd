// Results as text.
#pragma once

#include <string>

#include "benchfw/measure.h"

namespace fw::bench {

/// "NAME PRECISION threads=N min=MS med=MS max=MS mem=MiB conversions=N peak=P%": fields stay in this order, new ones
/// come last.
std::string net_line(const NetResult& result);

/// One line a step, a heading, and a line of sums.
std::string layer_table(const NetResult& result);

/// "int8", "float" (of what a step computes with) or the type's own name.
std::string precision_of(const LayerPlan& step);

/// "convolution kernel", or what stands in for one: "reference" where no kernel runs.
std::string kernel_of(const LayerPlan& step);

}  // namespace fw::bench
