// Depthwise lines of bytes on 256 bits. Unpacking works within 128 bits: register 0 holds channels 0..3 and 8..11,
// register 1 the others, as the packed weights do.
#include "layer/x86/avx2.h"
#include "layer/x86/dw_line_words.h"

namespace fw {

namespace {

struct Avx2Words {
    using Vec = __m256i;
    static constexpr int kWords = 16;

    static FW_ALWAYS_INLINE Vec widen(const int8_t* p) {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static FW_ALWAYS_INLINE Vec load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec low(Vec a, Vec b) { return _mm256_unpacklo_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec high(Vec a, Vec b) { return _mm256_unpackhi_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec multiply_add(Vec acc, Vec a, Vec b) {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
    }
};

struct Avx2Int8 : DwLineWords<Avx2Words> {
    static constexpr bool kBends = true;

    static FW_ALWAYS_INLINE void store_bytes(const Epilogue& e, const __m256 (&x)[2], void* out, int64_t count) {
        const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
        const __m256i moved = _mm256_add_epi16(words, _mm256_set1_epi16(static_cast<short>(e.zero_point)));
        const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(moved), _mm256_extracti128_si256(moved, 1));
        store_bytes16(bytes, out, count);
    }
    /// Once for all places that store. NaN becomes the lower bound.
    static FW_ALWAYS_INLINE void store_bent(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                            int64_t count) {
        __m256 x[2];
        unroll<2>([&](auto q) FW_INLINE_LAMBDA {
            const __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc.v[q]), _mm256_loadu_ps(multiplier + 8 * q));
            x[q] = _mm256_min_ps(_mm256_set1_ps(e.hi), _mm256_max_ps(bend8(real, e), _mm256_set1_ps(e.lo)));
        });
        store_bytes(e, x, out, count);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& epilogue, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        // Its constants stay in memory: clang keeps all of them in registers and the accumulators on the stack.
        const Epilogue* hidden = &epilogue;
        __asm__ volatile("" : "+r"(hidden));
        const Epilogue& e = *hidden;
        if (e.bent != BentFunction::kIdentity) {
            store_bent(e, acc, multiplier, out, count);
            return;
        }
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
        store_bytes(e, x, out, count);
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_int8_3x3s1_16c2_avx2, kAvx2, Avx2Int8, 3, 1)
FW_DEFINE_DW_LINE(dw_line_int8_3x3s2_16c2_avx2, kAvx2, Avx2Int8, 3, 2)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s1_16c2_avx2, kAvx2, Avx2Int8, 5, 1)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s2_16c2_avx2, kAvx2, Avx2Int8, 5, 2)

}  // namespace fw
