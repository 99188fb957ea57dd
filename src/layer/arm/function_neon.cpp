// The short functions, 16 floats at a time; the others as at the scalar level, whose registers are as wide. ARMv7's
// vectors round to 0 below 2^-126: AArch64 only.
#include "layer/arm/neon.h"

#if defined(__aarch64__)

#include "kernel/function_driver.h"

namespace fw {

namespace {

template <class Fn>
FW_ALWAYS_INLINE void map_sixteen(const float* x, int64_t count, float* out, Fn fn) {
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        float32x4_t v[4];
        unroll<4>([&](auto j) FW_INLINE_LAMBDA { v[j] = fn(vld1q_f32(x + i + 4 * j)); });
        unroll<4>([&](auto j) FW_INLINE_LAMBDA { vst1q_f32(out + i + 4 * j, v[j]); });
    }
    for (; i < count; i += 4) {
        float rest[4] = {};
        std::memcpy(rest, x + i, static_cast<size_t>(count - i < 4 ? count - i : 4) * 4);
        store_floats(fn(vld1q_f32(rest)), out + i, count - i);
    }
}

void apply(const FunctionArgs& f, const float* x, int64_t count, float* out) {
    const float32x4_t a = vdupq_n_f32(f.a);
    const float32x4_t b = vdupq_n_f32(f.b);
    const float32x4_t zero = vdupq_n_f32(0.0F);
    const float32x4_t one = vdupq_n_f32(1.0F);
    // A NaN stays. -0 becomes 0, but only a beta of -0 gives one.
    const auto hard_sigmoid = [=](float32x4_t v) FW_INLINE_LAMBDA {
        return vminq_f32(vmaxq_f32(vaddq_f32(vmulq_f32(v, a), b), zero), one);
    };
    switch (f.function) {
        case FloatFunction::kHardSigmoid: map_sixteen(x, count, out, hard_sigmoid); break;
        case FloatFunction::kHardSwish:
            map_sixteen(x, count, out, [=](float32x4_t v) FW_INLINE_LAMBDA { return vmulq_f32(v, hard_sigmoid(v)); });
            break;
        default: apply_function<Float4>(f, x, count, out);
    }
}

}  // namespace

extern const FunctionKernel function_neon = {"function_neon", Isa::kNeon, apply};

}  // namespace fw

#endif
