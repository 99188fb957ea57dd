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

/// Apart from the tiles, which it would make larger: the first `count` bytes of x, 1 to 7.
inline __attribute__((noinline)) void store_part(__m128i x, void* out, int64_t count) {
    const long long bytes = _mm_cvtsi128_si64(x);
    std::memcpy(out, &bytes, static_cast<size_t>(count));
}

/// Epilogue::bent of x, times its scale.
FW_ALWAYS_INLINE __m128 bend4(__m128 x, const Epilogue& e) {
    const __m128 line = _mm_mul_ps(x, _mm_set1_ps(e.a));
    if (e.bent == BentFunction::kLeakyRelu) {
        x = _mm_blendv_ps(x, line, x);
    } else {
        const __m128 lifted = _mm_max_ps(_mm_add_ps(line, _mm_set1_ps(e.b)), _mm_setzero_ps());
        x = _mm_mul_ps(x, _mm_min_ps(lifted, _mm_set1_ps(1.0F)));
    }
    return _mm_mul_ps(x, _mm_set1_ps(e.scale));
}

/// The int8 output of one or two vectors of accumulators that belong to adjacent channels; the constants are loaded
/// once a tile. Only the upper bound is needed before rounding: what is too low becomes the lowest integer, and
/// saturates on the way to bytes.
struct ByteStore4 {
    __m128 hi;
    __m128i zero_point, lo;

    FW_ALWAYS_INLINE explicit ByteStore4(const Epilogue& e)
        : hi(_mm_set1_ps(e.hi)),
          zero_point(_mm_set1_epi16(static_cast<short>(e.zero_point))),
          lo(_mm_set1_epi8(static_cast<char>(static_cast<int32_t>(e.lo) + e.zero_point))) {}

    template <int kCount>
    FW_ALWAYS_INLINE void store(const __m128i* acc, const float* multiplier, void* out, int64_t count) const {
        store_as<kCount>([](__m128 x) FW_INLINE_LAMBDA { return x; }, acc, multiplier, out, count);
    }
    template <int kCount>
    FW_ALWAYS_INLINE void store_bent(const Epilogue& e, const __m128i* acc, const float* multiplier, void* out,
                                     int64_t count) const {
        store_as<kCount>([&](__m128 x) FW_INLINE_LAMBDA { return bend4(x, e); }, acc, multiplier, out, count);
    }
    template <int kCount, class Function>
    FW_ALWAYS_INLINE void store_as(Function function, const __m128i* acc, const float* multiplier, void* out,
                                   int64_t count) const {
        __m128i q[kCount];
        unroll<kCount>([&](auto v) FW_INLINE_LAMBDA {
            const __m128 x = _mm_mul_ps(_mm_cvtepi32_ps(acc[v]), _mm_loadu_ps(multiplier + 4 * v));
            q[v] = _mm_cvtps_epi32(_mm_min_ps(hi, function(x)));
        });
        const __m128i words = _mm_adds_epi16(_mm_packs_epi32(q[0], q[kCount - 1]), zero_point);
        const __m128i bytes = _mm_max_epi8(_mm_packs_epi16(words, words), lo);
        if (kCount == 2 && count >= 8) {
            _mm_storel_epi64(static_cast<__m128i*>(out), bytes);
        } else if (kCount == 1 && count >= 4) {
            const int32_t four = _mm_cvtsi128_si32(bytes);
            std::memcpy(out, &four, 4);
        } else {
            store_part(bytes, out, count);
        }
    }
};

/// The same of eight sums.
FW_ALWAYS_INLINE void store_accumulators8(const Epilogue& e, __m128i low, __m128i high, const float* multiplier,
                                          void* out, int64_t count) {
    store_accumulators4(e, low, multiplier, out, count < 4 ? count : 4);
    store_accumulators4(e, high, multiplier + 4, static_cast<char*>(out) + (e.float_output ? 16 : 4), count - 4);
}

}  // namespace
}  // namespace fw
