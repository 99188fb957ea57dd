// Two taps at a time: their bytes are interleaved, widened to 16 bits and multiplied in pairs (pmaddwd), exactly.
#include "kernel/dw_driver.h"
#include "layer/x86/sse41.h"

namespace fw {

namespace {

struct Sse41Int8 {
    struct Pair {
        __m128i low, high;
    };
    using Element = int8_t;
    using Acc = Pair;
    using Weights = Pair;
    static constexpr int kLanes = 8, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) {
        const auto* from = static_cast<const __m128i*>(p);
        return {_mm_loadu_si128(from), _mm_loadu_si128(from + 1)};
    }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) {
        return {widen8(p), widen8(static_cast<const char*>(p) + 8)};
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const int8_t* const* a, int64_t c, Weights w) {
        const __m128i first = widen8(a[0] + c);
        const __m128i second = widen8(a[1] + c);
        return {multiply_add_pairs(acc.low, _mm_unpacklo_epi16(first, second), w.low),
                multiply_add_pairs(acc.high, _mm_unpackhi_epi16(first, second), w.high)};
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators8(e, acc.low, acc.high, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_int8_8c2_sse41, kSse41, Sse41Int8)

}  // namespace fw
