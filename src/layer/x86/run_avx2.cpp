// Functions over runs of adjacent elements.
#include "layer/x86/avx2.h"

namespace fw {

namespace {

/// Four registers of 32-bit integers in [-32768, 32767] to 32 bytes in order, saturated.
FW_ALWAYS_INLINE __m256i pack_bytes(__m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // Packing works within 128 bits.
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// Quantizes 8 values; the bounds do not have the zero point in them. NaN becomes lo.
struct Quantizer {
    __m256 scale, lo, hi;
    __m256i zero_point;

    explicit FW_ALWAYS_INLINE Quantizer(const QuantizeArgs& q)
        : scale(_mm256_set1_ps(q.scale)),
          lo(_mm256_set1_ps(static_cast<float>(q.lo - q.zero_point))),
          hi(_mm256_set1_ps(static_cast<float>(127 - q.zero_point))),
          zero_point(_mm256_set1_epi32(q.zero_point)) {}
    FW_ALWAYS_INLINE __m256i operator()(const float* x) const {
        const __m256 v = _mm256_max_ps(_mm256_mul_ps(_mm256_loadu_ps(x), scale), lo);
        return _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_min_ps(v, hi)), zero_point);
    }
    FW_ALWAYS_INLINE __m256i bytes32(const float* x) const {
        const Quantizer& q = *this;
        return pack_bytes(q(x), q(x + 8), q(x + 16), q(x + 24));
    }
    FW_ALWAYS_INLINE __m128i bytes8(const float* x) const {
        const __m256i q = (*this)(x);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
        return _mm_packs_epi16(words, words);
    }
    FW_ALWAYS_INLINE int8_t one(float x) const {
        float eight[8] = {x};
        return static_cast<int8_t>(_mm_cvtsi128_si32(_mm256_castsi256_si128((*this)(eight))));
    }
};

void quantize(const QuantizeArgs& args, const float* x, int64_t count, int8_t* out) {
    const Quantizer q(args);
    int64_t i = 0;
    for (; i + 32 <= count; i += 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), q.bytes32(x + i));
    }
    for (; i + 8 <= count; i += 8) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + i), q.bytes8(x + i));
    }
    for (; i < count; ++i) {
        out[i] = q.one(x[i]);
    }
}

/// Interleaves 16 bytes each of three planes: the three registers of output take theirs by one shuffle a plane.
FW_ALWAYS_INLINE void interleave3(const __m128i* plane, int8_t* out) {
    constexpr char x = -1;  // a zero
    const __m128i order[3][3] = {{_mm_setr_epi8(0, x, x, 1, x, x, 2, x, x, 3, x, x, 4, x, x, 5),
                                  _mm_setr_epi8(x, 0, x, x, 1, x, x, 2, x, x, 3, x, x, 4, x, x),
                                  _mm_setr_epi8(x, x, 0, x, x, 1, x, x, 2, x, x, 3, x, x, 4, x)},
                                 {_mm_setr_epi8(x, x, 6, x, x, 7, x, x, 8, x, x, 9, x, x, 10, x),
                                  _mm_setr_epi8(5, x, x, 6, x, x, 7, x, x, 8, x, x, 9, x, x, 10),
                                  _mm_setr_epi8(x, 5, x, x, 6, x, x, 7, x, x, 8, x, x, 9, x, x)},
                                 {_mm_setr_epi8(x, 11, x, x, 12, x, x, 13, x, x, 14, x, x, 15, x, x),
                                  _mm_setr_epi8(x, x, 11, x, x, 12, x, x, 13, x, x, 14, x, x, 15, x),
                                  _mm_setr_epi8(10, x, x, 11, x, x, 12, x, x, 13, x, x, 14, x, x, 15)}};
    unroll<3>([&](auto i) FW_INLINE_LAMBDA {
        const __m128i sum =
            _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(plane[0], order[i][0]), _mm_shuffle_epi8(plane[1], order[i][1])),
                         _mm_shuffle_epi8(plane[2], order[i][2]));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16 * i), sum);
    });
}

void quantize_planes(const QuantizeArgs& args, const float* const* planes, int64_t count, int8_t* out) {
    const Quantizer q(args);
    int64_t i = 0;
    for (; i + 32 <= count; i += 32, out += 96) {
        __m128i low[3];
        __m128i high[3];
        unroll<3>([&](auto c) FW_INLINE_LAMBDA {
            const __m256i bytes = q.bytes32(planes[c] + i);
            low[c] = _mm256_castsi256_si128(bytes);
            high[c] = _mm256_extracti128_si256(bytes, 1);
        });
        interleave3(low, out);
        interleave3(high, out + 48);
    }
    for (; i < count; ++i, out += 3) {
        unroll<3>([&](auto c) FW_INLINE_LAMBDA { out[c] = q.one(planes[c][i]); });
    }
}

void dequantize(const int8_t* x, int64_t count, int32_t zero_point, float inverse, float* out) {
    for (int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<float>(x[i] - zero_point) * inverse;
    }
}

FW_ALWAYS_INLINE __m256i widen(const int8_t* x) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
}

/// Zero points and rounding go into one constant; sums wrap on the way and fit in the end (docs/int8-contract.md).
void sum(const SumArgs& args, int64_t count, int8_t* out) {
    uint32_t constant = 1U << (args.shift - 1);
    for (int j = 0; j < args.inputs; ++j) {
        constant -= static_cast<uint32_t>(args.zero_point[j]) * static_cast<uint32_t>(args.multiplier[j]);
    }
    const __m256i start = _mm256_set1_epi32(static_cast<int>(constant));
    const __m128i shift = _mm_cvtsi32_si128(args.shift);
    const __m256i zero_point = _mm256_set1_epi16(static_cast<short>(args.zero_point_out));
    const __m256i lo = _mm256_set1_epi8(static_cast<char>(args.lo));
    const __m256i hi = _mm256_set1_epi8(static_cast<char>(args.hi));
    for (int64_t i = 0; i < count; i += 32) {
        __m256i total[4] = {start, start, start, start};
        for (int j = 0; j < args.inputs; ++j) {
            const __m256i k = _mm256_set1_epi32(args.multiplier[j]);
            const int8_t* x = args.in[j] + i;
            unroll<4>([&](auto q) FW_INLINE_LAMBDA {
                total[q] = _mm256_add_epi32(total[q], _mm256_mullo_epi32(widen(x + 8 * q), k));
            });
        }
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { total[q] = _mm256_sra_epi32(total[q], shift); });
        const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(total[0], total[1]), zero_point);
        const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(total[2], total[3]), zero_point);
        const __m256i bytes =
            _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        const __m256i clamped = _mm256_min_epi8(_mm256_max_epi8(bytes, lo), hi);
        if (count - i >= 32) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), clamped);
        } else {
            int8_t rest[32];
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(rest), clamped);
            std::memcpy(out + i, rest, static_cast<size_t>(count - i));
        }
    }
}

void widen_halves(const uint16_t* half, int64_t count, float* out) {
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(half + i));
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
    }
    for (; i < count; ++i) {
        out[i] = _cvtsh_ss(half[i]);
    }
}

}  // namespace

extern const RunKernel run_avx2 = {"run_avx2", Isa::kAvx2, quantize, quantize_planes, dequantize, sum, widen_halves};

}  // namespace fw
