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
struct ProductOfTwo {
    ByteOutput output;
    float32x4_t multiplier;
    int8x16_t zero_point[2];

    explicit FW_ALWAYS_INLINE ProductOfTwo(const ProductArgs& args)
        : output(args.zero_point_out, args.lo, 127),
          multiplier(vdupq_n_f32(args.multiplier)),
          zero_point{vdupq_n_s8(static_cast<int8_t>(args.zero_point[0])),
                     vdupq_n_s8(static_cast<int8_t>(args.zero_point[1]))} {}
    static FW_ALWAYS_INLINE int16x8_t upper_difference(int8x16_t x, int8x16_t zero) {
#if defined(__aarch64__)
        return vsubl_high_s8(x, zero);
#else
        return vsubl_s8(vget_high_s8(x), vget_high_s8(zero));
#endif
    }
    FW_ALWAYS_INLINE void scaled(int8x16_t a, int8x16_t b, float32x4_t (&y)[4]) const {
        const int16x8_t words[2][2] = {
            {vsubl_s8(vget_low_s8(a), vget_low_s8(zero_point[0])), upper_difference(a, zero_point[0])},
            {vsubl_s8(vget_low_s8(b), vget_low_s8(zero_point[1])), upper_difference(b, zero_point[1])}};
        unroll<2>([&](auto half) FW_INLINE_LAMBDA {
            const int16x8_t p = words[0][half];
            const int16x8_t q = words[1][half];
            y[2 * half] = vmulq_f32(vcvtq_f32_s32(vmull_s16(vget_low_s16(p), vget_low_s16(q))), multiplier);
            y[2 * half + 1] = vmulq_f32(vcvtq_f32_s32(vmull_s16(vget_high_s16(p), vget_high_s16(q))), multiplier);
        });
    }
};

void product_of_two(const ProductArgs& args, int64_t count, int8_t* out) {
    const ProductOfTwo product(args);
    const int8_t* const a = args.in[0];
    const int8_t* const b = args.in[1];
    float32x4_t y[4];
    int64_t i = 0;
#if defined(__aarch64__)
    // Saturation of 8.24 bits is that of the byte.
    const auto whole_vectors = [&](auto to_words, int8x16_t finish) FW_INLINE_LAMBDA {
        for (; i + 16 <= count; i += 16) {
            product.scaled(vld1q_s8(a + i), vld1q_s8(b + i), y);
            const int8x16_t bytes = upper_bytes(to_words(vrndnq_f32(y[0])), to_words(vrndnq_f32(y[1])),
                                                to_words(vrndnq_f32(y[2])), to_words(vrndnq_f32(y[3])));
            vst1q_s8(out + i, vmaxq_s8(veorq_s8(bytes, finish), product.output.lo));
        }
    };
    if (args.zero_point_out == 0) {
        whole_vectors([](float32x4_t x) FW_INLINE_LAMBDA { return vreinterpretq_u32_s32(vcvtq_n_s32_f32(x, 24)); },
                      vdupq_n_s8(0));
    } else if (args.zero_point_out == -128) {
        whole_vectors([](float32x4_t x) FW_INLINE_LAMBDA { return vcvtq_n_u32_f32(x, 24); }, vdupq_n_s8(-128));
    }
#endif
    for (; i < count; i += 16) {
        product.scaled(vld1q_s8(a + i), vld1q_s8(b + i), y);
        store_bytes(product.output.bytes(y[0], y[1], y[2], y[3]), out + i, count - i);
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
