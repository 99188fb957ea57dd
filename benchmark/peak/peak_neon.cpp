// Floats by the level's multiply-add (fused on 64 bits). Bytes without a dot product: smull, smlal and sadalp, 16
// products by three instructions; two pairs of products are all that an int16 may sum.
#include <arm_neon.h>

#include "peak/loop.h"

namespace fw {

namespace {

struct FloatNeon {
    using Operand = float32x4_t;
    using Accumulator = float32x4_t;
    static Operand set() { return vdupq_n_f32(1.0F); }
    static Accumulator zero() { return vdupq_n_f32(0.0F); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) {
#if defined(__aarch64__)
        return vfmaq_f32(sum, a, b);
#else
        return vmlaq_f32(sum, a, b);
#endif
    }
    static void keep(float32x4_t& value) {
        FW_PEAK_KEEP("w", value);
    }
};

struct Int8Neon {
    using Operand = int8x8_t;
    using Accumulator = int32x4_t;
    static Operand set() { return vdup_n_s8(1); }
    static Accumulator zero() { return vdupq_n_s32(0); }
    static Accumulator step(Accumulator sum, Operand a, Operand b) {
        int16x8_t pair = vmull_s8(a, b);
        FW_PEAK_KEEP("w", pair);  // else two equal products become one and a shift
        return vpadalq_s16(sum, vmlal_s8(pair, a, b));
    }
    static void keep(int8x8_t& value) { FW_PEAK_KEEP("w", value); }
    static void keep(int32x4_t& value) { FW_PEAK_KEEP("w", value); }
};

}  // namespace

void peak_f32_neon(int64_t rounds) {
    peak_loop<FloatNeon>(rounds);
}

void peak_int8_neon(int64_t rounds) {
    peak_loop<Int8Neon>(rounds);
}

}  // namespace fw
