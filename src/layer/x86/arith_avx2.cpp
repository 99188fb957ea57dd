// Arithmetic on runs of bytes, 16 at a time.
#include "layer/x86/avx2.h"

namespace fw {

namespace {

FW_ALWAYS_INLINE __m256i widen(const int8_t* x, __m256i zero_point) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(x));
    return _mm256_sub_epi32(_mm256_cvtepi8_epi32(bytes), zero_point);
}

/// Clamps, rounds and stores 16 values. NaN does not come up; the bounds do not have the zero point in them.
struct Requantizer {
    __m256 lo, hi;
    __m256i zero_point;

    FW_ALWAYS_INLINE Requantizer(int32_t zp, int32_t least, int32_t most)
        : lo(_mm256_set1_ps(static_cast<float>(least - zp))),
          hi(_mm256_set1_ps(static_cast<float>(most - zp))),
          zero_point(_mm256_set1_epi32(zp)) {}
    FW_ALWAYS_INLINE __m256i operator()(__m256 x) const {
        return _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(x, lo), hi)), zero_point);
    }
    FW_ALWAYS_INLINE void store(__m256 x, __m256 y, int64_t count, int8_t* out) const {
        const __m256i words =
            _mm256_permute4x64_epi64(_mm256_packs_epi32((*this)(x), (*this)(y)), _MM_SHUFFLE(3, 1, 2, 0));
        const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        if (count >= 16) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
        } else {
            int8_t rest[16];
            _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), bytes);
            std::memcpy(out, rest, static_cast<size_t>(count));
        }
    }
};

void affine(const AffineArgs& args, const int8_t* x, int64_t count, int8_t* out) {
    const Requantizer requantizer(args.zero_point_out, args.lo, args.hi);
    const __m256i zero_point = _mm256_set1_epi32(args.zero_point);
    for (int64_t i = 0; i < count; i += 16) {
        __m256 y[2];
        unroll<2>([&](auto h) FW_INLINE_LAMBDA {
            const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(widen(x + i + 8 * h, zero_point)),
                                                _mm256_loadu_ps(args.a + i + 8 * h));
            y[h] = _mm256_add_ps(scaled, _mm256_loadu_ps(args.b + i + 8 * h));
        });
        requantizer.store(y[0], y[1], count - i, out + i);
    }
}

FW_ALWAYS_INLINE __m256 centred(const int8_t* x, int32_t zero_point) {
    return _mm256_cvtepi32_ps(widen(x, _mm256_set1_epi32(zero_point)));
}

void product(const ProductArgs& args, int64_t count, int8_t* out) {
    const Requantizer requantizer(args.zero_point_out, args.lo, 127);
    const __m256 multiplier = _mm256_set1_ps(args.multiplier);
    const int8_t* a = args.in[0];
    const int8_t* b = args.in[1];
    const int8_t* c = args.inputs > 2 ? args.in[2] : nullptr;
    for (int64_t i = 0; i < count; i += 16) {
        __m256 y[2];
        unroll<2>([&](auto h) FW_INLINE_LAMBDA {
            const int64_t at = i + 8 * h;
            y[h] = _mm256_mul_ps(centred(a + at, args.zero_point[0]), centred(b + at, args.zero_point[1]));
            if (c != nullptr) {
                y[h] = _mm256_mul_ps(y[h], centred(c + at, args.zero_point[2]));
            }
            y[h] = _mm256_mul_ps(y[h], multiplier);
        });
        requantizer.store(y[0], y[1], count - i, out + i);
    }
}

}  // namespace

extern const ArithKernel arith_avx2 = {"arith_avx2", Isa::kAvx2, affine, product};

}  // namespace fw
