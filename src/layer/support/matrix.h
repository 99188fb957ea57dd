// Products of float matrices of any strides over the GEMM kernels: Gemm, MatMul and attention.
#pragma once

#include <cstdint>
#include <memory>

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

/// A right-hand side of products that does not change, packed.
class PackedMatrix {
public:
    /// `transposed` is [n][k], as weights are stored, `bias` has n elements or is nullptr. Fails with kOutOfMemory.
    Status pack(const GemmKernel& kernel, int64_t n, int64_t k, const float* transposed, const float* bias);

    int64_t rows() const { return k_; }
    int64_t columns() const { return n_; }
    size_t bytes() const { return bytes_; }
    const void* data() const { return data_.get(); }

private:
    std::shared_ptr<void> data_;
    size_t bytes_ = 0;
    int64_t n_ = 0, k_ = 0;
};

/// The memory of one product of [m x k] and [k x n], and where its parts begin.
struct MatrixWorkspace {
    struct Use {
        bool packed_b = false;  ///< the right-hand side is a PackedMatrix
        bool result = false;    ///< room for the product itself
    };
    size_t a, scratch, b, packed, result, total;

    MatrixWorkspace(const GemmKernel& kernel, int64_t m, int64_t n, int64_t k, int threads, Use use);
};

/// a * b, element (i, j) to out + i * row_stride + j. `workspace` has MatrixWorkspace::total bytes for that use.
void multiply_to(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads, void* workspace,
                 float* out, int64_t row_stride);
/// The same plus the bias that `b` was packed with.
void multiply_to(const GemmKernel& kernel, const MatrixView& a, const PackedMatrix& b, int threads, void* workspace,
                 float* out, int64_t row_stride);
/// a * b into the workspace, which has room for it; returns the result, [m][n] dense.
const float* multiply(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads, void* workspace);

}  // namespace fw
