// FMA of 16 floats; vpmaddwd sums 2 products of 16-bit values in each of 16 lanes.
#include <immintrin.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct FloatAvx512 {
    using Operand = __m512;
    using Accumulator = __m512;
    static Operand set() { return _mm512_set1_ps(1.0F); }
    static Accumulator zero() { return _mm512_setzero_ps(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return _mm512_fmadd_ps(a, b, sum); }
    static void keep(__m512& value) { FW_PEAK_KEEP("v", value); }
};

struct Int8Avx512 {
    using Operand = __m512i;
    using Accumulator = __m512i;
    static Operand set() { return _mm512_set1_epi16(1); }
    static Accumulator zero() { return _mm512_setzero_si512(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) {
        return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
    }
    static void keep(__m512i& value) { FW_PEAK_KEEP("v", value); }
};

}  // namespace

void peak_f32_avx512(int64_t rounds) {
    peak_loop<FloatAvx512>(rounds);
}

void peak_int8_avx512(int64_t rounds) {
    peak_loop<Int8Avx512>(rounds);
}

}  // namespace fw
