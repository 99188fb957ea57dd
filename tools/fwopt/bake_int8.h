// Writes a table's scales into the layers, the way ncnn stores int8 models.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/pass.h"

namespace fw::opt {

/// What became of the table.
struct BakeResult {
    int layers = 0;                  ///< that hold int8 weights now
    std::vector<std::string> notes;  ///< what the file says otherwise than the table, and why
};

/// Replaces zero points by the symmetric scale of the same range, since ncnn's files cannot hold them; one note says
/// how many.
void make_symmetric(ScaleTable* table, BakeResult* result);

/// The inverse of pass_import_baked_scales: every Convolution, ConvolutionDepthWise and InnerProduct that
/// `context.table` runs int8 gets int8 weights, int8_scale_term, its weight scales and its input's scale. Those in
/// `with_top` also get the scale of their output, as they had it in the file.
void bake_int8(Graph* graph, const PassContext& context, const std::set<std::string>& with_top, BakeResult* result);

}  // namespace fw::opt
