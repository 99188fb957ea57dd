// SSE has no fused multiply-add: a product and a sum of 4 floats; pmaddwd sums 2 products of 16-bit values a lane.
#include <smmintrin.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct FloatSse {
    using Operand = __m128;
    using Accumulator = __m128;
    static Operand set() { return _mm_set1_ps(1.0F); }
    static Accumulator zero() { return _mm_setzero_ps(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return _mm_add_ps(sum, _mm_mul_ps(a, b)); }
    static void keep(__m128& value) { FW_PEAK_KEEP("x", value); }
};

struct Int8Sse {
    using Operand = __m128i;
    using Accumulator = __m128i;
    static Operand set() { return _mm_set1_epi16(1); }
    static Accumulator zero() { return _mm_setzero_si128(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return _mm_add_epi32(sum, _mm_madd_epi16(a, b)); }
    static void keep(__m128i& value) { FW_PEAK_KEEP("x", value); }
};

}  // namespace

void peak_f32_sse41(int64_t rounds) {
    peak_loop<FloatSse>(rounds);
}

void peak_int8_sse41(int64_t rounds) {
    peak_loop<Int8Sse>(rounds);
}

}  // namespace fw
