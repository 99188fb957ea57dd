// Products of float matrices of any strides over the GEMM kernels: Gemm and MatMul.
#pragma once

#include <cstdint>

#include "kernel/kernel.h"
#include "layer/layer.h"

namespace fw {

/// A matrix inside a tensor; strides in elements.
struct MatrixView {
    const float* data = nullptr;
    int64_t rows = 0;
    int64_t columns = 0;
    int64_t row_stride = 0;
    int64_t column_stride = 0;

    MatrixView transposed() const { return {data, columns, rows, column_stride, row_stride}; }
};

/// The memory of one product of [m x k] and [k x n], and where its parts begin.
struct MatrixWorkspace {
    size_t a, b, packed, result, scratch, total;

    MatrixWorkspace(const GemmKernel& kernel, int64_t m, int64_t n, int64_t k, int threads);
};

/// a * b into the workspace; returns the result, [m][n] dense. `workspace` has MatrixWorkspace::total bytes.
const float* multiply(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads, void* workspace);

}  // namespace fw
