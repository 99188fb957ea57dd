// Constant folding: what is known when a network is converted is computed then.
#pragma once

#include "onnx2fw/node_context.h"

namespace fw::onnx {

/// Computes the node's outputs if all of its inputs are known (or only a shape is asked for). True = done, or failed
/// with an error; false = the node stays.
bool fold(NodeContext* ctx);

/// Result extents of numpy broadcasting; false if they do not fit.
bool broadcast(const Dims& a, const Dims& b, Dims* out);

/// Slice's arguments resolved against `dims`: start, extent and step of every axis.
struct SliceBox {
    Dims start, extent, step;
};
bool read_slice(NodeContext* ctx, const Dims& dims, SliceBox* box);
/// Axes from an attribute or, in newer opsets, input `i`, counted from 0, each once. Empty = none given.
bool read_axes(NodeContext* ctx, int i, int rank, std::vector<int>* axes);
/// Extents after a Reshape (0 and -1 resolved); false after an error.
bool read_reshape(NodeContext* ctx, const Dims& dims, Dims* out);
/// Extents of the pieces of a Split along `extent`.
bool read_split(NodeContext* ctx, int64_t extent, Dims* out);

}  // namespace fw::onnx
