// Depthwise lines of few channels for vpmaddwd: pairs of rows are widened to 16 bits, a channel's two side by side.
#include "layer/x86/dw_few_bytes.h"

namespace fw {

namespace {

struct Avx2Few : FewBytes {
    using Weights = __m256i;
    static constexpr int kKr = 2, kHeld = 6, kVectors = 1;
    static constexpr bool kUnsignedInput = false;

    static FW_ALWAYS_INLINE Weights load_weights(const void* p) {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p)));
    }
    static FW_ALWAYS_INLINE void store_widened(__m128i x, char* to) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtepi8_epi16(x));
    }
    static FW_ALWAYS_INLINE void interleave8(const int8_t* const* rows, char* to) {
        const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[0]));
        const __m128i second = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[1]));
        store_widened(_mm_unpacklo_epi8(first, second), to);
    }
    template <int kStep>
    static FW_ALWAYS_INLINE void interleave32(const int8_t* const* rows, char* to) {
        unroll<2>([&](auto half) FW_INLINE_LAMBDA {
            const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[0]) + half);
            const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[1]) + half);
            store_widened(_mm_unpacklo_epi8(first, second), to + 2 * half * kStep);
            store_widened(_mm_unpackhi_epi8(first, second), to + (2 * half + 1) * kStep);
        });
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const char* x, Weights w) {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(x)), w));
    }
};

}  // namespace

FW_DEFINE_DW_FEW(dw_line_int8_3x3s1_8c2_avx2, kAvx2, Avx2Few, 3, 1, 8)
FW_DEFINE_DW_FEW(dw_line_int8_3x3s2_8c2_avx2, kAvx2, Avx2Few, 3, 2, 8)

}  // namespace fw
