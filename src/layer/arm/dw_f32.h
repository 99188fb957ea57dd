// What the float depthwise kernels share: blocks of eight channels.
#pragma once

#include "layer/arm/neon.h"

namespace fw {
namespace {

struct FloatLanes8 {
    struct Pair {
        float32x4_t v[2];
    };
    using Element = float;
    using Acc = Pair;
    static constexpr int kLanes = 8, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Pair load_bias(const void* p) {
        const auto* from = static_cast<const float*>(p);
        return {{vld1q_f32(from), vld1q_f32(from + 4)}};
    }
    static FW_ALWAYS_INLINE Pair add_product(Pair acc, Pair x, Pair w) {
        unroll<2>([&](auto i) FW_INLINE_LAMBDA {
#if defined(__aarch64__)
            acc.v[i] = vfmaq_f32(acc.v[i], x.v[i], w.v[i]);
#else
            acc.v[i] = vmlaq_f32(acc.v[i], x.v[i], w.v[i]);
#endif
        });
        return acc;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        const float32x4_t lo = vdupq_n_f32(e.lo);
        const float32x4_t hi = vdupq_n_f32(e.hi);
        store_floats(clamp4(acc.v[0], lo, hi), out, count);
        store_floats(clamp4(acc.v[1], lo, hi), static_cast<float*>(out) + 4, count - 4);
    }
};

}  // namespace
}  // namespace fw
