// Four taps at a time over 32 channels: unpacking transposes the bytes of four rows to groups of four for vpdpbusd. It
// works within 128-bit lanes, so register q holds channels 4q..4q+3 and 16+4q..16+4q+3; packing the results to bytes
// puts them back in order. Activations become a + 128, and the packed bias holds -128 times the sum of the weights.
#include "kernel/dw_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512VnniInt8 {
    struct Quad {
        __m256i v[4];
    };
    using Element = int8_t;
    using Acc = Quad;
    using Weights = Quad;
    static constexpr int kLanes = 32, kKr = 4;
    static constexpr bool kInt8 = true, kUnsignedInput = true;

    // Channels of register q, from 32 values of 4 bytes.
    static FW_ALWAYS_INLINE __m256i load_lanes(const void* p, int q) {
        const auto* from = static_cast<const __m128i*>(p);
        return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from + q)), _mm_loadu_si128(from + 4 + q),
                                       1);
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) {
        return {{load_lanes(p, 0), load_lanes(p, 1), load_lanes(p, 2), load_lanes(p, 3)}};
    }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return load_bias(p); }
    static FW_ALWAYS_INLINE __m256i load(const int8_t* a) {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
        return _mm256_xor_si256(x, _mm256_set1_epi8(-128));
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const int8_t* const* a, int64_t c, Weights w) {
        const __m256i t0 = load(a[0] + c);
        const __m256i t1 = load(a[1] + c);
        const __m256i t2 = load(a[2] + c);
        const __m256i t3 = load(a[3] + c);
        const __m256i low01 = _mm256_unpacklo_epi8(t0, t1);
        const __m256i high01 = _mm256_unpackhi_epi8(t0, t1);
        const __m256i low23 = _mm256_unpacklo_epi8(t2, t3);
        const __m256i high23 = _mm256_unpackhi_epi8(t2, t3);
        return {{_mm256_dpbusd_epi32(acc.v[0], _mm256_unpacklo_epi16(low01, low23), w.v[0]),
                 _mm256_dpbusd_epi32(acc.v[1], _mm256_unpackhi_epi16(low01, low23), w.v[1]),
                 _mm256_dpbusd_epi32(acc.v[2], _mm256_unpacklo_epi16(high01, high23), w.v[2]),
                 _mm256_dpbusd_epi32(acc.v[3], _mm256_unpackhi_epi16(high01, high23), w.v[3])}};
    }
    static FW_ALWAYS_INLINE __m256 scaled(const Epilogue& e, __m256i acc, const float* multiplier, int q) {
        const __m256 m = _mm256_castsi256_ps(load_lanes(multiplier, q));
        const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), m);
        return _mm256_min_ps(_mm256_set1_ps(e.hi), _mm256_max_ps(_mm256_set1_ps(e.lo), x));
    }
    static FW_ALWAYS_INLINE void store_four(__m128 x, void* out, int64_t first, int64_t count) {
        const int64_t left = count - first;
        const auto mask = static_cast<__mmask8>(left >= 4 ? 15 : left <= 0 ? 0 : (1 << left) - 1);
        _mm_mask_storeu_ps(static_cast<float*>(out) + first, mask, x);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (e.float_output) {
            unroll<4>([&](auto q) FW_INLINE_LAMBDA {
                const __m256 x = scaled(e, acc.v[q], multiplier, q);
                store_four(_mm256_castps256_ps128(x), out, 4 * q, count);
                store_four(_mm256_extractf128_ps(x, 1), out, 16 + 4 * q, count);
            });
            return;
        }
        __m256i q32[4];
        unroll<4>([&](auto q) FW_INLINE_LAMBDA {
            q32[q] = _mm256_add_epi32(_mm256_cvtps_epi32(scaled(e, acc.v[q], multiplier, q)),
                                      _mm256_set1_epi32(e.zero_point));
        });
        const __m256i bytes =
            _mm256_packs_epi16(_mm256_packs_epi32(q32[0], q32[1]), _mm256_packs_epi32(q32[2], q32[3]));
        if (count == 32) {
            _mm256_storeu_si256(static_cast<__m256i*>(out), bytes);
        } else {
            _mm256_mask_storeu_epi8(out, (1U << count) - 1U, bytes);
        }
    }
};

}  // namespace

FW_DEFINE_DW(dw_int8_32c4_avx512vnni, kAvx512Vnni, Avx512VnniInt8)

}  // namespace fw
