// Products of bytes (vpmaddubsw) on 256 bits, exact: kernel/matched.h.
#include <cstring>

#include "layer/x86/avx2.h"
#include "layer/x86/matched_driver.h"

namespace fw {

namespace {

// Which of eight numbers a mask leaves, in front.
struct Compaction {
    uint8_t index[256][8] = {};
    constexpr Compaction() {
        for (int mask = 0; mask < 256; ++mask) {
            int count = 0;
            for (int i = 0; i < 8; ++i) {
                if ((mask >> i & 1) != 0) {
                    index[mask][count++] = static_cast<uint8_t>(i);
                }
            }
        }
    }
};
constexpr Compaction kCompaction;

struct Avx2Bytes {
    using Element = int8_t;
    using Acc = __m256i;
    using Vec = __m256i;
    using ByteStore = ByteStore8;
    static constexpr int kMr = 4, kVectors = 2, kLanes = 8, kKr = 8;
    static constexpr int kElementCost = 24, kOutputCost = 56;
    static constexpr bool kInt8 = true, kInlinesTiles = true;

    static FW_ALWAYS_INLINE Vec load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE void save(void* p, Vec x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return load(p); }
    static FW_ALWAYS_INLINE Vec load_a(const void* group) {
        int32_t four = 0;
        std::memcpy(&four, group, sizeof(four));
        return _mm256_set1_epi32(four);
    }
    static FW_ALWAYS_INLINE Vec bytes(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
    static FW_ALWAYS_INLINE Vec words(int x) { return _mm256_set1_epi16(static_cast<short>(x)); }
    static FW_ALWAYS_INLINE Vec less(Vec a, Vec b) { return _mm256_subs_epu8(a, b); }
    static FW_ALWAYS_INLINE Vec least(Vec a, Vec b) { return _mm256_min_epu8(a, b); }
    static FW_ALWAYS_INLINE bool is_zero(Vec x) { return _mm256_testz_si256(x, x) != 0; }
    static FW_ALWAYS_INLINE unsigned nonzero(Vec x) {
        const __m256i zero = _mm256_cmpeq_epi32(x, _mm256_setzero_si256());
        return ~static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(zero)));
    }
    static FW_ALWAYS_INLINE int count(unsigned mask) { return __builtin_popcount(mask); }
    static FW_ALWAYS_INLINE Vec in_front(unsigned mask, Vec x) {
        const void* index = kCompaction.index[mask];
        return _mm256_permutevar8x32_epi32(x,
                                           _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(index))));
    }
    static FW_ALWAYS_INLINE Vec count_from(int first) {
        return _mm256_add_epi32(_mm256_set1_epi32(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static FW_ALWAYS_INLINE Vec multiply(Vec a, Vec b) { return _mm256_maddubs_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec add_words(Vec a, Vec b) { return _mm256_add_epi16(a, b); }
    static FW_ALWAYS_INLINE Acc add_pairs(Acc acc, Vec words, Vec signs) {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(words, signs));
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators8(e, acc, multiplier, out, count);
        }
    }
};

}  // namespace

FW_DEFINE_GEMM_MATCHED(gemm_int8_4x16c8_avx2, kAvx2, Avx2Bytes)

}  // namespace fw
