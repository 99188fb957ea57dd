// Stands in front of the compiler's header where the kernels of AVX-512 and AVX-VNNI are compiled for AVX2
// (../CMakeLists.txt): the intrinsics that they use, done by halves or lane by lane, with the same results.
#pragma once

#include_next <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace fw_emulation {

template <class To, class From>
static inline To bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

template <class Half>
struct Halves {
    Half low, high;
};
using Ints = Halves<__m256i>;
using Floats = Halves<__m256>;

static inline Ints halves(__m512i x) {
    return bits<Ints>(x);
}
static inline Floats halves(__m512 x) {
    return bits<Floats>(x);
}
static inline __m512i join(__m256i low, __m256i high) {
    return bits<__m512i>(Ints{low, high});
}
static inline __m512 join(__m256 low, __m256 high) {
    return bits<__m512>(Floats{low, high});
}

#define FW_EMULATE_1(result, name, x_type, half) \
    static inline result m512_##name(x_type x) { \
        const auto a = halves(x);                \
        return join(half(a.low), half(a.high));  \
    }
#define FW_EMULATE_2(type, name)                                                 \
    static inline type m512_##name(type x, type y) {                             \
        const auto a = halves(x);                                                \
        const auto b = halves(y);                                                \
        return join(_mm256_##name(a.low, b.low), _mm256_##name(a.high, b.high)); \
    }

FW_EMULATE_1(__m512, cvtepi32_ps, __m512i, _mm256_cvtepi32_ps)
FW_EMULATE_1(__m512i, cvtps_epi32, __m512, _mm256_cvtps_epi32)
FW_EMULATE_2(__m512, add_ps)
FW_EMULATE_2(__m512, mul_ps)
FW_EMULATE_2(__m512, min_ps)
FW_EMULATE_2(__m512, max_ps)
FW_EMULATE_2(__m512i, add_epi16)
FW_EMULATE_2(__m512i, add_epi32)
FW_EMULATE_2(__m512i, adds_epi16)
FW_EMULATE_2(__m512i, madd_epi16)
FW_EMULATE_2(__m512i, maddubs_epi16)
FW_EMULATE_2(__m512i, max_epi32)
FW_EMULATE_2(__m512i, max_epi8)
FW_EMULATE_2(__m512i, min_epi8)
FW_EMULATE_2(__m512i, min_epu8)
FW_EMULATE_2(__m512i, mullo_epi32)
FW_EMULATE_2(__m512i, packs_epi16)
FW_EMULATE_2(__m512i, packs_epi32)
FW_EMULATE_2(__m512i, subs_epu8)

static inline __m512i m512_sra_epi32(__m512i x, __m128i count) {
    return join(_mm256_sra_epi32(halves(x).low, count), _mm256_sra_epi32(halves(x).high, count));
}
static inline __m512i m512_xor_si512(__m512i x, __m512i y) {
    return x ^ y;
}
static inline __m512 m512_fmadd_ps(__m512 x, __m512 y, __m512 z) {
    const Floats a = halves(x), b = halves(y), c = halves(z);
    return join(_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high));
}

static inline __m512i m512_loadu_si512(const void* p) {
    __m512i x;
    std::memcpy(&x, p, sizeof x);
    return x;
}
static inline __m512 m512_loadu_ps(const void* p) {
    return bits<__m512>(m512_loadu_si512(p));
}
static inline void m512_storeu_si512(void* p, __m512i x) {
    std::memcpy(p, &x, sizeof x);
}
static inline void m512_storeu_ps(void* p, __m512 x) {
    std::memcpy(p, &x, sizeof x);
}

