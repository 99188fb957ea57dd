// Epilogue and partial stores of the 256-bit kernels. `static`: each kernel file has its own copy.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

/// min(max(x, lo), hi); NaN stays, since the second operand wins.
FW_ALWAYS_INLINE __m256 clamp8(__m256 x, const Epilogue& e) {
    return _mm256_min_ps(_mm256_set1_ps(e.hi), _mm256_max_ps(_mm256_set1_ps(e.lo), x));
}

FW_ALWAYS_INLINE void store_floats8(__m256 x, void* out, int64_t count) {
    auto* to = static_cast<float*>(out);
    if (count == 8) {
        _mm256_storeu_ps(to, x);
        return;
    }
    // Zen does a masked store in microcode.
    __m128 rest = _mm256_castps256_ps128(x);
    if ((count & 4) != 0) {
        _mm_storeu_ps(to, rest);
        rest = _mm256_extractf128_ps(x, 1);
        to += 4;
    }
    if ((count & 2) != 0) {
        _mm_storel_pi(reinterpret_cast<__m64*>(to), rest);
        rest = _mm_movehl_ps(rest, rest);
        to += 2;
    }
    if ((count & 1) != 0) {
        _mm_store_ss(to, rest);
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

/// The first `count` bytes of x, 1 to 16, in whole pieces.
FW_ALWAYS_INLINE void store_bytes16(__m128i x, void* out, int64_t count) {
    auto* to = static_cast<char*>(out);
    if (count == 16) {
        _mm_storeu_si128(static_cast<__m128i*>(out), x);
        return;
    }
    if ((count & 8) != 0) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), x);
        x = _mm_unpackhi_epi64(x, x);
        to += 8;
    }
    if ((count & 4) != 0) {
        const int32_t four = _mm_cvtsi128_si32(x);
        std::memcpy(to, &four, 4);
        x = _mm_srli_si128(x, 4);
        to += 4;
    }
    if ((count & 2) != 0) {
        const auto two = static_cast<int16_t>(_mm_extract_epi16(x, 0));
        std::memcpy(to, &two, 2);
        x = _mm_srli_si128(x, 2);
        to += 2;
    }
    if ((count & 1) != 0) {
        *to = static_cast<char>(_mm_extract_epi8(x, 0));
    }
}

/// Apart from the tiles, which it would make several times as large.
inline __attribute__((noinline)) void store_part(__m128i x, void* out, int64_t count) {
    store_bytes16(x, out, count);
}

/// Of a finite Epilogue::a and b; a zero may come out with the other sign.
template <BentFunction kFunction>
FW_ALWAYS_INLINE __m256 function8(__m256 x, const Epilogue& e) {
    const __m256 line = _mm256_mul_ps(x, _mm256_set1_ps(e.a));
    if constexpr (kFunction == BentFunction::kLeakyRelu) {
        return _mm256_blendv_ps(x, line, x);
    }
    const __m256 lifted = _mm256_max_ps(_mm256_add_ps(line, _mm256_set1_ps(e.b)), _mm256_setzero_ps());
    return _mm256_mul_ps(x, _mm256_min_ps(lifted, _mm256_set1_ps(1.0F)));
}

/// Epilogue::bent of x, times its scale.
FW_ALWAYS_INLINE __m256 bend8(__m256 x, const Epilogue& e) {
    const bool leaky = e.bent == BentFunction::kLeakyRelu;
    x = leaky ? function8<BentFunction::kLeakyRelu>(x, e) : function8<BentFunction::kHardSwish>(x, e);
    return _mm256_mul_ps(x, _mm256_set1_ps(e.scale));
}

/// The same of one function; of leaky ReLU with a <= 1: the larger of x and a x.
template <BentFunction kFunction>
FW_ALWAYS_INLINE __m256 bend8_as(__m256 x, const Epilogue& e) {
    x = kFunction == BentFunction::kLeakyRelu ? _mm256_max_ps(x, _mm256_mul_ps(x, _mm256_set1_ps(e.a)))
                                              : function8<kFunction>(x, e);
    return _mm256_mul_ps(x, _mm256_set1_ps(e.scale));
}

