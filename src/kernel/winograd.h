// Convolution 3x3 at stride 1 by Winograd's minimal filtering: tiles of m x m outputs become t x t values a channel,
// t = m + 2, each of which is a matrix product of its own over the GEMM kernels: t * t products in place of 9 m * m.
#pragma once

#include "kernel/conv.h"
#include "kernel/pack.h"

namespace fw {

#ifdef FW_MINSIZE
constexpr bool kHasWinograd = false;  ///< code that asks first is left out
#else
constexpr bool kHasWinograd = true;
#endif

/// A tile size for one layer; `kernel` is nullptr where the plain convolution is as fast.
///
/// int8 is exact: transformed bytes fit 16 bits, the weights are 24 G g (24 G)^T (the last row of 24 G divided by 4),
/// which do too, and all sums are integers modulo 2^32.
/// Error in float, beside the exact result: below error_bound() * max|x| * sum|w| for every output, where x are the
/// inputs of its tile with their padding and w its weights; of a half kernel, all in float16, with max|x| between 2^-8
/// and 39900, all sums below 65504, and with Epilogue::half_output 2^-11 * (|bias| + |y|) more. An input that is
/// not finite makes the whole tile NaN.
struct Winograd {
    const WinogradKernel* kernel = nullptr;
    const GemmKernel* gemm = nullptr;
    double share = 1.0;  ///< estimated time, as a share of the plain convolution's

    bool chosen() const { return kHasWinograd && kernel != nullptr; }
    int tile() const { return kernel->size + 2; }
    int64_t planes() const { return int64_t{tile()} * tile(); }
    float error_bound() const { return kernel->half ? 0x1p-6F : kernel->size == 4 ? 0x1p-18F : 0x1p-17F; }
};

/// The faster way for out_h x out_w outputs of `n` channels from `k` ones, by a count of operations and bytes.
/// `half`: in products of half floats, beside plain ones.
Winograd choose_winograd(bool int8, Isa level, int64_t k, int64_t n, int64_t out_h, int64_t out_w, bool half = false);

/// False for int8 weights with sums of products that may reach 2^25. `weights` has 9 taps, here and below.
bool winograd_fits(const GemmWeights& weights);
/// False for weights that may leave float16's range when they are transformed for a half kernel.
bool winograd_fits_half(const GemmWeights& weights);

/// Bytes that pack_winograd writes; the buffer needs kOverread more behind it.
size_t packed_winograd_bytes(const Winograd& winograd, const GemmWeights& weights);
/// Weights of every frequency (float: computed in double precision and rounded once), biases and multipliers. `out` is
/// kAlignment-aligned. `taps_last`: int8 values are [n][k][taps], as files have them. False where there is no memory.
bool pack_winograd(const Winograd& winograd, const GemmWeights& weights, void* out, bool taps_last = false);

size_t winograd_scratch_bytes(const Winograd& winograd, int64_t k, int64_t n, int64_t out_h, int64_t out_w,
                              int threads);
/// The geometry has a kernel of 3x3 and strides and dilations of 1, and outputs are not staged. Results do not depend
/// on the number of threads.
void run_winograd(const Winograd& winograd, const ConvJob& job);

}  // namespace fw
