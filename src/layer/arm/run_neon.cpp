// Functions over runs of adjacent elements, 16 at a time.
#include "layer/arm/float_compare.h"

namespace fw {

namespace {

/// NaN becomes the lowest value: bounds are applied to the product, the lower one by a comparison that NaN fails.
struct Quantizer {
    ByteOutput output;
    float32x4_t scale, lo;

    explicit FW_ALWAYS_INLINE Quantizer(const QuantizeArgs& q)
        : output(q.zero_point, q.lo, 127),
          scale(vdupq_n_f32(q.scale)),
          lo(vdupq_n_f32(static_cast<float>(q.lo - q.zero_point))) {}
    FW_ALWAYS_INLINE float32x4_t scaled(const float* x) const {
        const float32x4_t v = vmulq_f32(vld1q_f32(x), scale);
        return vbslq_f32(greater4(v, lo), v, lo);
    }
    FW_ALWAYS_INLINE int8x16_t operator()(const float* x) const {
        return output.bytes(scaled(x), scaled(x + 4), scaled(x + 8), scaled(x + 12));
    }
    /// `count` floats, at most 16, of which none behind is read.
    FW_ALWAYS_INLINE int8x16_t some(const float* x, int64_t count) const {
        float all[16] = {};
        std::memcpy(all, x, static_cast<size_t>(count) * 4);
        return (*this)(all);
    }
};

void quantize(const QuantizeArgs& args, const float* x, int64_t count, int8_t* out) {
    const Quantizer q(args);
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        vst1q_s8(out + i, q(x + i));
    }
    if (i < count) {
        store_bytes(q.some(x + i, count - i), out + i, count - i);
    }
}

void quantize_planes(const QuantizeArgs& args, const float* const* planes, int64_t count, int8_t* out) {
    const Quantizer q(args);
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const int8x16x3_t pixels = {{q(planes[0] + i), q(planes[1] + i), q(planes[2] + i)}};
        vst3q_s8(out + 3 * i, pixels);
    }
    if (i < count) {
        int8_t rest[48];
        const int64_t left = count - i;
        const int8x16x3_t pixels = {
            {q.some(planes[0] + i, left), q.some(planes[1] + i, left), q.some(planes[2] + i, left)}};
        vst3q_s8(rest, pixels);
        std::memcpy(out + 3 * i, rest, static_cast<size_t>(3 * left));
    }
}

void dequantize(const int8_t* x, int64_t count, int32_t zero_point, float inverse, float* out) {
    const int16x8_t zero = vdupq_n_s16(static_cast<int16_t>(zero_point));
    const float32x4_t factor = vdupq_n_f32(inverse);
    for (int64_t i = 0; i < count; i += 8) {
        const int16x8_t words = vsubq_s16(vmovl_s8(vld1_s8(x + i)), zero);
        store_floats(vmulq_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))), factor), out + i, count - i);
        store_floats(vmulq_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(words))), factor), out + i + 4, count - i - 4);
    }
}

/// Zero points and rounding go into one constant; sums wrap on the way and fit in the end (docs/int8-contract.md).
/// kInputs = 0: any number of them.
template <int kInputs>
void sum_inputs(const SumArgs& args, int64_t count, int8_t* out) {
    const int inputs = kInputs > 0 ? kInputs : args.inputs;
    uint32_t constant = 1U << (args.shift - 1);
    for (int j = 0; j < inputs; ++j) {
        constant -= static_cast<uint32_t>(args.zero_point[j]) * static_cast<uint32_t>(args.multiplier[j]);
    }
    const int32x4_t start = vdupq_n_s32(static_cast<int32_t>(constant));
    const int32x4_t shift = vdupq_n_s32(-args.shift);
    const int16x8_t zero_point = vdupq_n_s16(static_cast<int16_t>(args.zero_point_out));
    const int8x16_t lo = vdupq_n_s8(static_cast<int8_t>(args.lo));
    const int8x16_t hi = vdupq_n_s8(static_cast<int8_t>(args.hi));
    const auto add = [](const int8_t* x, int32x4_t k, int32x4_t(&total)[4]) FW_INLINE_LAMBDA {
        const int8x16_t bytes = vld1q_s8(x);
        const int16x8_t words[2] = {vmovl_s8(vget_low_s8(bytes)), vmovl_s8(vget_high_s8(bytes))};
        unroll<4>([&](auto q) FW_INLINE_LAMBDA {
            const int16x8_t half = words[q / 2];
            const int32x4_t wide = vmovl_s16(q % 2 == 0 ? vget_low_s16(half) : vget_high_s16(half));
            total[q] = vmlaq_s32(total[q], wide, k);
        });
    };
    const int8_t* in[kInputs > 0 ? kInputs : 1];
    int32x4_t k[kInputs > 0 ? kInputs : 1];
    unroll<kInputs>([&](auto j) FW_INLINE_LAMBDA {
        in[j] = args.in[j];
        k[j] = vdupq_n_s32(args.multiplier[j]);
    });
    const auto sums = [&](int64_t i, int32x4_t first, int32x4_t(&total)[4]) FW_INLINE_LAMBDA {
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { total[q] = first; });
        unroll<kInputs>([&](auto j) FW_INLINE_LAMBDA { add(in[j] + i, k[j], total); });
        for (int j = kInputs; j < inputs; ++j) {
            add(args.in[j] + i, vdupq_n_s32(args.multiplier[j]), total);
        }
    };
    int64_t i = 0;
