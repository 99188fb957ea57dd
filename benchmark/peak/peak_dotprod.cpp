// sdot: 4 products of bytes in each of 4 lanes.
#include <arm_neon.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct Int8Dotprod {
    using Operand = int8x16_t;
    using Accumulator = int32x4_t;
    static Operand set() { return vdupq_n_s8(1); }
    static Accumulator zero() { return vdupq_n_s32(0); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return vdotq_s32(sum, a, b); }
    static void keep(int8x16_t& value) { FW_PEAK_KEEP("w", value); }
    static void keep(int32x4_t& value) { FW_PEAK_KEEP("w", value); }
};

}  // namespace

void peak_int8_dotprod(int64_t rounds) {
    peak_loop<Int8Dotprod>(rounds);
}

}  // namespace fw