static inline __m512i m512_set1_epi8(char x) {
    return join(_mm256_set1_epi8(x), _mm256_set1_epi8(x));
}
static inline __m512i m512_set1_epi16(short x) {
    return join(_mm256_set1_epi16(x), _mm256_set1_epi16(x));
}
static inline __m512i m512_set1_epi32(int x) {
    return join(_mm256_set1_epi32(x), _mm256_set1_epi32(x));
}
static inline __m512 m512_set1_ps(float x) {
    return join(_mm256_set1_ps(x), _mm256_set1_ps(x));
}
static inline __m512 m512_setzero_ps() {
    return m512_set1_ps(0.0F);
}
template <class... Lanes>
static inline __m512i m512_setr_epi32(Lanes... lanes) {
    static_assert(sizeof...(lanes) == 16, "");
    const int32_t all[] = {lanes...};
    return m512_loadu_si512(all);
}

static inline __m512i m512_castps_si512(__m512 x) {
    return bits<__m512i>(x);
}
static inline __m512 m512_castsi512_ps(__m512i x) {
    return bits<__m512>(x);
}
static inline __m256i m512_castsi512_si256(__m512i x) {
    return halves(x).low;
}
static inline __m256i m512_extracti64x4_epi64(__m512i x, int half) {
    return half == 0 ? halves(x).low : halves(x).high;
}
static inline __m512i m512_cvtepi8_epi32(__m128i x) {
    return join(_mm256_cvtepi8_epi32(x), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(x, x)));
}
static inline __m512i m512_cvtepi8_epi16(__m256i x) {
    return join(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(x)), _mm256_cvtepi8_epi16(_mm256_extracti128_si256(x, 1)));
}

// The vector as an array, and back.
template <class T, int kCount>
struct Lanes {
    T lane[kCount];
};
template <class T, class Vector>
static inline Lanes<T, sizeof(Vector) / sizeof(T)> lanes(Vector x) {
    return bits<Lanes<T, sizeof(Vector) / sizeof(T)>>(x);
}

// Lowest bytes, without saturation.
static inline __m128i m512_cvtepi32_epi8(__m512i x) {
    const auto from = lanes<uint32_t>(x);
    Lanes<uint8_t, 16> to;
    for (int i = 0; i < 16; ++i) {
        to.lane[i] = static_cast<uint8_t>(from.lane[i]);
    }
    return bits<__m128i>(to);
}
static inline __m512i m512_permutexvar_epi32(__m512i index, __m512i x) {
    const auto at = lanes<uint32_t>(index);
    const auto from = lanes<uint32_t>(x);
    Lanes<uint32_t, 16> to;
    for (int i = 0; i < 16; ++i) {
        to.lane[i] = from.lane[at.lane[i] & 15U];
    }
    return bits<__m512i>(to);
}
// Bits 0 to 5 of an index name a byte, bit 6 the register.
static inline __m512i m512_permutex2var_epi8(__m512i x, __m512i index, __m512i y) {
    const auto at = lanes<uint8_t>(index);
    const Lanes<uint8_t, 64> from[] = {lanes<uint8_t>(x), lanes<uint8_t>(y)};
    Lanes<uint8_t, 64> to;
    for (int i = 0; i < 64; ++i) {
        to.lane[i] = from[at.lane[i] >> 6 & 1U].lane[at.lane[i] & 63U];
    }
    return bits<__m512i>(to);
}

template <class Mask, class T, class Vector>
static inline Mask signs(Vector x) {
    const auto from = lanes<T>(x);
    Mask mask = 0;
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(T); ++i) {
        mask = static_cast<Mask>(mask | Mask{from.lane[i] < 0} << i);
    }
    return mask;
}
static inline __mmask16 m512_movepi32_mask(__m512i x) {
    return signs<__mmask16, int32_t>(x);
}
static inline __mmask64 m512_movepi8_mask(__m512i x) {
    return signs<__mmask64, int8_t>(x);
}

