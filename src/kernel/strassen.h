// Strassen's seven products of halves in place of eight, once, for 1x1 convolutions of half floats: rows of pixels are
// taken in pairs (2 i, 2 i + 1), channels in and out in a lower and an upper half (V. Strassen, "Gaussian elimination
// is not optimal", 1969).
#pragma once

#include "kernel/conv.h"
#include "kernel/pack.h"

namespace fw {

#if defined(__aarch64__) && !defined(FW_MINSIZE)
constexpr bool kHasStrassen = true;
#else
constexpr bool kHasStrassen = false;  ///< code that asks first is left out
#endif

/// `kernel` is nullptr where the plain product is as fast.
///
/// With x the largest input of a pair of pixels and s the sum of |w| of an output channel and of the one n / 2 away,
/// the error of an output is, to first order, below
///   6 * (min(k / 2, kHalfBlock) + ceil(k / 2 / kHalfBlock) + 7) * 2^-11 * x * s + 2^-11 * (2 * |bias| + |y|)
/// and that of random data below 2^-9 * x * s: the products' sums are up to twice as large as the outputs and cancel.
/// Inputs must be within 32752, and all sums within 65504.
struct Strassen {
    const StrassenKernel* kernel = nullptr;
    const GemmKernel* gemm = nullptr;

    bool chosen() const { return kHasStrassen && kernel != nullptr; }
};

/// For `pixels` outputs of `n` channels from `k` ones, by a count of instructions.
Strassen choose_strassen(Isa level, int64_t k, int64_t n, int64_t pixels);
/// False for weights whose sums may leave float16's range. `weights` has one tap, here and below.
bool strassen_fits(const GemmWeights& weights);

/// Bytes that pack_strassen writes; the buffer needs kOverread more behind it.
size_t packed_strassen_bytes(const Strassen& strassen, const GemmWeights& weights);
/// The seven matrices: sums of float weights, rounded once. `out` is kAlignment-aligned.
void pack_strassen(const Strassen& strassen, const GemmWeights& weights, void* out);

size_t strassen_scratch_bytes(int64_t k, int64_t n, int64_t pixels, int threads);
/// The geometry has one tap, strides of 1 and no padding; input and output are float16, and there is no row function.
/// Results depend neither on the number of threads nor on strides.
void run_strassen(const Strassen& strassen, const ConvJob& job);

}  // namespace fw