#if defined(__aarch64__)
    // Up to that shift the zero point, too, has room in the sum. The byte wanted becomes the upper one, and saturates.
    constexpr int kMostShift = 22;
    const int32x4_t whole = vaddq_s32(
        start, vdupq_n_s32(static_cast<int32_t>(static_cast<uint32_t>(args.zero_point_out) << (args.shift & 31))));
    const int32x4_t up = vdupq_n_s32(24 - args.shift);
    // Once, before stores of bytes that may change any member.
    const int64_t whole_end = args.shift <= kMostShift ? count - 15 : 0;
    for (; i < whole_end; i += 16) {
        int32x4_t total[4];
        sums(i, whole, total);
        uint32x4_t x[4];
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { x[q] = vreinterpretq_u32_s32(vqshlq_s32(total[q], up)); });
        vst1q_s8(out + i, vminq_s8(vmaxq_s8(upper_bytes(x[0], x[1], x[2], x[3]), lo), hi));
    }
#endif
    for (; i < count; i += 16) {
        int32x4_t total[4];
        sums(i, start, total);
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { total[q] = vshlq_s32(total[q], shift); });
        const int16x8_t low = vqaddq_s16(narrow(total[0], total[1]), zero_point);
        const int16x8_t high = vqaddq_s16(narrow(total[2], total[3]), zero_point);
        store_bytes(vminq_s8(vmaxq_s8(narrow(low, high), lo), hi), out + i, count - i);
    }
}

void sum(const SumArgs& args, int64_t count, int8_t* out) {
    if (args.inputs == 2) {
        sum_inputs<2>(args, count, out);
    } else {
        sum_inputs<0>(args, count, out);
    }
}

#if defined(__aarch64__)

void widen_halves(const uint16_t* half, int64_t count, float* out) {
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const float16x8_t x = vreinterpretq_f16_u16(vld1q_u16(half + i));
        vst1q_f32(out + i, vcvt_f32_f16(vget_low_f16(x)));
        vst1q_f32(out + i + 4, vcvt_high_f32_f16(x));
    }
    for (; i < count; i += 4) {
        store_floats(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(half + i))), out + i, count - i);
    }
}

void narrow_floats(const float* x, int64_t count, uint16_t* half) {
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const float16x8_t y = vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(x + i)), vld1q_f32(x + i + 4));
        vst1q_u16(half + i, vreinterpretq_u16_f16(y));
    }
    if (i < count) {
        const float16x8_t y = vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(x + i)), vld1q_f32(x + i + 4));
        store_bytes(vreinterpretq_s8_f16(y), half + i, 2 * (count - i));
    }
}

#else
constexpr void (*widen_halves)(const uint16_t*, int64_t, float*) = nullptr;
constexpr void (*narrow_floats)(const float*, int64_t, uint16_t*) = nullptr;
#endif

}  // namespace

extern const RunKernel run_neon = {"run_neon", Isa::kNeon, quantize,     quantize_planes,
                                   dequantize, sum,        widen_halves, narrow_floats};

}  // namespace fw
