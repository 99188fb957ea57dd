// smmla: a product of 2x8 by 8x2 bytes, 32 multiply-accumulates.
#include <arm_neon.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct Int8I8mm {
    using Operand = int8x16_t;
    using Accumulator = int32x4_t;
    static Operand set() { return vdupq_n_s8(1); }
    static Accumulator zero() { return vdupq_n_s32(0); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) { return vmmlaq_s32(sum, a, b); }
    static void keep(int8x16_t& value) { FW_PEAK_KEEP("w", value); }
    static void keep(int32x4_t& value) { FW_PEAK_KEEP("w", value); }
};

}  // namespace

void peak_int8_i8mm(int64_t rounds) {
    peak_loop<Int8I8mm>(rounds);
}

}  // namespace fw
