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

// Rows of a left-hand side without adjacent columns that are copied and multiplied at once.
constexpr int64_t kCopiedRows = 48;

// a * `packed`, which has n columns; `dense` has room for kCopiedRows rows of a.
void run(const GemmKernel& kernel, const MatrixView& a, const void* packed, int64_t n, int threads, void* dense,
         void* scratch, float* out, int64_t row_stride) {
    const bool copied = a.column_stride != 1 && a.columns != 1;
    const int64_t step = copied ? std::min(kCopiedRows, a.rows) : a.rows;
    for (int64_t first = 0; first < a.rows; first += step) {
        const MatrixView part = {a.data + first * a.row_stride, std::min(step, a.rows - first), a.columns, a.row_stride,
                                 a.column_stride};
        ConvJob job;
        job.input = part.data;
        job.geometry.in_h_stride = part.row_stride;
        if (copied) {
            copy_dense(part, static_cast<float*>(dense));
            job.input = dense;
            job.geometry.in_h_stride = part.columns;
        }
        job.geometry.in_h = job.geometry.out_h = static_cast<int>(part.rows);
        job.geometry.out_h_stride = row_stride;
        job.output = out + first * row_stride;
        job.packed = packed;
        job.k = part.columns;
        job.n = n;
        job.epilogue.lo = -std::numeric_limits<float>::infinity();
        job.epilogue.hi = std::numeric_limits<float>::infinity();
        job.threads = threads;
        job.scratch = scratch;
        run_gemm_conv(kernel, job);
    }
}

}  // namespace

MatrixWorkspace::MatrixWorkspace(const GemmKernel& kernel, int64_t m, int64_t n, int64_t k, int threads, Use use) {
    a = 0;
    scratch = a + floats_bytes(std::min(kCopiedRows, m) * k);
    b = scratch + round_up(gemm_conv_scratch_bytes(kernel, 1, k, n, false, threads), kAlignment);
    packed = b + (use.packed_b ? 0 : floats_bytes(n * k));
    const size_t packed_bytes = packed_gemm_bytes(kernel, weights_of(n, k, nullptr)) + kOverread;
    result = packed + (use.packed_b ? 0 : round_up(packed_bytes, kAlignment));
    total = result + (use.result ? floats_bytes(m * n) : 0);
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
    const MatrixWorkspace at(kernel, a.rows, b.columns, a.columns, threads, {});
    auto* dense_b = reinterpret_cast<float*>(memory + at.b);
    copy_dense(b.transposed(), dense_b);
    pack_gemm(kernel, weights_of(b.columns, a.columns, dense_b), memory + at.packed);
    run(kernel, a, memory + at.packed, b.columns, threads, memory + at.a, memory + at.scratch, out, row_stride);
}

void multiply_to(const GemmKernel& kernel, const MatrixView& a, const PackedMatrix& b, int threads, void* workspace,
                 float* out, int64_t row_stride) {
    char* memory = static_cast<char*>(workspace);
    const MatrixWorkspace at(kernel, a.rows, b.columns(), a.columns, threads, {true, false});
    run(kernel, a, b.data(), b.columns(), threads, memory + at.a, memory + at.scratch, out, row_stride);
}

const float* multiply(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads,
                      void* workspace) {
    const MatrixWorkspace at(kernel, a.rows, b.columns, a.columns, threads, {false, true});
    auto* result = reinterpret_cast<float*>(static_cast<char*>(workspace) + at.result);
    multiply_to(kernel, a, b, threads, workspace, result, b.columns);
    return result;
}

}  // namespace fw
