// Sums, products and the short functions of float16, 32 elements at a time.
#include "base/half.h"
#include "layer/arm/neon.h"

namespace fw {

namespace {

struct Four {
    float16x8_t v[4];
};

FW_ALWAYS_INLINE const float16_t* halves(const uint16_t* x) {
    return reinterpret_cast<const float16_t*>(x);
}

FW_ALWAYS_INLINE float16x8_t load_one(const uint16_t* x) {
    return vld1q_f16(halves(x));
}

FW_ALWAYS_INLINE Four load_four(const uint16_t* x) {
    const float16x8x4_t four = vld1q_f16_x4(halves(x));
    return {{four.val[0], four.val[1], four.val[2], four.val[3]}};
}

FW_ALWAYS_INLINE float16x8_t load_rest(const uint16_t* x, int64_t count) {
    uint16_t rest[8] = {};
    std::memcpy(rest, x, static_cast<size_t>(count) * 2);
    return vld1q_f16(halves(rest));
}

// fn(operands...) of each place; `out` may be any operand.
template <class Fn, class... In>
FW_ALWAYS_INLINE void map_halves(int64_t count, uint16_t* out, Fn fn, const In*... in) {
    int64_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const auto combine = [&](const auto&... x) FW_INLINE_LAMBDA {
            return float16x8x4_t{{fn(x.v[0]...), fn(x.v[1]...), fn(x.v[2]...), fn(x.v[3]...)}};
        };
        const float16x8x4_t four = combine(load_four(in + i)...);
        vst1q_f16_x4(reinterpret_cast<float16_t*>(out + i), four);
    }
    for (; i + 8 <= count; i += 8) {
        const float16x8_t one = fn(load_one(in + i)...);
        vst1q_f16(reinterpret_cast<float16_t*>(out + i), one);
    }
    if (i < count) {
        const float16x8_t rest = fn(load_rest(in + i, count - i)...);
        store_bytes(vreinterpretq_s8_f16(rest), out + i, (count - i) * 2);
    }
}

void sum(const uint16_t* a, const uint16_t* b, int64_t count, uint16_t* out) {
    map_halves(
        count, out, [](float16x8_t x, float16x8_t y) FW_INLINE_LAMBDA { return vaddq_f16(x, y); }, a, b);
}

void product(const uint16_t* a, const uint16_t* b, int64_t count, uint16_t* out) {
    map_halves(
        count, out, [](float16x8_t x, float16x8_t y) FW_INLINE_LAMBDA { return vmulq_f16(x, y); }, a, b);
}

void accumulate(const uint16_t* x, int64_t step, int64_t rows, int64_t count, float* sum) {
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        float32x4_t total[4];
        unroll<4>([&](auto j) FW_INLINE_LAMBDA { total[j] = vld1q_f32(sum + i + 4 * j); });
        const uint16_t* row = x + i;
        for (int64_t r = 0; r < rows; ++r, row += step) {
            unroll<2>([&](auto j) FW_INLINE_LAMBDA {
                const float16x8_t v = vld1q_f16(halves(row + 8 * j));
                total[2 * j] = vaddq_f32(total[2 * j], vcvt_f32_f16(vget_low_f16(v)));
                total[2 * j + 1] = vaddq_f32(total[2 * j + 1], vcvt_high_f32_f16(v));
            });
        }
        unroll<4>([&](auto j) FW_INLINE_LAMBDA { vst1q_f32(sum + i + 4 * j, total[j]); });
    }
    for (; i < count; ++i) {
        float total = sum[i];
        for (int64_t r = 0; r < rows; ++r) {
            total += static_cast<float>(*halves(x + r * step + i));
        }
        sum[i] = total;
    }
}

bool fits(float x) {
    return x >= -kLargestHalf && x <= kLargestHalf;
}

bool apply(const FunctionArgs& f, const uint16_t* x, int64_t count, uint16_t* out) {
    if (!fits(f.a) || !fits(f.b)) {
        return false;
    }
    const float16x8_t a = vdupq_n_f16(static_cast<float16_t>(f.a));
    const float16x8_t b = vdupq_n_f16(static_cast<float16_t>(f.b));
    const float16x8_t zero = vdupq_n_f16(0);
    const float16x8_t one = vdupq_n_f16(1);
    const float16x8_t least = vdupq_n_f16(static_cast<float16_t>(-kLargestHalf));
    // A NaN stays.
    const auto hard_sigmoid = [=](float16x8_t v)
                                  FW_INLINE_LAMBDA { return vminq_f16(vmaxq_f16(vfmaq_f16(b, v, a), zero), one); };
    switch (f.function) {
        case FloatFunction::kHardSigmoid: map_halves(count, out, hard_sigmoid, x); return true;
        case FloatFunction::kHardSwish:
            // What rounded to -infinity gives a zero, not a NaN.
            map_halves(
                count, out,
                [=](float16x8_t v) FW_INLINE_LAMBDA { return vmulq_f16(vmaxq_f16(v, least), hard_sigmoid(v)); }, x);
            return true;
        case FloatFunction::kLeakyRelu:
            map_halves(
                count, out,
                [=](float16x8_t v) FW_INLINE_LAMBDA { return vbslq_f16(vcgtq_f16(v, zero), v, vmulq_f16(v, a)); }, x);
            return true;
        default: return false;
    }
}

}  // namespace

extern const HalfArithKernel half_arith_fp16 = {"half_arith_fp16", Isa::kFp16, sum, product, accumulate, apply};

}  // namespace fw
