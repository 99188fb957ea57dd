// vpdpbusd of 512 bits: 4 products of bytes in each of 16 lanes.
#include <immintrin.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct Int8Avx512Vnni {
    using Operand = __m512i;
    using Accumulator = __m512i;
    static Operand set() { return _mm512_set1_epi8(1); }
    static Accumulator zero() { return _mm512_setzero_si512(); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return _mm512_dpbusd_epi32(sum, a, b); }
    static void keep(__m512i& value) { FW_PEAK_KEEP("v", value); }
};

}  // namespace

void peak_int8_avx512vnni(int64_t rounds) {
    peak_loop<Int8Avx512Vnni>(rounds);
}

}  // namespace fw
