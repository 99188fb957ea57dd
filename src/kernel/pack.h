// Packing of weights into the order in which a kernel reads them.
#pragma once

#include "kernel/kernel.h"

namespace fw {

struct GroupOrder;  // kernel/match_groups.h

/// Weights as a matrix: row j (an output channel) has taps * k elements, tap after tap.
struct GemmWeights {
    int64_t n = 0;
    int64_t taps = 1;
    int64_t k = 0;
    const void* values = nullptr;       ///< [n][taps][k] float or int8; rounded to nearest for a `half` kernel
    const void* bias = nullptr;         ///< [n] float or int32; nullptr = zeros
    const float* multiplier = nullptr;  ///< [n], int8 only
    // Of `matched` kernels:
    int offset = -128;                  ///< the lowest of the 128 activations that are cheap (MatchedHeader)
    const GroupOrder* order = nullptr;  ///< match_groups() of these weights; nullptr: it is made wherever it is needed
};

/// Bytes that pack_gemm writes; the buffer needs kOverread more behind it.
size_t packed_gemm_bytes(const GemmKernel& kernel, const GemmWeights& weights);
/// `out` is kAlignment-aligned.
void pack_gemm(const GemmKernel& kernel, const GemmWeights& weights, void* out);

/// The same of a float32 kernel with weights in float16; biases stay float32. Panel i begins at its first column times
/// gemm_column_bytes of 2 bytes a weight.
size_t packed_half_bytes(const GemmKernel& kernel, const GemmWeights& weights);
/// `packed` is what pack_gemm wrote. Weights are rounded to nearest, ties to even; none may be beyond +-65504.
void pack_half(const GemmKernel& kernel, const GemmWeights& weights, const void* packed, void* out);
/// The panels [begin, end) as pack_gemm writes them.
void widen_panels(const GemmKernel& kernel, const GemmWeights& shape, const void* halves, int64_t begin, int64_t end,
                  void (*widen)(const uint16_t* half, int64_t count, float* out), void* out);

/// Bytes of GemmArgs::scratch for rows of `taps` times `k` elements.
size_t gemm_scratch_bytes(const GemmKernel& kernel, int64_t taps, int64_t k);

struct DwWeights {
    int64_t channels = 0;
    int64_t taps = 0;
    const void* values = nullptr;  ///< [channels][taps] float or int8
    const void* bias = nullptr;
    const float* multiplier = nullptr;
};

size_t packed_dw_bytes(const DwKernel& kernel, const DwWeights& weights);
void pack_dw(const DwKernel& kernel, const DwWeights& weights, void* out);

/// `weights` has size * size taps, row by row.
size_t packed_dw_line_bytes(const DwLineKernel& kernel, const DwWeights& weights);
void pack_dw_line(const DwLineKernel& kernel, const DwWeights& weights, void* out);

}  // namespace fw
