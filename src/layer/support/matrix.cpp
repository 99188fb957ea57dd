#include "layer/support/matrix.h"

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
    for (int64_t r = 0; r < from.rows; ++r) {
        for (int64_t c = 0; c < from.columns; ++c) {
            *to++ = from.data[r * from.row_stride + c * from.column_stride];
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

}  // namespace

MatrixWorkspace::MatrixWorkspace(const GemmKernel& kernel, int64_t m, int64_t n, int64_t k, int threads) {
    a = 0;
    b = a + floats_bytes(m * k);
    packed = b + floats_bytes(n * k);
    result = packed + round_up(packed_gemm_bytes(kernel, weights_of(n, k, nullptr)) + kOverread, kAlignment);
    scratch = result + floats_bytes(m * n);
    total = scratch + gemm_conv_scratch_bytes(kernel, 1, k, n, false, threads);
}

const float* multiply(const GemmKernel& kernel, const MatrixView& a, const MatrixView& b, int threads,
                      void* workspace) {
    const int64_t m = a.rows;
    const int64_t n = b.columns;
    const int64_t k = a.columns;
    char* memory = static_cast<char*>(workspace);
    const MatrixWorkspace at(kernel, m, n, k, threads);
    auto* dense_b = reinterpret_cast<float*>(memory + at.b);
    copy_dense(b.transposed(), dense_b);
    pack_gemm(kernel, weights_of(n, k, dense_b), memory + at.packed);

    ConvJob job;
    job.input = a.data;
    job.geometry.in_h_stride = a.row_stride;
    if (a.column_stride != 1 && k != 1) {
        copy_dense(a, reinterpret_cast<float*>(memory + at.a));
        job.input = memory + at.a;
        job.geometry.in_h_stride = k;
    }
    job.geometry.in_h = job.geometry.out_h = static_cast<int>(m);
    job.geometry.out_h_stride = n;
    job.output = memory + at.result;
    job.packed = memory + at.packed;
    job.k = k;
    job.n = n;
    job.epilogue.lo = -std::numeric_limits<float>::infinity();
    job.epilogue.hi = std::numeric_limits<float>::infinity();
    job.threads = threads;
    job.scratch = memory + at.scratch;
    run_gemm_conv(kernel, job);
    return reinterpret_cast<const float*>(job.output);
}

}  // namespace fw
