// Epilogue and masked stores of the 512-bit kernels. `static`: each kernel file has its own copy.
#pragma once

// GCC 12 warns of its own header's _mm512_undefined_ps (GCC bug 105593); the state lasts for the file, which is small.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <cstring>

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

/// Writes the first `count` floats of `x`; none if count <= 0.
FW_ALWAYS_INLINE void store_floats4(__m128 x, float* out, int64_t count) {
    if (count >= 4) {
        _mm_storeu_ps(out, x);
    } else if (count > 0) {
        _mm_mask_storeu_ps(out, static_cast<__mmask8>((1U << count) - 1U), x);
    }
}

/// Writes the first `count` bytes of `x`, in whole pieces: masked stores of bytes are slow on Zen 4.
FW_ALWAYS_INLINE void store_bytes32(__m256i x, void* out, int64_t count) {
    auto* to = static_cast<char*>(out);
    if (count >= 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
        return;
    }
    __m128i half = _mm256_castsi256_si128(x);
    if (count >= 16) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), half);
        half = _mm256_extracti128_si256(x, 1);
        to += 16;
        count -= 16;
    }
    if (count >= 8) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), half);
        half = _mm_unpackhi_epi64(half, half);
        to += 8;
        count -= 8;
    }
    if (count > 0) {
        _mm_mask_storeu_epi8(to, static_cast<__mmask16>((1U << count) - 1U), half);
    }
}

FW_ALWAYS_INLINE void store_bytes64(__m512i x, void* out, int64_t count) {
    if (count >= 64) {
        _mm512_storeu_si512(out, x);
    } else if (count >= 32) {
        _mm256_storeu_si256(static_cast<__m256i*>(out), _mm512_castsi512_si256(x));
        store_bytes32(_mm512_extracti64x4_epi64(x, 1), static_cast<char*>(out) + 32, count - 32);
    } else {
        store_bytes32(_mm512_castsi512_si256(x), out, count);
    }
}

/// Of a finite Epilogue::a and b; a zero may come out with the other sign.
template <BentFunction kFunction>
FW_ALWAYS_INLINE __m512 function16(__m512 x, const Epilogue& e) {
    const __m512 line = _mm512_mul_ps(x, _mm512_set1_ps(e.a));
    if constexpr (kFunction == BentFunction::kLeakyRelu) {
        return _mm512_mask_mov_ps(x, _mm512_movepi32_mask(_mm512_castps_si512(x)), line);
    }
    const __m512 lifted = _mm512_max_ps(_mm512_add_ps(line, _mm512_set1_ps(e.b)), _mm512_setzero_ps());
    return _mm512_mul_ps(x, _mm512_min_ps(lifted, _mm512_set1_ps(1.0F)));
}

/// Epilogue::bent of x, times its scale.
FW_ALWAYS_INLINE __m512 bend16(__m512 x, const Epilogue& e) {
    const bool leaky = e.bent == BentFunction::kLeakyRelu;
    x = leaky ? function16<BentFunction::kLeakyRelu>(x, e) : function16<BentFunction::kHardSwish>(x, e);
    return _mm512_mul_ps(x, _mm512_set1_ps(e.scale));
}

/// The int8 output of up to four vectors of accumulators that belong to adjacent channels; the constants are loaded
/// once a tile. Only the upper bound is needed before rounding: what is too low becomes the lowest integer, and
/// saturates on the way to bytes.
struct ByteStore16 {
    __m512 hi;
    __m512i zero_point, lo, most, order;

