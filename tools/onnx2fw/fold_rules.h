// What the rules of constant folding (fold_*.cpp) share.
#pragma once

#include <functional>
#include <vector>

#include "onnx2fw/node_context.h"

namespace fw::onnx {

using Inputs = std::vector<ConstantPtr>;
/// Computes one output, or reports an error; returns false if the node is none of its business.
using Folder = bool (*)(NodeContext* ctx, const Inputs& in);

/// Room for a result of these extents; an error where folding would take too much.
bool make(NodeContext* ctx, int type, const Dims& dims, Constant* out);
void copy(const Constant& from, size_t k, Constant* to, size_t at);
/// Steps of an operand through a result of extents `dims`: 0 along axes that it is repeated over.
Dims steps_in(const Dims& own, const Dims& dims);
/// fn(index of the result, element of each operand) over a result of `dims` whose operands have these steps.
void walk(const Dims& dims, const std::vector<Dims>& steps, const Dims& start,
          const std::function<void(size_t, const Dims&)>& fn);

// fold_arith.cpp
bool fold_arith(NodeContext* ctx, const Inputs& in);
bool fold_compare(NodeContext* ctx, const Inputs& in);
bool fold_unary(NodeContext* ctx, const Inputs& in);
bool fold_where(NodeContext* ctx, const Inputs& in);
bool fold_cast(NodeContext* ctx, const Inputs& in);
bool fold_reduce(NodeContext* ctx, const Inputs& in);
// fold_move.cpp
bool fold_identity(NodeContext* ctx, const Inputs& in);
bool fold_reshape(NodeContext* ctx, const Inputs& in);
bool fold_squeeze(NodeContext* ctx, const Inputs& in);
bool fold_unsqueeze(NodeContext* ctx, const Inputs& in);
bool fold_transpose(NodeContext* ctx, const Inputs& in);
bool fold_concat(NodeContext* ctx, const Inputs& in);
bool fold_gather(NodeContext* ctx, const Inputs& in);
bool fold_slice(NodeContext* ctx, const Inputs& in);
bool fold_expand(NodeContext* ctx, const Inputs& in);
// fold_make.cpp
bool fold_constant_of_shape(NodeContext* ctx, const Inputs& in);
bool fold_range(NodeContext* ctx, const Inputs& in);
bool fold_shape(NodeContext* ctx);
bool fold_constant(NodeContext* ctx);

}  // namespace fw::onnx
