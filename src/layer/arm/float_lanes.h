// Eight channels of the float depthwise kernels.
#pragma once

#include "layer/arm/neon.h"

namespace fw {
namespace {

struct FloatLanes8 {
    struct Acc {
        float32x4_t v[2];
    };
    static constexpr int kLanes = 8;

    static FW_ALWAYS_INLINE Acc load(const float* from, int64_t /*count*/) {
        return {{vld1q_f32(from), vld1q_f32(from + 4)}};
    }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, const Acc& x, const Acc& w) {
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
