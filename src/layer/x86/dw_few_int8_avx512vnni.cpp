// Depthwise lines of few channels with vpdpbusd: four rows of a channel are a group of bytes. Activations become
// a + 128, and the packed bias holds -128 times the sum of the weights.
#include "layer/x86/avx512.h"
#include "layer/x86/dw_few_bytes.h"

namespace fw {

namespace {

struct Avx512VnniFew : FewBytes {
    using Weights = __m256i;
    static constexpr int kKr = 4, kHeld = 10, kVectors = 3;
    static constexpr bool kUnsignedInput = true;

    static FW_ALWAYS_INLINE void interleave8(const int8_t* const* rows, char* to) {
        __m128i row[4];
        unroll<4>([&](auto i)
                      FW_INLINE_LAMBDA { row[i] = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[i])); });
        const __m128i flip = _mm_set1_epi8(-128);
        const __m128i x01 = _mm_xor_si128(_mm_unpacklo_epi8(row[0], row[1]), flip);
        const __m128i x23 = _mm_xor_si128(_mm_unpacklo_epi8(row[2], row[3]), flip);
        _mm_store_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi16(x01, x23));
        _mm_store_si128(reinterpret_cast<__m128i*>(to) + 1, _mm_unpackhi_epi16(x01, x23));
    }
    template <int kStep>
    static FW_ALWAYS_INLINE void interleave32(const int8_t* const* rows, char* to) {
        // Unpacking works within 128 bits: groups of four bytes go there in turns.
        const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
        __m256i row[4];
        unroll<4>([&](auto i) FW_INLINE_LAMBDA {
            const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i]));
            row[i] = _mm256_xor_si256(_mm256_permutevar8x32_epi32(x, order), _mm256_set1_epi8(-128));
        });
        const __m256i low01 = _mm256_unpacklo_epi8(row[0], row[1]);
        const __m256i high01 = _mm256_unpackhi_epi8(row[0], row[1]);
        const __m256i low23 = _mm256_unpacklo_epi8(row[2], row[3]);
        const __m256i high23 = _mm256_unpackhi_epi8(row[2], row[3]);
        const auto store = [&](int i, __m256i x)
                               FW_INLINE_LAMBDA { _mm256_store_si256(reinterpret_cast<__m256i*>(to + i * kStep), x); };
        store(0, _mm256_unpacklo_epi16(low01, low23));
        store(1, _mm256_unpackhi_epi16(low01, low23));
        store(2, _mm256_unpacklo_epi16(high01, high23));
        store(3, _mm256_unpackhi_epi16(high01, high23));
    }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return load_bias(p); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const char* x, Weights w) {
        return _mm256_dpbusd_epi32(acc, _mm256_load_si256(reinterpret_cast<const __m256i*>(x)), w);
    }
};

}  // namespace

FW_DEFINE_DW_FEW(dw_line_int8_3x3s1_8c4_avx512vnni, kAvx512Vnni, Avx512VnniFew, 3, 1, 24)
FW_DEFINE_DW_FEW(dw_line_int8_3x3s2_8c4_avx512vnni, kAvx512Vnni, Avx512VnniFew, 3, 2, 24)

}  // namespace fw