    FW_ALWAYS_INLINE explicit ByteStore16(const Epilogue& e)
        : hi(_mm512_set1_ps(e.hi)),
          zero_point(_mm512_set1_epi16(static_cast<short>(e.zero_point))),
          lo(_mm512_set1_epi8(static_cast<char>(static_cast<int32_t>(e.lo) + e.zero_point))),
          most(_mm512_set1_epi8(static_cast<char>(static_cast<int32_t>(e.hi) + e.zero_point))),
          // Packing works within 128 bits: group g of four channels of vector v comes out at 4 * g + v.
          order(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)) {}

    template <int kCount>
    FW_ALWAYS_INLINE void store(const __m512i* acc, const float* multiplier, void* out, int64_t count) const {
        store_as<kCount>([&](__m512 x) FW_INLINE_LAMBDA { return _mm512_min_ps(hi, x); }, acc, multiplier, out, count);
    }
    /// Of multipliers below 1: nothing goes beyond the integers, and the upper bound is one of bytes.
    template <int kCount>
    FW_ALWAYS_INLINE void store_small(const __m512i* acc, const float* multiplier, void* out, int64_t count) const {
        store_as<kCount>([](__m512 x) FW_INLINE_LAMBDA { return x; }, acc, multiplier, out, count);
    }
    template <int kCount>
    FW_ALWAYS_INLINE void store_bent(const Epilogue& e, const __m512i* acc, const float* multiplier, void* out,
                                     int64_t count) const {
        store_as<kCount>([&](__m512 x) FW_INLINE_LAMBDA { return _mm512_min_ps(hi, bend16(x, e)); }, acc, multiplier,
                         out, count);
    }
    template <int kCount, class Function>
    FW_ALWAYS_INLINE void store_as(Function function, const __m512i* acc, const float* multiplier, void* out,
                                   int64_t count) const {
        __m512i q[4] = {};
        unroll<kCount>([&](auto v) FW_INLINE_LAMBDA {
            const __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[v]), _mm512_loadu_ps(multiplier + 16 * v));
            q[v] = _mm512_cvtps_epi32(function(x));
        });
        const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero_point);
        const __m512i high = kCount > 2 ? _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero_point) : low;
        const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
        store_bytes64(_mm512_min_epi8(_mm512_max_epi8(bytes, lo), most), out,
                      count < 16 * kCount ? count : 16 * kCount);
    }

    /// Of leaky ReLU with 0 != a <= 1: the larger of x and a x. By 0 an infinite x would become NaN.
    template <int kCount>
    FW_ALWAYS_INLINE void store_leaky(const Epilogue& e, const __m512i* acc, const float* multiplier, void* out,
                                      int64_t count) const {
        const __m512 scale = _mm512_set1_ps(e.scale);
        const __m512 a = _mm512_set1_ps(e.a);
        store_as<kCount>(
            [&](__m512 x) FW_INLINE_LAMBDA {
                return _mm512_min_ps(hi, _mm512_mul_ps(_mm512_max_ps(x, _mm512_mul_ps(x, a)), scale));
            },
            acc, multiplier, out, count);
    }

    /// Fours of rows of 4, 8, 12 or 16 columns that lie behind one another: each four is stored at once.
    static __attribute__((noinline)) void store_fours(const Epilogue& e, const __m512i* acc, int64_t fours,
                                                      const float* multiplier, void* out, int64_t columns) {
        const ByteStore16 bytes(e);
        const auto store_all = [&](auto function) FW_INLINE_LAMBDA {
            bytes.store_fours_as(function, acc, fours, multiplier, static_cast<char*>(out), columns);
        };
        const __m512 scale = _mm512_set1_ps(e.scale);
        if (e.bent == BentFunction::kIdentity) {
            store_all([](__m512 x) FW_INLINE_LAMBDA { return x; });
        } else if (e.bent == BentFunction::kLeakyRelu) {
            store_all([&](__m512 x) FW_INLINE_LAMBDA {
                return _mm512_mul_ps(function16<BentFunction::kLeakyRelu>(x, e), scale);
            });
        } else {
            store_all([&](__m512 x) FW_INLINE_LAMBDA {
                return _mm512_mul_ps(function16<BentFunction::kHardSwish>(x, e), scale);
            });
        }
    }
    template <class Function>
    FW_ALWAYS_INLINE void store_fours_as(Function function, const __m512i* acc, int64_t fours, const float* multiplier,
                                         char* out, int64_t columns) const {
        // What is left of `order` without the columns that there are not.
        const unsigned mask = ((1U << columns / 4) - 1U) * 0x1111U;
        const __m512i places = _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), order);
        const __m512 m = _mm512_loadu_ps(multiplier);
        for (; fours > 0; --fours, acc += 4, out += 4 * columns) {
            __m512i q[4];
            unroll<4>([&](auto i) FW_INLINE_LAMBDA {
                const __m512 x = function(_mm512_mul_ps(_mm512_cvtepi32_ps(acc[i]), m));
                q[i] = _mm512_cvtps_epi32(_mm512_min_ps(hi, x));
            });
            const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero_point);
            const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero_point);
            const __m512i bytes = _mm512_permutexvar_epi32(places, _mm512_packs_epi16(low, high));
            store_bytes64(_mm512_max_epi8(bytes, lo), out, 4 * columns);
        }
    }
};

/// The same, with the bytes of another blob added to them: Epilogue::sum.
struct SumStore16 {
    __m512 hi;
    __m512i lo, k, k_residual, start, zero_point, order, least, most;
    __m128i shift;
    ptrdiff_t residual;

    FW_ALWAYS_INLINE explicit SumStore16(const Epilogue& e)
        : hi(_mm512_set1_ps(e.hi)),
          lo(_mm512_set1_epi32(static_cast<int32_t>(e.lo))),
          k(_mm512_set1_epi32(e.sum->k)),
          k_residual(_mm512_set1_epi32(e.sum->k_residual)),
          start(_mm512_set1_epi32(e.sum->start)),
          zero_point(_mm512_set1_epi16(static_cast<short>(e.sum->zero_point))),
          order(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)),
          least(_mm512_set1_epi8(static_cast<char>(e.sum->lo))),
          most(_mm512_set1_epi8(static_cast<char>(e.sum->hi))),
          shift(_mm_cvtsi32_si128(e.sum->shift)),
          residual(e.sum->residual) {}

    template <int kCount>
    FW_ALWAYS_INLINE void store(const __m512i* acc, const float* multiplier, char* out, int64_t count) const {
        __m512i q[4] = {};
        unroll<kCount>([&](auto v) FW_INLINE_LAMBDA {
            const __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[v]), _mm512_loadu_ps(multiplier + 16 * v));
            const __m512i own = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_min_ps(hi, x)), lo);
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(out + residual) + v);
            const __m512i other = _mm512_mullo_epi32(_mm512_cvtepi8_epi32(bytes), k_residual);
            q[v] = _mm512_add_epi32(_mm512_add_epi32(_mm512_mullo_epi32(own, k), start), other);
            q[v] = _mm512_sra_epi32(q[v], shift);
        });
        const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero_point);
        const __m512i high = kCount > 2 ? _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero_point) : low;
        const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
        store_bytes64(_mm512_min_epi8(_mm512_max_epi8(bytes, least), most), out,
                      count < 16 * kCount ? count : 16 * kCount);
    }
};

}  // namespace
}  // namespace fw
