// Epilogue and masked stores of the 512-bit kernels. `static`: each kernel file has its own copy.
#pragma once

// GCC 12 warns of its own header's _mm512_undefined_ps (GCC bug 105593); the state lasts for the file, which is small.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

FW_ALWAYS_INLINE __mmask16 mask16(int64_t count) {
    return static_cast<__mmask16>((1U << count) - 1U);
}

/// Masked stores are several times slower than whole ones on some processors (Zen 4).
FW_ALWAYS_INLINE void store_floats16(__m512 x, void* out, int64_t count) {
    if (count == 16) {
        _mm512_storeu_ps(out, x);
    } else {
        _mm512_mask_storeu_ps(out, mask16(count), x);
    }
}

/// min(max(x, lo), hi); NaN stays, since the second operand wins.
FW_ALWAYS_INLINE __m512 clamp16(__m512 x, const Epilogue& e) {
    return _mm512_min_ps(_mm512_set1_ps(e.hi), _mm512_max_ps(_mm512_set1_ps(e.lo), x));
}

FW_ALWAYS_INLINE void store_accumulators16(const Epilogue& e, __m512i acc, const float* multiplier, void* out,
                                           int64_t count) {
    const __m512 x = clamp16(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(multiplier)), e);
    if (e.float_output) {
        store_floats16(x, out, count);
        return;
    }
    const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(e.zero_point));
    const __m128i bytes = _mm512_cvtepi32_epi8(q);
    if (count == 16) {
        _mm_storeu_si128(static_cast<__m128i*>(out), bytes);
    } else {
        _mm_mask_storeu_epi8(out, mask16(count), bytes);
    }
}

}  // namespace
}  // namespace fw