// A bit for each lane of 32 that has a bit of both.
static inline __mmask16 m512_test_epi32_mask(__m512i x, __m512i y) {
    const auto both = lanes<uint32_t>(x & y);
    __mmask16 mask = 0;
    for (unsigned i = 0; i < 16; ++i) {
        mask = static_cast<__mmask16>(mask | unsigned{both.lane[i] != 0} << i);
    }
    return mask;
}
// Lanes whose bit is 1, one behind the other, then zeros.
static inline __m512i m512_maskz_compress_epi32(__mmask16 mask, __m512i x) {
    const auto from = lanes<uint32_t>(x);
    Lanes<uint32_t, 16> to = {};
    int count = 0;
    for (unsigned i = 0; i < 16; ++i) {
        if ((mask >> i & 1U) != 0) {
            to.lane[count++] = from.lane[i];
        }
    }
    return bits<__m512i>(to);
}

// Lanes of `y` where the mask is 1, else of `x`.
template <class T, class Mask, class Vector>
static inline Vector choose(Mask mask, Vector x, Vector y) {
    auto to = lanes<T>(x);
    const auto from = lanes<T>(y);
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(T); ++i) {
        to.lane[i] = (mask >> i & 1U) != 0 ? from.lane[i] : to.lane[i];
    }
    return bits<Vector>(to);
}
static inline __m512i m512_mask_blend_epi8(__mmask64 mask, __m512i x, __m512i y) {
    return choose<int8_t>(mask, x, y);
}
static inline __m512 m512_mask_mov_ps(__m512 x, __mmask16 mask, __m512 y) {
    return choose<int32_t>(mask, x, y);
}

// Memory of lanes whose bit is 0 is not touched.
template <class T, class Mask, class Vector>
static inline void store(void* p, Mask mask, Vector x) {
    const auto from = lanes<T>(x);
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(T); ++i) {
        if ((mask >> i & 1U) != 0) {
            std::memcpy(static_cast<char*>(p) + i * sizeof(T), &from.lane[i], sizeof(T));
        }
    }
}
static inline void m512_mask_storeu_ps(void* p, __mmask16 mask, __m512 x) {
    store<float>(p, mask, x);
}
static inline void m256_mask_storeu_epi8(void* p, __mmask32 mask, __m256i x) {
    store<int8_t>(p, mask, x);
}
static inline void m128_mask_storeu_epi8(void* p, __mmask16 mask, __m128i x) {
    store<int8_t>(p, mask, x);
}
static inline void m128_mask_storeu_ps(void* p, __mmask8 mask, __m128 x) {
    store<float>(p, mask, x);
}

// Sums of four products of an unsigned and a signed byte. Bytes 0 and 2 of a lane, then 1 and 3, as 16 bits.
static inline __m256i m256_dpbusd_epi32(__m256i acc, __m256i x, __m256i y) {
    const __m256i even =
        _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)), _mm256_srai_epi16(_mm256_slli_epi16(y, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(y, 8));
    return _mm256_add_epi32(acc, _mm256_add_epi32(even, odd));
}
static inline __m512i m512_dpbusd_epi32(__m512i acc, __m512i x, __m512i y) {
    const Ints a = halves(acc), b = halves(x), c = halves(y);
    return join(m256_dpbusd_epi32(a.low, b.low, c.low), m256_dpbusd_epi32(a.high, b.high, c.high));
}

// Sums of two products of 16 bits.
static inline __m512i m512_dpwssd_epi32(__m512i acc, __m512i x, __m512i y) {
    return m512_add_epi32(acc, m512_madd_epi16(x, y));
}

// bfloat16: what is below the least normal number counts as 0, before and after.
static inline float flush(float x) {
    return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0F, x) : x;
}
static inline uint16_t round_bf16(float x) {
    const auto word = bits<uint32_t>(flush(x));
    return static_cast<uint16_t>(x != x ? word >> 16 | 64U : (word + 0x7FFFU + (word >> 16 & 1U)) >> 16);
}
static inline float from_bf16(uint16_t x) {
    return flush(bits<float>(uint32_t{x} << 16));
}

