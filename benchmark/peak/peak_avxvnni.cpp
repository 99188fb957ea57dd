// vpdpbusd of 256 bits: 4 products of bytes in each of 8 lanes.
#include <immintrin.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct Int8AvxVnni {
    using Operand = __m256i;
    using Accumulator = __m256i;
    static Operand set() { return _mm256_set1_epi8(1); }
    static Accumulator zero() { return _mm256_setzero_si256(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return _mm256_dpbusd_avx_epi32(sum, a, b); }
    static void keep(__m256i& value) { FW_PEAK_KEEP("x", value); }
};

}  // namespace

void peak_int8_avxvnni(int64_t rounds) {
    peak_loop<Int8AvxVnni>(rounds);
}

}  // namespace fw
