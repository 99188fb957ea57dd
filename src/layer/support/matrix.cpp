#include "layer/support/matrix.h"

#include <algorithm>
#include <limits>

#include "base/memory.h"
#include "kernel/conv.h"
#include "kernel/pack.h"

namespace fw {

namespace {

size_t floats_bytes(int64_t count) {
    return round_up(static_cast<size_t>(count) * sizeof(float) + kOverread, kAlignment);
}

void copy_dense(const MatrixView& from, float* to) {
    for (int64_t r = 0; r < from.rows; ++r, to += from.columns) {
        const float* row = from.data + r * from.row_stride;
        if (from.column_stride == 1) {
            std::copy(row, row + from.columns, to);
            continue;
        }
        for (int64_t c = 0; c < from.columns; ++c) {
            to[c] = row[c * from.column_stride];
        }
    }
}

GemmWeights weights_of(int64_t n, int64_t k, const float* values) {
    GemmWeights weights;
    weights.n = n;
    weights.k = k;
    weights.values = values;
    return weights;
}

// a * `packed`, which has n columns; `dense` has room for a copy of a.
void run(const GemmKernel& kernel, const MatrixView& a, const void* packed, int64_t n, int threads, void* dense,
         void* scratch, float* out, int64_t row_stride) {
    ConvJob job;
    job.input = a.data;
    job.geometry.in_h_stride = a.row_stride;
    if (a.column_stride != 1 && a.columns != 1) {
        copy_dense(a, static_cast<float*>(dense));
        job.input = dense;
        job.geometry.in_h_stride = a.columns;
    }
    job.geometry.in_h = job.geometry.out_h = static_cast<int>(a.rows);
    job.geometry.out_h_stride = row_stride;
    job.output = out;
    job.packed = packed;
    job.k = a.columns;
    job.n = n;
    job.epilogue.lo = -std::numeric_limits<float>::infinity();
    job.epilogue.hi = std::numeric_limits<float>::infinity();
    job.threads = threads;
    job.scratch = scratch;
    run_gemm_conv(kernel, job);
}

}  // namespace

MatrixWorkspace::MatrixWorkspace(const GemmKernel& kernel, int64_t m, int64_t n, int64_t k, int threads) {
    a = 0;
    b = a + floats_bytes(m * k);
    packed = b + floats_bytes(n * k);
    result = packed + round_up(packed_gemm_bytes(kernel, weights_of(n, k, nullptr)) + kOverread, kAlignment);
    scratch = result + floats_bytes(m * n);
    total = scratch + gemm_conv_scratch_bytes(kernel, 1, k, n, false, threads);
}

Status PackedMatrix::pack(const GemmKernel& kernel, int64_t n, int64_t k, const float* transposed, const float* bias) {
    GemmWeights weights = weights_of(n, k, transposed);
    weights.bias = bias;
    bytes_ = round_up(packed_gemm_bytes(kernel, weights), kAlignment);
    data_ = allocate_shared_bytes(bytes_, nullptr);
    if (data_ == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory for %zu bytes of packed weights", bytes_);
    }
    pack_gemm(kernel, weights, data_.get());
    n_ = n;
    k_ = k;
    return {};
}

void multiply_to(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads, void* workspace,
                 float* out, int64_t row_stride) {
    char* memory = static_cast<char*>(workspace);
    const MatrixWorkspace at(kernel, a.rows, b.columns, a.columns, threads);
    auto* dense_b = reinterpret_cast<float*>(memory + at.b);
    copy_dense(b.transposed(), dense_b);
    pack_gemm(kernel, weights_of(b.columns, a.columns, dense_b), memory + at.packed);
    run(kernel, a, memory + at.packed, b.columns, threads, memory + at.a, memory + at.scratch, out, row_stride);
}

void multiply_to(const GemmKernel& kernel, const MatrixView& a, const PackedMatrix& b, int threads, void* workspace,
                 float* out, int64_t row_stride) {
    char* memory = static_cast<char*>(workspace);
    const MatrixWorkspace at(kernel, a.rows, b.columns(), a.columns, threads);
    run(kernel, a, b.data(), b.columns(), threads, memory + at.a, memory + at.scratch, out, row_stride);
}

const float* multiply(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads,
                      void* workspace) {
    const MatrixWorkspace at(kernel, a.rows, b.columns, a.columns, threads);
    auto* result = reinterpret_cast<float*>(static_cast<char*>(workspace) + at.result);
    multiply_to(kernel, a, b, threads, workspace, result, b.columns);
    return result;
}

}  // namespace fw
