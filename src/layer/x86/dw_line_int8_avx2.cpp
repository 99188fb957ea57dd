// Rows are widened to 16 bits and interleaved in pairs for vpmaddwd, which is exact. Unpacking works within 128 bits:
// register 0 holds channels 0..3 and 8..11, register 1 the others, as the packed weights do.
#include "kernel/dw_line_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Int8 {
    struct Pair {
        __m256i v[2];
    };
    template <int kSize>
    struct Rows {
        Pair taps[(kSize + 1) / 2];
    };
    using Element = int8_t;
    using Acc = Pair;
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr int kLanes = 16, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false, kInterleaved = true;

    static FW_ALWAYS_INLINE __m256i widen(const int8_t* p) {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static FW_ALWAYS_INLINE Pair load_bias(const void* p) {
        const auto* from = static_cast<const __m256i*>(p);
        return {{_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)}};
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        const auto* from = static_cast<const int8_t*>(p);
        Rows<kSize> weights;
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            weights.taps[t] = {{widen(from + t * kLanes * 2), widen(from + t * kLanes * 2 + 16)}};
        });
        return weights;
    }
    /// A missing row repeats the last one; its weights are zero.
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const int8_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            constexpr int kFirst = 2 * int(t);
            const __m256i first = widen(rows[kFirst]);
            const __m256i second = kFirst + 1 < kSize ? widen(rows[kFirst + 1 < kSize ? kFirst + 1 : kFirst]) : first;
            column.taps[t] = {{_mm256_unpacklo_epi16(first, second), _mm256_unpackhi_epi16(first, second)}};
        });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            unroll<2>([&](auto q) FW_INLINE_LAMBDA {
                acc.v[q] = _mm256_add_epi32(acc.v[q], _mm256_madd_epi16(x.taps[t].v[q], w.taps[t].v[q]));
            });
        });
        return acc;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        __m256 x[2];
        unroll<2>([&](auto q) FW_INLINE_LAMBDA {
            x[q] = clamp8(_mm256_mul_ps(_mm256_cvtepi32_ps(acc.v[q]), _mm256_loadu_ps(multiplier + 8 * q)), e);
        });
        if (e.float_output) {
            auto* to = static_cast<float*>(out);
            const __m256 low = _mm256_permute2f128_ps(x[0], x[1], 0x20);
            const __m256 high = _mm256_permute2f128_ps(x[0], x[1], 0x31);
            store_floats8(low, to, count < 8 ? count : 8);
            if (count > 8) {
                store_floats8(high, to + 8, count - 8);
            }
            return;
        }
        const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
        const __m256i moved = _mm256_add_epi16(words, _mm256_set1_epi16(static_cast<short>(e.zero_point)));
        const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(moved), _mm256_extracti128_si256(moved, 1));
        if (count == 16) {
            _mm_storeu_si128(static_cast<__m128i*>(out), bytes);
        } else {
            int8_t rest[16];
            _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), bytes);
            std::memcpy(out, rest, static_cast<size_t>(count));
        }
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_int8_3x3s1_16c2_avx2, kAvx2, Avx2Int8, 3, 1)
FW_DEFINE_DW_LINE(dw_line_int8_3x3s2_16c2_avx2, kAvx2, Avx2Int8, 3, 2)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s1_16c2_avx2, kAvx2, Avx2Int8, 5, 1)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s2_16c2_avx2, kAvx2, Avx2Int8, 5, 2)

}  // namespace fw
