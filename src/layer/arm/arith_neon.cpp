// Arithmetic on runs of bytes, 16 at a time.
#include "layer/arm/neon.h"

namespace fw {

namespace {

void affine(const AffineArgs& args, const int8_t* x, int64_t count, int8_t* out) {
    const ByteOutput output(args.zero_point_out, args.lo, args.hi);
    const int16x8_t zero_point = vdupq_n_s16(static_cast<int16_t>(args.zero_point));
    for (int64_t i = 0; i < count; i += 16) {
        const int8x16_t bytes = vld1q_s8(x + i);
        const int16x8_t words[2] = {vsubq_s16(vmovl_s8(vget_low_s8(bytes)), zero_point),
                                    vsubq_s16(vmovl_s8(vget_high_s8(bytes)), zero_point)};
        float32x4_t y[4];
        unroll<4>([&](auto q) FW_INLINE_LAMBDA {
            const int16x8_t half = words[q / 2];
            const int32x4_t wide = vmovl_s16(q % 2 == 0 ? vget_low_s16(half) : vget_high_s16(half));
            const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(wide), vld1q_f32(args.a + i + 4 * q));
            y[q] = vaddq_f32(scaled, vld1q_f32(args.b + i + 4 * q));
        });
        store_bytes(output.bytes(y[0], y[1], y[2], y[3]), out + i, count - i);
    }
}

// Of two inputs: differences are of 16 bits, whose products are exact in 32, as a float is exact for them.
void product_of_two(const ProductArgs& args, int64_t count, int8_t* out) {
    const ByteOutput output(args.zero_point_out, args.lo, 127);
    const float32x4_t multiplier = vdupq_n_f32(args.multiplier);
    const int8_t* const in[2] = {args.in[0], args.in[1]};
    const int8x8_t zero_point[2] = {vdup_n_s8(static_cast<int8_t>(args.zero_point[0])),
                                    vdup_n_s8(static_cast<int8_t>(args.zero_point[1]))};
    for (int64_t i = 0; i < count; i += 16) {
        int16x8_t words[2][2];
        unroll<2>([&](auto j) FW_INLINE_LAMBDA {
            const int8x16_t bytes = vld1q_s8(in[j] + i);
            words[j][0] = vsubl_s8(vget_low_s8(bytes), zero_point[j]);
            words[j][1] = vsubl_s8(vget_high_s8(bytes), zero_point[j]);
        });
        float32x4_t y[4];
        unroll<2>([&](auto half) FW_INLINE_LAMBDA {
            const int16x8_t a = words[0][half];
            const int16x8_t b = words[1][half];
            y[2 * half] = vmulq_f32(vcvtq_f32_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b))), multiplier);
            y[2 * half + 1] = vmulq_f32(vcvtq_f32_s32(vmull_s16(vget_high_s16(a), vget_high_s16(b))), multiplier);
        });
        store_bytes(output.bytes(y[0], y[1], y[2], y[3]), out + i, count - i);
    }
}

void product(const ProductArgs& args, int64_t count, int8_t* out) {
    if (args.inputs == 2) {
        product_of_two(args, count, out);
        return;
    }
    const ByteOutput output(args.zero_point_out, args.lo, 127);
    const float32x4_t multiplier = vdupq_n_f32(args.multiplier);
    for (int64_t i = 0; i < count; i += 16) {
        float32x4_t y[4] = {vdupq_n_f32(1.0F), vdupq_n_f32(1.0F), vdupq_n_f32(1.0F), vdupq_n_f32(1.0F)};
        for (int j = 0; j < args.inputs; ++j) {
            const int8x16_t bytes = vld1q_s8(args.in[j] + i);
            const int16x8_t zero_point = vdupq_n_s16(static_cast<int16_t>(args.zero_point[j]));
            const int16x8_t words[2] = {vsubq_s16(vmovl_s8(vget_low_s8(bytes)), zero_point),
                                        vsubq_s16(vmovl_s8(vget_high_s8(bytes)), zero_point)};
            unroll<4>([&](auto q) FW_INLINE_LAMBDA {
                const int16x8_t half = words[q / 2];
                const int32x4_t wide = vmovl_s16(q % 2 == 0 ? vget_low_s16(half) : vget_high_s16(half));
                y[q] = vmulq_f32(y[q], vcvtq_f32_s32(wide));
            });
        }
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { y[q] = vmulq_f32(y[q], multiplier); });
        store_bytes(output.bytes(y[0], y[1], y[2], y[3]), out + i, count - i);
    }
}

}  // namespace

extern const ArithKernel arith_neon = {"arith_neon", Isa::kNeon, affine, product};

}  // namespace fw
