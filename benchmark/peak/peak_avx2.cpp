// FMA of 8 floats; vpmaddwd sums 2 products of 16-bit values in each of 8 lanes.
#include <immintrin.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct FloatAvx2 {
    using Operand = __m256;
    using Accumulator = __m256;
    static Operand set() { return _mm256_set1_ps(1.0F); }
    static Accumulator zero() { return _mm256_setzero_ps(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return _mm256_fmadd_ps(a, b, sum); }
    static void keep(__m256& value) { FW_PEAK_KEEP("x", value); }
};

struct Int8Avx2 {
    using Operand = __m256i;
    using Accumulator = __m256i;
    static Operand set() { return _mm256_set1_epi16(1); }
    static Accumulator zero() { return _mm256_setzero_si256(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    static void keep(__m256i& value) { FW_PEAK_KEEP("x", value); }
};

}  // namespace

void peak_f32_avx2(int64_t rounds) {
    peak_loop<FloatAvx2>(rounds);
}

void peak_int8_avx2(int64_t rounds) {
    peak_loop<Int8Avx2>(rounds);
}

}  // namespace fw
