// Two taps at a time: their bytes are interleaved, widened to 16 bits and multiplied in pairs (vpmaddwd), exactly.
#include "kernel/dw_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Int8 {
    struct Pair {
        __m256i low, high;
    };
    using Element = int8_t;
    using Acc = Pair;
    using Weights = Pair;
    static constexpr int kLanes = 16, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) {
        const auto* from = static_cast<const __m256i*>(p);
        return {_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)};
    }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) {
        const auto* from = static_cast<const __m128i*>(p);
        return {_mm256_cvtepi8_epi16(_mm_loadu_si128(from)), _mm256_cvtepi8_epi16(_mm_loadu_si128(from + 1))};
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const int8_t* const* a, int64_t c, Weights w) {
        const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a[0] + c));
        const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a[1] + c));
        const __m256i low = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(first, second));
        const __m256i high = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(first, second));
        return {_mm256_add_epi32(acc.low, _mm256_madd_epi16(low, w.low)),
                _mm256_add_epi32(acc.high, _mm256_madd_epi16(high, w.high))};
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators8(e, acc.low, multiplier, out, count < 8 ? count : 8);
        if (count > 8) {
            store_accumulators8(e, acc.high, multiplier + 8, static_cast<char*>(out) + (e.float_output ? 32 : 8),
                                count - 8);
        }
    }
};

}  // namespace

FW_DEFINE_DW(dw_int8_16c2_avx2, kAvx2, Avx2Int8)

}  // namespace fw
