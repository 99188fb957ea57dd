// Epilogue and partial stores of the 256-bit kernels. `static`: each kernel file has its own copy.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

/// Lanes [0, count) all ones.
FW_ALWAYS_INLINE __m256i mask8(int64_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}

/// min(max(x, lo), hi); NaN stays, since the second operand wins.
FW_ALWAYS_INLINE __m256 clamp8(__m256 x, const Epilogue& e) {
    return _mm256_min_ps(_mm256_set1_ps(e.hi), _mm256_max_ps(_mm256_set1_ps(e.lo), x));
}

FW_ALWAYS_INLINE void store_floats8(__m256 x, void* out, int64_t count) {
    auto* to = static_cast<float*>(out);
    if (count == 8) {
        _mm256_storeu_ps(to, x);
    } else {
        _mm256_maskstore_ps(to, mask8(count), x);
    }
}

FW_ALWAYS_INLINE void store_accumulators8(const Epilogue& e, __m256i acc, const float* multiplier, void* out,
                                          int64_t count) {
    const __m256 x = clamp8(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(multiplier)), e);
    if (e.float_output) {
        store_floats8(x, out, count);
        return;
    }
    const __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(e.zero_point));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    const long long bytes = _mm_cvtsi128_si64(_mm_packs_epi16(words, words));
    if (count == 8) {
        std::memcpy(out, &bytes, 8);
    } else {
        std::memcpy(out, &bytes, static_cast<size_t>(count));
    }
}

}  // namespace
}  // namespace fw