/// The int8 output of one or two vectors of accumulators that belong to adjacent channels; the constants are loaded
/// once a tile. Only the upper bound is needed before rounding: what is too low becomes the lowest integer, and
/// saturates on the way to bytes.
struct ByteStore8 {
    __m256 hi;
    __m256i zero_point;
    __m128i lo;

    FW_ALWAYS_INLINE explicit ByteStore8(const Epilogue& e)
        : hi(_mm256_set1_ps(e.hi)),
          zero_point(_mm256_set1_epi16(static_cast<short>(e.zero_point))),
          lo(_mm_set1_epi8(static_cast<char>(static_cast<int32_t>(e.lo) + e.zero_point))) {}

    template <int kCount>
    FW_ALWAYS_INLINE void store(const __m256i* acc, const float* multiplier, void* out, int64_t count) const {
        store_as<kCount>([](__m256 x) FW_INLINE_LAMBDA { return x; }, acc, multiplier, out, count);
    }
    template <int kCount>
    FW_ALWAYS_INLINE void store_bent(const Epilogue& e, const __m256i* acc, const float* multiplier, void* out,
                                     int64_t count) const {
        store_as<kCount>([&](__m256 x) FW_INLINE_LAMBDA { return bend8(x, e); }, acc, multiplier, out, count);
    }
    template <int kCount, class Function>
    FW_ALWAYS_INLINE void store_as(Function function, const __m256i* acc, const float* multiplier, void* out,
                                   int64_t count) const {
        __m256i q[kCount];
        unroll<kCount>([&](auto v) FW_INLINE_LAMBDA {
            const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[v]), _mm256_loadu_ps(multiplier + 8 * v));
            q[v] = _mm256_cvtps_epi32(_mm256_min_ps(hi, function(x)));
        });
        // Packing works within 128 bits: four channels of each vector in turns.
        const __m256i words = _mm256_permute4x64_epi64(
            _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[kCount - 1]), zero_point), _MM_SHUFFLE(3, 1, 2, 0));
        const __m128i packed = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        const __m128i bytes = _mm_max_epi8(packed, lo);
        if (kCount == 2 && count >= 16) {
            _mm_storeu_si128(static_cast<__m128i*>(out), bytes);
        } else if (kCount == 1 && count >= 8) {
            _mm_storel_epi64(static_cast<__m128i*>(out), bytes);
        } else if (kCount == 1 && count == 4) {
            const int32_t four = _mm_cvtsi128_si32(bytes);
            std::memcpy(out, &four, 4);
        } else {
            store_part(bytes, out, count);
        }
    }
};

/// The int8 outputs of four vectors of eight channels each that lie behind one another, with a function. As in
/// ByteStore8, only the upper bound is needed before rounding.
struct FourStore8 {
    Epilogue e;
    __m256 hi;
    __m256i zero_point, lo;

    FW_ALWAYS_INLINE explicit FourStore8(const Epilogue& epilogue)
        : e(epilogue),
          hi(_mm256_set1_ps(e.hi)),
          zero_point(_mm256_set1_epi16(static_cast<short>(e.zero_point))),
          lo(_mm256_set1_epi8(static_cast<char>(static_cast<int32_t>(e.lo) + e.zero_point))) {}

    /// Channels 0 to 3 of each vector, then 4 to 7. `multiplier(i)` is that of vector i.
    template <BentFunction kFunction, class Multiplier>
    FW_ALWAYS_INLINE __m256i halves(const __m256i* acc, Multiplier multiplier) const {
        __m256i q[4];
        unroll<4>([&](auto i) FW_INLINE_LAMBDA {
            __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[i]), multiplier(i));
            if constexpr (kFunction != BentFunction::kIdentity) {
                x = _mm256_mul_ps(function8<kFunction>(x, e), _mm256_set1_ps(e.scale));
            }
            q[i] = _mm256_cvtps_epi32(_mm256_min_ps(hi, x));
        });
        const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero_point);
        const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero_point);
        return _mm256_max_epi8(_mm256_packs_epi16(low, high), lo);
    }
    static FW_ALWAYS_INLINE __m256i in_order(__m256i halves) {
        return _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    }
};

}  // namespace
}  // namespace fw
