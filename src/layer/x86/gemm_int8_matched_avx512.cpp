// Products of bytes (vpmaddubsw) on 512 bits, exact: kernel/matched.h. For processors without vpdpbusd.
#include <cstring>

#include "layer/x86/avx512.h"
#include "layer/x86/matched_driver.h"

namespace fw {

namespace {

struct Avx512Bytes {
    using Element = int8_t;
    using Acc = __m512i;
    using Vec = __m512i;
    using ByteStore = ByteStore16;
    static constexpr int kMr = 8, kVectors = 2, kLanes = 16, kKr = 8;
    static constexpr int kElementCost = 24, kOutputCost = 56;  // those of AVX2
    static constexpr bool kInt8 = true, kStoresApart = true;

    static FW_ALWAYS_INLINE Vec load(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE void save(void* p, Vec x) { _mm512_storeu_si512(p, x); }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return load(p); }
    static FW_ALWAYS_INLINE Vec load_a(const void* group) {
        int32_t four = 0;
        std::memcpy(&four, group, sizeof(four));
        return _mm512_set1_epi32(four);
    }
    static FW_ALWAYS_INLINE Vec bytes(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
    static FW_ALWAYS_INLINE Vec words(int x) { return _mm512_set1_epi16(static_cast<short>(x)); }
    static FW_ALWAYS_INLINE Vec less(Vec a, Vec b) { return _mm512_subs_epu8(a, b); }
    static FW_ALWAYS_INLINE Vec least(Vec a, Vec b) { return _mm512_min_epu8(a, b); }
    static FW_ALWAYS_INLINE bool is_zero(Vec x) { return nonzero(x) == 0; }
    static FW_ALWAYS_INLINE unsigned nonzero(Vec x) { return _mm512_test_epi32_mask(x, x); }
    static FW_ALWAYS_INLINE int count(unsigned mask) { return __builtin_popcount(mask); }
    static FW_ALWAYS_INLINE Vec in_front(unsigned mask, Vec x) {
        return _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), x);
    }
    static FW_ALWAYS_INLINE Vec count_from(int first) {
        return _mm512_add_epi32(_mm512_set1_epi32(first),
                                _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    }
    static FW_ALWAYS_INLINE Vec multiply(Vec a, Vec b) { return _mm512_maddubs_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec add_words(Vec a, Vec b) { return _mm512_add_epi16(a, b); }
    static FW_ALWAYS_INLINE Acc add_pairs(Acc acc, Vec words, Vec signs) {
        return _mm512_add_epi32(acc, _mm512_madd_epi16(words, signs));
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators16(e, acc, multiplier, out, count);
        }
    }
};

}  // namespace

FW_DEFINE_GEMM_MATCHED(gemm_int8_8x32c8_avx512, kAvx512, Avx512Bytes)

}  // namespace fw
