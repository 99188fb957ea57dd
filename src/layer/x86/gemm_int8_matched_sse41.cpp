// Products of bytes (pmaddubsw) on 128 bits, exact: kernel/matched.h.
#include "layer/x86/matched_driver.h"
#include "layer/x86/sse41.h"

namespace fw {

namespace {

// Which of four numbers a mask leaves, in front, as the bytes of a shuffle.
struct Compaction {
    uint8_t index[16][16] = {};
    constexpr Compaction() {
        for (int mask = 0; mask < 16; ++mask) {
            int count = 0;
            for (int i = 0; i < 16; ++i) {
                if ((mask >> i / 4 & 1) != 0) {
                    index[mask][count++] = static_cast<uint8_t>(i);
                }
            }
        }
    }
};
constexpr Compaction kCompaction;

struct Sse41Bytes {
    using Element = int8_t;
    using Acc = __m128i;
    using Vec = __m128i;
    using ByteStore = ByteStore4;
    static constexpr int kMr = 4, kVectors = 2, kLanes = 4, kKr = 8;
    static constexpr int kElementCost = 12, kOutputCost = 28;
    static constexpr bool kInt8 = true, kInlinesTiles = true;

    static FW_ALWAYS_INLINE Vec load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static FW_ALWAYS_INLINE void save(void* p, Vec x) { _mm_storeu_si128(static_cast<__m128i*>(p), x); }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return load(p); }
    static FW_ALWAYS_INLINE Vec load_a(const void* group) { return _mm_set1_epi32(load_word(group)); }
    static FW_ALWAYS_INLINE Vec bytes(int x) { return _mm_set1_epi8(static_cast<char>(x)); }
    static FW_ALWAYS_INLINE Vec words(int x) { return _mm_set1_epi16(static_cast<short>(x)); }
    static FW_ALWAYS_INLINE Vec less(Vec a, Vec b) { return _mm_subs_epu8(a, b); }
    static FW_ALWAYS_INLINE Vec least(Vec a, Vec b) { return _mm_min_epu8(a, b); }
    static FW_ALWAYS_INLINE bool is_zero(Vec x) { return _mm_testz_si128(x, x) != 0; }
    static FW_ALWAYS_INLINE unsigned nonzero(Vec x) {
        const __m128i zero = _mm_cmpeq_epi32(x, _mm_setzero_si128());
        return ~static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(zero)));
    }
    /// SSE4.1 has no instruction for it: a digit for each of the 16 masks.
    static FW_ALWAYS_INLINE int count(unsigned mask) {
        constexpr uint64_t kCounts = 0x4332322132212110;
        return static_cast<int>(kCounts >> 4 * mask & 7U);
    }
    static FW_ALWAYS_INLINE Vec in_front(unsigned mask, Vec x) {
        return _mm_shuffle_epi8(x, load(kCompaction.index[mask]));
    }
    static FW_ALWAYS_INLINE Vec count_from(int first) {
        return _mm_add_epi32(_mm_set1_epi32(first), _mm_setr_epi32(0, 1, 2, 3));
    }
    static FW_ALWAYS_INLINE Vec multiply(Vec a, Vec b) { return _mm_maddubs_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec add_words(Vec a, Vec b) { return _mm_add_epi16(a, b); }
    static FW_ALWAYS_INLINE Acc add_pairs(Acc acc, Vec words, Vec signs) {
        return multiply_add_pairs(acc, words, signs);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators4(e, acc, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM_MATCHED(gemm_int8_4x8c8_sse41, kSse41, Sse41Bytes)

}  // namespace fw
