// Copies between any strides, with dimensions merged, ordered and tiled so that the inner loop is a good one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace fw {

/// One loop of a copy: `extent` steps of `from` and `to` elements.
struct CopyDim {
    int64_t extent = 1;
    int64_t from = 0;
    int64_t to = 0;
};
constexpr int kMaxCopyDims = 8;

/// Copies product(extents) elements of `element` bytes (1, 2, 4 or 8). The two sides must not overlap; no two steps may
/// write the same element. The order of `dims` does not matter. With `table` (int8, index q + 128) each element is
/// looked up on the way.
void strided_copy(const void* from, void* to, size_t element, const CopyDim* dims, int count, int threads,
                  const int8_t* table = nullptr);

/// The loops of copy_elements: one an axis.
std::vector<CopyDim> copy_dims(const Tensor& from, const Tensor& to);

/// Copies `from` to `to`, of one shape and element size.
void copy_elements(const Tensor& from, const Tensor& to, int threads, const int8_t* table = nullptr);

/// The loops of copy_reshaped, where the two shapes have a common refinement; false otherwise.
bool reshaped_copy_dims(const Tensor& from, const Tensor& to, std::vector<CopyDim>* dims);

/// Copies in row-major order of the axes between shapes of equal count().
void copy_reshaped(const Tensor& from, const Tensor& to, int threads);

/// The part [begin, begin + extent) of one axis.
Tensor narrowed(const Tensor& t, int axis, int64_t begin, int extent);

}  // namespace fw
