// Epilogue and partial stores of the 128-bit kernels. Each kernel file has its own copy.
#pragma once

#include <smmintrin.h>

#include <cstring>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

/// Four adjacent bytes as one integer, at any address.
FW_ALWAYS_INLINE int32_t load_word(const void* from) {
    int32_t word = 0;
    std::memcpy(&word, from, 4);
    return word;
}

/// Eight bytes as words of 16 bits.
FW_ALWAYS_INLINE __m128i widen8(const void* from) {
    return _mm_cvtepi8_epi16(_mm_loadl_epi64(static_cast<const __m128i*>(from)));
}

FW_ALWAYS_INLINE __m128i multiply_add_pairs(__m128i acc, __m128i a, __m128i b) {
    return _mm_add_epi32(acc, _mm_madd_epi16(a, b));
}

/// The epilogue of four sums; count <= 4, nothing is written where it is below 1.
FW_ALWAYS_INLINE void store_accumulators4(const Epilogue& e, __m128i acc, const float* multiplier, void* out,
                                          int64_t count) {
    if (count < 1) {
        return;
    }
    const __m128 product = _mm_mul_ps(_mm_cvtepi32_ps(acc), _mm_loadu_ps(multiplier));
    const __m128 x = _mm_min_ps(_mm_set1_ps(e.hi), _mm_max_ps(_mm_set1_ps(e.lo), product));
    if (e.float_output) {
        std::memcpy(out, &x, static_cast<size_t>(count) * 4);
        return;
    }
    const __m128i words = _mm_packs_epi32(_mm_add_epi32(_mm_cvtps_epi32(x), _mm_set1_epi32(e.zero_point)), __m128i());
    const int32_t bytes = _mm_cvtsi128_si32(_mm_packs_epi16(words, words));
    std::memcpy(out, &bytes, static_cast<size_t>(count));
}

/// The same of eight sums.
FW_ALWAYS_INLINE void store_accumulators8(const Epilogue& e, __m128i low, __m128i high, const float* multiplier,
                                          void* out, int64_t count) {
    store_accumulators4(e, low, multiplier, out, count < 4 ? count : 4);
    store_accumulators4(e, high, multiplier + 4, static_cast<char*>(out) + (e.float_output ? 16 : 4), count - 4);
}

}  // namespace
}  // namespace fw