static inline __m256bh m512_cvtneps_pbh(__m512 x) {
    const auto from = lanes<float>(x);
    Lanes<uint16_t, 16> to;
    for (int i = 0; i < 16; ++i) {
        to.lane[i] = round_bf16(from.lane[i]);
    }
    return bits<__m256bh>(to);
}
// The odd product is added first.
static inline __m512 m512_dpbf16_ps(__m512 acc, __m512bh x, __m512bh y) {
    auto sum = lanes<float>(acc);
    const auto a = lanes<uint16_t>(x);
    const auto b = lanes<uint16_t>(y);
    for (int i = 0; i < 16; ++i) {
        for (int j = 2 * i + 1; j >= 2 * i; --j) {
            sum.lane[i] = flush(std::fma(from_bf16(a.lane[j]), from_bf16(b.lane[j]), flush(sum.lane[i])));
        }
    }
    return bits<__m512>(sum);
}

}  // namespace fw_emulation

// What the kernels call. Some are macros of the compiler's header.
#undef _mm256_dpbusd_avx_epi32
#define _mm256_dpbusd_avx_epi32 ::fw_emulation::m256_dpbusd_epi32
#undef _mm256_dpbusd_epi32
#define _mm256_dpbusd_epi32 ::fw_emulation::m256_dpbusd_epi32
#undef _mm256_mask_storeu_epi8
#define _mm256_mask_storeu_epi8 ::fw_emulation::m256_mask_storeu_epi8
#undef _mm512_add_epi16
#define _mm512_add_epi16 ::fw_emulation::m512_add_epi16
#undef _mm512_add_epi32
#define _mm512_add_epi32 ::fw_emulation::m512_add_epi32
#undef _mm512_add_ps
#define _mm512_add_ps ::fw_emulation::m512_add_ps
#undef _mm512_adds_epi16
#define _mm512_adds_epi16 ::fw_emulation::m512_adds_epi16
#undef _mm512_castps_si512
#define _mm512_castps_si512 ::fw_emulation::m512_castps_si512
#undef _mm512_castsi512_ps
#define _mm512_castsi512_ps ::fw_emulation::m512_castsi512_ps
#undef _mm512_castsi512_si256
#define _mm512_castsi512_si256 ::fw_emulation::m512_castsi512_si256
#undef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 ::fw_emulation::m512_cvtepi32_epi8
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps ::fw_emulation::m512_cvtepi32_ps
#undef _mm512_cvtepi8_epi16
#define _mm512_cvtepi8_epi16 ::fw_emulation::m512_cvtepi8_epi16
#undef _mm512_cvtepi8_epi32
#define _mm512_cvtepi8_epi32 ::fw_emulation::m512_cvtepi8_epi32
#undef _mm512_cvtneps_pbh
#define _mm512_cvtneps_pbh ::fw_emulation::m512_cvtneps_pbh
#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32 ::fw_emulation::m512_cvtps_epi32
#undef _mm512_dpbf16_ps
#define _mm512_dpbf16_ps ::fw_emulation::m512_dpbf16_ps
#undef _mm512_dpbusd_epi32
#define _mm512_dpbusd_epi32 ::fw_emulation::m512_dpbusd_epi32
#undef _mm512_dpwssd_epi32
#define _mm512_dpwssd_epi32 ::fw_emulation::m512_dpwssd_epi32
#undef _mm512_extracti64x4_epi64
#define _mm512_extracti64x4_epi64 ::fw_emulation::m512_extracti64x4_epi64
#undef _mm512_fmadd_ps
#define _mm512_fmadd_ps ::fw_emulation::m512_fmadd_ps
#undef _mm512_loadu_ps
#define _mm512_loadu_ps ::fw_emulation::m512_loadu_ps
#undef _mm512_loadu_si512
#define _mm512_loadu_si512 ::fw_emulation::m512_loadu_si512
#undef _mm512_madd_epi16
#define _mm512_madd_epi16 ::fw_emulation::m512_madd_epi16
#undef _mm512_maddubs_epi16
#define _mm512_maddubs_epi16 ::fw_emulation::m512_maddubs_epi16
#undef _mm512_mask_blend_epi8
#define _mm512_mask_blend_epi8 ::fw_emulation::m512_mask_blend_epi8
#undef _mm512_mask_mov_ps
#define _mm512_mask_mov_ps ::fw_emulation::m512_mask_mov_ps
#undef _mm512_mask_storeu_ps
#define _mm512_mask_storeu_ps ::fw_emulation::m512_mask_storeu_ps
#undef _mm512_maskz_compress_epi32
#define _mm512_maskz_compress_epi32 ::fw_emulation::m512_maskz_compress_epi32
#undef _mm512_max_epi32
#define _mm512_max_epi32 ::fw_emulation::m512_max_epi32
#undef _mm512_max_epi8
#define _mm512_max_epi8 ::fw_emulation::m512_max_epi8
#undef _mm512_max_ps
#define _mm512_max_ps ::fw_emulation::m512_max_ps
#undef _mm512_min_epi8
#define _mm512_min_epi8 ::fw_emulation::m512_min_epi8
#undef _mm512_min_epu8
#define _mm512_min_epu8 ::fw_emulation::m512_min_epu8
#undef _mm512_min_ps
#define _mm512_min_ps ::fw_emulation::m512_min_ps
#undef _mm512_movepi32_mask
#define _mm512_movepi32_mask ::fw_emulation::m512_movepi32_mask
#undef _mm512_movepi8_mask
#define _mm512_movepi8_mask ::fw_emulation::m512_movepi8_mask
#undef _mm512_mul_ps
#define _mm512_mul_ps ::fw_emulation::m512_mul_ps
#undef _mm512_mullo_epi32
#define _mm512_mullo_epi32 ::fw_emulation::m512_mullo_epi32
#undef _mm512_packs_epi16
#define _mm512_packs_epi16 ::fw_emulation::m512_packs_epi16
#undef _mm512_packs_epi32
#define _mm512_packs_epi32 ::fw_emulation::m512_packs_epi32
#undef _mm512_permutex2var_epi8
#define _mm512_permutex2var_epi8 ::fw_emulation::m512_permutex2var_epi8
#undef _mm512_permutexvar_epi32
#define _mm512_permutexvar_epi32 ::fw_emulation::m512_permutexvar_epi32
#undef _mm512_set1_epi16
#define _mm512_set1_epi16 ::fw_emulation::m512_set1_epi16
#undef _mm512_set1_epi32
#define _mm512_set1_epi32 ::fw_emulation::m512_set1_epi32
#undef _mm512_set1_epi8
#define _mm512_set1_epi8 ::fw_emulation::m512_set1_epi8
#undef _mm512_set1_ps
#define _mm512_set1_ps ::fw_emulation::m512_set1_ps
#undef _mm512_setr_epi32
#define _mm512_setr_epi32 ::fw_emulation::m512_setr_epi32
#undef _mm512_setzero_ps
#define _mm512_setzero_ps ::fw_emulation::m512_setzero_ps
#undef _mm512_sra_epi32
#define _mm512_sra_epi32 ::fw_emulation::m512_sra_epi32
#undef _mm512_storeu_ps
#define _mm512_storeu_ps ::fw_emulation::m512_storeu_ps
#undef _mm512_storeu_si512
#define _mm512_storeu_si512 ::fw_emulation::m512_storeu_si512
#undef _mm512_subs_epu8
#define _mm512_subs_epu8 ::fw_emulation::m512_subs_epu8
#undef _mm512_test_epi32_mask
#define _mm512_test_epi32_mask ::fw_emulation::m512_test_epi32_mask
#undef _mm512_undefined_ps
#define _mm512_undefined_ps ::fw_emulation::m512_setzero_ps
#undef _mm512_xor_si512
#define _mm512_xor_si512 ::fw_emulation::m512_xor_si512
#undef _mm_mask_storeu_epi8
#define _mm_mask_storeu_epi8 ::fw_emulation::m128_mask_storeu_epi8
#undef _mm_mask_storeu_ps
#define _mm_mask_storeu_ps ::fw_emulation::m128_mask_storeu_ps
